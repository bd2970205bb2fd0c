import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flattenedVerify, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { systemRng } from '../../platform/base/system-ports.ts';
import { Secret } from '../../platform/secrets/secret.ts';
import { signReceipt, verifyReceiptSignature } from './receipt-signature.ts';
import { loadEmbeddedSigningKey, readSigningKey } from './signing-key.ts';
import { parseTrustFile, printTrustFile } from './trust-file.ts';

const receipt = Buffer.from('{"a":1}');
const newKey = () => loadEmbeddedSigningKey(join(temporaryFolder(), 'signing.pem'), systemRng);
const badSignature = expect.objectContaining({ code: 'E_RECEIPT_SIGNATURE' });
const badKey = expect.objectContaining({ code: 'E_RECEIPT_KEY' });

describe("a receipt's signature", () => {
  test('is verified by a trust file that lists the key, and by a JOSE library', async () => {
    const key = newKey();
    const jws = signReceipt(receipt, key);
    expect(verifyReceiptSignature(receipt, jws, parseTrustFile(printTrustFile([key])), 0)).toBe(key.kid);
    const [header, , signature] = jws.split('.') as [string, string, string];
    const payload = receipt.toString('base64url');
    const checked = await flattenedVerify({ protected: header, payload, signature }, await importJWK({ ...key.publicKey }, 'EdDSA'));
    expect(checked.protectedHeader).toEqual({ alg: 'EdDSA', kid: key.kid, typ: 'headgate-receipt+jws' });
  });

  test('fails when any byte of it or of the receipt changes', () => {
    const key = newKey();
    const trust = parseTrustFile(printTrustFile([key]));
    const jws = signReceipt(receipt, key);
    for (let at = 0; at < jws.length; at++) {
      for (const other of ['A', 'B', '_', '.', ' ']) {
        if (other === jws[at]) continue;
        expect(() => verifyReceiptSignature(receipt, jws.slice(0, at) + other + jws.slice(at + 1), trust, 0), `${at}`).toThrow(/./);
      }
    }
    expect(() => verifyReceiptSignature(receipt, `${jws}\n`, trust, 0)).toThrow(badSignature);
    expect(() => verifyReceiptSignature(Buffer.from('{"a":2}'), jws, trust, 0)).toThrow(badSignature);
  });

  test('of another key, or of no algorithm, is refused', () => {
    const [key, other] = [newKey(), newKey()];
    const trust = parseTrustFile(printTrustFile([key]));
    expect(() => verifyReceiptSignature(receipt, signReceipt(receipt, other), trust, 0)).toThrow(badKey);
    expect(() => verifyReceiptSignature(receipt, signReceipt(receipt, { ...other, kid: key.kid }), trust, 0)).toThrow(badSignature);
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: key.kid })).toString('base64url');
    expect(() => verifyReceiptSignature(receipt, `${none}..${'A'.repeat(86)}`, trust, 0)).toThrow(badSignature);
    expect(() => verifyReceiptSignature(receipt, `${none}..`, trust, 0)).toThrow(badSignature);
  });

  test('counts only for receipts closed while the key was in use', () => {
    const key = newKey();
    const text = JSON.stringify({
      keys: [{ kid: key.kid, publicKey: key.publicKey, notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-12-31T23:59:59Z' }],
    });
    const trust = parseTrustFile(text);
    const jws = signReceipt(receipt, key);
    expect(verifyReceiptSignature(receipt, jws, trust, Date.parse('2026-06-01T00:00:00Z'))).toBe(key.kid);
    for (const closedAt of ['2025-12-31T23:59:59Z', '2027-01-01T00:00:00Z', 'never']) {
      expect(() => verifyReceiptSignature(receipt, jws, trust, Date.parse(closedAt))).toThrow(badKey);
    }
  });
});

describe('a trust file', () => {
  const key = newKey;
  test.each<[string, (good: ReturnType<typeof newKey>) => unknown]>([
    ['an empty list', () => ({ keys: [] })],
    ['a kid that is not the thumbprint', ({ publicKey }) => ({ keys: [{ kid: 'x', publicKey }] })],
    [
      'a key twice',
      ({ kid, publicKey }) => ({
        keys: [
          { kid, publicKey },
          { kid, publicKey },
        ],
      }),
    ],
    ['an unknown member', ({ kid, publicKey }) => ({ keys: [{ kid, publicKey, use: 'enc' }] })],
    ['an unknown member of the document', ({ kid, publicKey }) => ({ keys: [{ kid, publicKey }], version: 2 })],
    ['another kind of key', ({ kid, publicKey }) => ({ keys: [{ kid, publicKey: { ...publicKey, crv: 'X25519' } }] })],
    ['a private key', ({ kid, publicKey }) => ({ keys: [{ kid, publicKey: { ...publicKey, d: 'x' } }] })],
    ['a date without a time', ({ kid, publicKey }) => ({ keys: [{ kid, publicKey, notAfter: '2026-01-01' }] })],
    ['something else', () => []],
  ])('with %s is refused', (_what, make) => {
    expect(() => parseTrustFile(JSON.stringify(make(key())))).toThrow(expect.objectContaining({ code: 'E_TRUST_FILE' }));
  });

  test('that is not JSON is refused', () => {
    expect(() => parseTrustFile('{"keys":')).toThrow(expect.objectContaining({ code: 'E_TRUST_FILE' }));
  });
});

describe('the signing key', () => {
  test('of the embedded default is generated once, for its owner only', () => {
    const path = join(temporaryFolder(), 'keys', 'signing.pem');
    const key = loadEmbeddedSigningKey(path, systemRng);
    expect(loadEmbeddedSigningKey(path, systemRng).kid).toBe(key.kid);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o640);
    expect(() => loadEmbeddedSigningKey(path, systemRng)).toThrow(expect.objectContaining({ code: 'E_SECRET_PERMISSIONS' }));
  });

  test('is refused when it is something else, without showing it', () => {
    expect(() => readSigningKey(new Secret(Buffer.from('CANARY')))).toThrow(
      expect.objectContaining({ code: 'E_SIGNING_KEY', message: 'the signing key is not an Ed25519 private key in PEM' }),
    );
  });
});
