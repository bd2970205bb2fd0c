/**
 * The trust file: the public keys a verifier believes, obtained from the issuer over another channel than the receipts.
 * Strict: what is not understood is refused, because what it meant might have been a restriction.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import { ledgerErrors } from './ledger-errors.ts';
import { type PublicJwk, type SigningKey, thumbprint } from './signing-key.ts';

export interface TrustedKey {
  readonly kid: string;
  readonly key: KeyObject;
  /** Milliseconds since 1970; a receipt closed outside is not believed. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export type Trust = ReadonlyMap<string, TrustedKey>;

/** The text of a trust file for keys of one's own; indented, for people. */
export function printTrustFile(keys: readonly Pick<SigningKey, 'kid' | 'publicKey'>[]): string {
  return `${JSON.stringify({ keys: keys.map(({ kid, publicKey }) => ({ kid, publicKey })) }, null, 2)}\n`;
}

/** Fails with E_TRUST_FILE. */
export function parseTrustFile(text: string): Trust {
  const document = parseJson(text);
  if (!isObject(document) || Object.keys(document).join() !== 'keys' || !Array.isArray(document['keys']))
    throw refused(`it is not {"keys": [...]} and nothing else, which \`headgate trust\` prints`);
  const trust = new Map<string, TrustedKey>();
  document['keys'].forEach((entry: unknown, at: number) => {
    const trusted = readEntry(entry, at);
    if (trust.has(trusted.kid)) throw refused(`key ${at + 1}: its kid occurs twice`);
    trust.set(trusted.kid, trusted);
  });
  if (trust.size === 0) throw refused('it lists no key');
  return trust;
}

function readEntry(entry: unknown, at: number): TrustedKey {
  const names = ['kid', 'publicKey', 'notBefore', 'notAfter'];
  if (!isObject(entry) || !Object.keys(entry).every((name) => names.includes(name))) throw refused(`key ${at + 1}`);
  const { kid, publicKey, notBefore, notAfter } = entry;
  if (!isObject(publicKey) || publicKey['kty'] !== 'OKP' || publicKey['crv'] !== 'Ed25519' || typeof publicKey['x'] !== 'string') {
    throw refused(`key ${at + 1}: publicKey is not an Ed25519 JWK`);
  }
  if (Object.hasOwn(publicKey, 'd')) throw refused(`key ${at + 1} holds a private key`);
  const jwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey['x'] };
  if (kid !== thumbprint(jwk)) throw refused(`key ${at + 1}: kid is not the RFC 7638 thumbprint of publicKey`);
  return {
    kid,
    key: importKey(jwk, at),
    notBeforeMs: readInstant(notBefore, Number.NEGATIVE_INFINITY, at),
    notAfterMs: readInstant(notAfter, Number.POSITIVE_INFINITY, at),
  };
}

function importKey(jwk: PublicJwk, at: number): KeyObject {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_TRUST_FILE, `the trust file is refused: key ${at + 1}`, { cause });
  }
}

function readInstant(value: unknown, otherwise: number, at: number): number {
  if (value === undefined) return otherwise;
  const instantMs =
    typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(instantMs)) throw refused(`key ${at + 1}: notBefore and notAfter are RFC 3339 instants in UTC`);
  return instantMs;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_TRUST_FILE, 'the trust file is not JSON', { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_TRUST_FILE, `the trust file is refused: ${what}`);
}
