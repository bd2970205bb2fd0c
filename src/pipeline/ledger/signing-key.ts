/**
 * The key that signs receipts: Ed25519, named by its RFC 7638 thumbprint. It comes by secret reference, never from the
 * database; the embedded default is generated once into a file that only its owner can read.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Rng } from '../../platform/base/ports.ts';
import { writePrivateFileOnce } from '../../platform/secrets/private-file.ts';
import type { Secret } from '../../platform/secrets/secret.ts';
import { createSecretFiles } from '../../platform/secrets/secret-files.ts';
import { canonicalJson } from './canonical-json.ts';
import { ledgerErrors } from './ledger-errors.ts';

export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** Base64url of the 32 bytes. */
  readonly x: string;
}

export interface SigningKey {
  readonly kid: string;
  readonly publicKey: PublicJwk;
  readonly privateKey: KeyObject;
}

/** Fails with E_SIGNING_KEY. The error does not carry what was read. */
export function readSigningKey(secret: Secret): SigningKey {
  const privateKey = readPem(secret);
  if (privateKey?.asymmetricKeyType !== 'ed25519')
    throw new HeadgateError(ledgerErrors.E_SIGNING_KEY, 'the signing key is not an Ed25519 private key in PEM');
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x: jwk.x! };
  return { kid: thumbprint(publicKey), publicKey, privateKey };
}

function readPem(secret: Secret): KeyObject | null {
  try {
    return createPrivateKey(secret.reveal());
  } catch {
    return null;
  }
}

/** The embedded default at `path`, mode 0600, generated on first use. Fails with E_SECRET_… and E_SIGNING_KEY. */
export function loadEmbeddedSigningKey(path: string, rng: Rng): SigningKey {
  if (!existsSync(path)) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
    writePrivateFileOnce(path, pem as string, rng);
  }
  return readSigningKey(createSecretFiles({ ownerOnly: true }).read(path));
}

/** RFC 7638: SHA-256 of the canonical form of the required members, base64url. */
export function thumbprint(key: PublicJwk): string {
  return createHash('sha256')
    .update(canonicalJson({ crv: key.crv, kty: key.kty, x: key.x }))
    .digest('base64url');
}
