/**
 * Signatures of receipts: detached JWS (RFC 7515, appendix F) with Ed25519 (RFC 8037) over the receipt's exact bytes. Any
 * JOSE library can check one. The verifier accepts one form only, so that no two texts are the same signature.
 */
import { sign, verify } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import { ledgerErrors } from './ledger-errors.ts';
import { assertBalanced, type Receipt } from './receipt.ts';
import type { SigningKey } from './signing-key.ts';
import type { Trust } from './trust-file.ts';

const signatureBytes = 64;
const jwsForm = /^([A-Za-z0-9_-]{1,400})\.\.([A-Za-z0-9_-]{86})$/;

export interface IssuedReceipt {
  /** The exact text that is signed, kept and exported. */
  readonly body: string;
  readonly signature: string;
  readonly keyId: string;
}

/** A job's receipt as it is kept. Fails with E_UNBALANCED. */
export function issueReceipt(receipt: Receipt, key: SigningKey): IssuedReceipt {
  assertBalanced(receipt);
  const body = canonicalJson(receipt);
  return { body, signature: signReceipt(Buffer.from(body), key), keyId: key.kid };
}

/** `header..signature`, without a line end. */
export function signReceipt(receipt: Uint8Array, key: SigningKey): string {
  const header = protectedHeader(key.kid);
  return `${header}..${sign(null, signingInput(header, receipt), key.privateKey).toString('base64url')}`;
}

/**
 * Returns the kid that signed. `closedAtMs`: when the receipt says the job closed, compared with the key's time of use.
 * Fails with E_RECEIPT_SIGNATURE or E_RECEIPT_KEY.
 */
export function verifyReceiptSignature(receipt: Uint8Array, jws: string, trust: Trust, closedAtMs: number): string {
  const match = jwsForm.exec(jws);
  if (match === null) throw new HeadgateError(ledgerErrors.E_RECEIPT_SIGNATURE, 'the signature is not a detached JWS of the expected form');
  const [, header, text] = match as unknown as [string, string, string];
  const signature = Buffer.from(text, 'base64url');
  const kid = readKid(header);
  if (kid === null || header !== protectedHeader(kid) || signature.length !== signatureBytes || signature.toString('base64url') !== text) {
    throw new HeadgateError(ledgerErrors.E_RECEIPT_SIGNATURE, 'the signature has another header or form than receipts have');
  }
  const trusted = trust.get(kid);
  if (trusted === undefined)
    throw new HeadgateError(ledgerErrors.E_RECEIPT_KEY, 'the receipt is signed with a key that the trust file does not list');
  if (!verify(null, signingInput(header, receipt), trusted.key, signature)) {
    throw new HeadgateError(ledgerErrors.E_RECEIPT_SIGNATURE, 'the signature does not belong to this receipt');
  }
  if (!(closedAtMs >= trusted.notBeforeMs && closedAtMs <= trusted.notAfterMs)) {
    throw new HeadgateError(ledgerErrors.E_RECEIPT_KEY, 'the receipt was closed outside the time for which its key is trusted');
  }
  return kid;
}

let lastHeader = { kid: '', header: '' };

/** One key signs many receipts. */
function protectedHeader(kid: string): string {
  if (lastHeader.kid !== kid) {
    const header = Buffer.from(canonicalJson({ alg: 'EdDSA', kid, typ: 'headgate-receipt+jws' })).toString('base64url');
    lastHeader = { kid, header };
  }
  return lastHeader.header;
}

function readKid(header: string): string | null {
  try {
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { kid?: unknown };
    return typeof kid === 'string' ? kid : null;
  } catch {
    return null;
  }
}

function signingInput(header: string, receipt: Uint8Array): Buffer {
  const text = Buffer.from(receipt.buffer, receipt.byteOffset, receipt.byteLength).toString('base64url');
  const input = Buffer.allocUnsafe(header.length + 1 + text.length);
  input.write(header, 0, 'latin1');
  input.write('.', header.length, 'latin1');
  input.write(text, header.length + 1, 'latin1');
  return input;
}
