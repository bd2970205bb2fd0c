/**
 * The key pair of an auditor, X25519: exports are sealed for its public half, and only the private half opens them. Made by
 * the auditor with any tool; read from PEM here. Named by the RFC 7638 thumbprint of the public half.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Rng } from '../../../platform/base/ports.ts';
import { canonicalJson } from '../canonical-json.ts';
import { ledgerErrors } from '../ledger-errors.ts';

export interface AuditorKey {
  readonly kid: string;
  /** Base64url of the 32 bytes. */
  readonly x: string;
  readonly publicKey: KeyObject;
}

/** An SPKI PEM. Fails with E_AUDITOR_KEY, also for a private key: that one stays with the auditor. */
export function readAuditorKey(pem: string): AuditorKey {
  if (/PRIVATE KEY/.test(pem)) throw unusable('this is a private key; give the public one');
  return auditorKeyOf(attempt(() => createPublicKey(pem)));
}

/** The 32 bytes in base64url. Fails with E_AUDITOR_KEY. */
export function auditorKeyFrom(x: string): AuditorKey {
  return auditorKeyOf(attempt(() => createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })));
}

/** A PKCS#8 PEM without a passphrase. Fails with E_AUDITOR_KEY, without what was read. */
export function readAuditorPrivateKey(pem: string): { readonly key: AuditorKey; readonly privateKey: KeyObject } {
  const privateKey = attempt(() => createPrivateKey(pem));
  return { key: auditorKeyOf(attempt(() => createPublicKey(privateKey))), privateKey };
}

const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A pair for one use. */
export function makeEphemeralKey(rng: Rng): { readonly key: AuditorKey; readonly privateKey: KeyObject } {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, rng.bytes(32)]), format: 'der', type: 'pkcs8' });
  return { key: auditorKeyOf(createPublicKey(privateKey)), privateKey };
}

function auditorKeyOf(publicKey: KeyObject): AuditorKey {
  if (publicKey.asymmetricKeyType !== 'x25519') throw unusable('it is no X25519 key');
  const { x } = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(canonicalJson({ crv: 'X25519', kty: 'OKP', x: x! }))
    .digest('base64url');
  return { kid, x: x!, publicKey };
}

function attempt(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    throw unusable('it cannot be read as a key');
  }
}

function unusable(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_AUDITOR_KEY, `the auditor's key is not usable: ${what}`);
}
