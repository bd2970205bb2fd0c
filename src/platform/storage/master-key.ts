/**
 * Where master keys come from: secret references (`env:NAME`, `file:/path`, 32 bytes in base64), or, for the embedded
 * default, a key file that is generated once. Losing a generated key loses every object sealed under it, so a missing file
 * beside existing objects is an error and never the reason to make a new key.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import type { Rng } from '../base/ports.ts';
import { writePrivateFileOnce } from '../secrets/private-file.ts';
import type { Secret } from '../secrets/secret.ts';
import { createSecretFiles } from '../secrets/secret-files.ts';
import { parseSecretReference } from '../secrets/secret-references.ts';
import type { SecretResolver } from '../secrets/secret-resolver.ts';
import { dataKeyBytes, type MasterKey } from './data-keys.ts';
import { keyErrors } from './key-errors.ts';

export interface MasterKeyReference {
  readonly version: number;
  readonly reference: string;
}

const entryPattern = /^(?:([1-9][0-9]{0,8})=)?((?:env|file):.+)$/;

/**
 * Reads the setting: `env:NAME` (version 1), or several versions as `1=env:OLD,2=file:/run/secrets/new`; the highest seals
 * new objects. Fails with E_KEY_FORMAT, E_SECRET_REFERENCE.
 */
export function parseMasterKeyReferences(text: string): MasterKeyReference[] {
  const references = text.split(',').map((entry) => {
    const match = entryPattern.exec(entry.trim());
    if (match === null)
      throw new HeadgateError(keyErrors.E_KEY_FORMAT, 'a master key must be given as a secret reference, or several as version=reference');
    parseSecretReference(match[2]!);
    return { version: Number(match[1] ?? 1), reference: match[2]! };
  });
  if (new Set(references.map((entry) => entry.version)).size !== references.length) {
    throw new HeadgateError(keyErrors.E_KEY_FORMAT, 'two master keys have the same version');
  }
  return references;
}

/** Fails with E_SECRET_… and E_KEY_FORMAT. */
export function loadMasterKeys(references: readonly MasterKeyReference[], secrets: SecretResolver): MasterKey[] {
  return references.map(({ version, reference }) => ({ version, bytes: decodeKey(secrets.resolve(reference)) }));
}

/**
 * The key of the embedded default at `path`, generated on the first start. `hasObjects`: the store holds objects already;
 * then a missing file is E_KEY_FILE. Fails with E_SECRET_PERMISSIONS when anyone but the owner may read the file.
 */
export function loadEmbeddedMasterKey(settings: { readonly path: string; readonly hasObjects: boolean; readonly rng: Rng }): MasterKey {
  const { path, hasObjects, rng } = settings;
  if (!existsSync(path)) {
    if (hasObjects) throw new HeadgateError(keyErrors.E_KEY_FILE, `the master key file ${path} is missing, but sealed objects exist`);
    writePrivateFileOnce(path, `${Buffer.from(rng.bytes(dataKeyBytes)).toString('base64')}\n`, rng);
  }
  const file = createSecretFiles({ ownerOnly: true });
  return { version: 1, bytes: decodeKey(file.read(path)) };
}

/** Whether a local store at `root` holds objects, which a generated key has sealed. */
export function hasSealedObjects(root: string, cell: string): boolean {
  try {
    return readdirSync(join(root, cell)).length > 0;
  } catch {
    return false;
  }
}

/** 16 hex digits that tell master keys apart without showing them; for `doctor` and for the people who keep the copies. */
export function masterKeyId(key: MasterKey): string {
  return createHash('sha256').update('headgate master key id\0').update(key.bytes).digest('hex').slice(0, 16);
}

function decodeKey(secret: Secret): Uint8Array {
  const text = secret.reveal().trim();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== dataKeyBytes || bytes.toString('base64') !== text) {
    throw new HeadgateError(keyErrors.E_KEY_FORMAT, 'a master key is not 32 bytes in base64');
  }
  return new Uint8Array(bytes);
}
