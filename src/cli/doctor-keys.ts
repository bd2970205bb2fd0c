/**
 * What `headgate doctor` finds of the keys: where they come from, for whom they can be read, and that they are such, by
 * reading them as `serve` does. Nothing of their content enters a finding, and none is made.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEmbeddedSigningKey, readSigningKey } from '../pipeline/ledger/signing-key.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { createSecretFiles } from '../platform/secrets/secret-files.ts';
import { isBelow, parseSecretReference } from '../platform/secrets/secret-references.ts';
import { createSecretResolver } from '../platform/secrets/secret-resolver.ts';
import { hasSealedObjects, loadEmbeddedMasterKey, loadMasterKeys, parseMasterKeyReferences } from '../platform/storage/master-key.ts';
import { checkPrivate, type Finding, failed, failedBy, isReadable, ok } from './doctor-checks.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Referenced {
  readonly name: string;
  readonly reference: string;
  readonly read: () => unknown;
}

interface Generated {
  readonly name: string;
  readonly path: string;
  readonly read: () => unknown;
  /** It must be there: what it sealed is. */
  readonly isMissed?: boolean;
}

export async function checkKeys(settings: Settings, env: Environment): Promise<Finding[]> {
  const findings = [...checkMasterKeys(settings, env), ...checkSigningKey(settings, env), ...(await checkSftpHostKey(settings, env))];
  const access = join(settings.dataDir, 'postgres-access.json');
  return existsSync(access) ? [...findings, checkPrivate('postgres-access.json', access)] : findings;
}

function checkMasterKeys(settings: Settings, env: Environment): Finding[] {
  const name = 'master key';
  const { dataDir, masterKey, cell } = settings;
  if (masterKey === undefined) {
    const [path, hasObjects] = [join(dataDir, 'master.key'), hasSealedObjects(join(dataDir, 'objects'), cell)];
    return checkGenerated({
      name,
      path,
      isMissed: hasObjects,
      read: () => loadEmbeddedMasterKey({ path, hasObjects, rng: systemPorts.rng }),
    });
  }
  try {
    const secrets = resolverOf(settings, env);
    return parseMasterKeyReferences(masterKey).map((entry) =>
      checkReferenced({ name, reference: entry.reference, read: () => loadMasterKeys([entry], secrets) }, settings, env),
    );
  } catch (error) {
    return [failedBy(name, error)];
  }
}

function checkSigningKey(settings: Settings, env: Environment): Finding[] {
  const name = 'signing key';
  const { dataDir, signingKey: reference } = settings;
  const path = join(dataDir, 'signing.pem');
  if (reference === undefined) return checkGenerated({ name, path, read: () => loadEmbeddedSigningKey(path, systemPorts.rng) });
  const read = () => readSigningKey(resolverOf(settings, env).resolve(reference));
  return [checkReferenced({ name, reference, read }, settings, env)];
}

/** Of the role `sftp`: its driver is loaded only where it is wanted. */
async function checkSftpHostKey(settings: Settings, env: Environment): Promise<Finding[]> {
  if (!settings.roles.includes('sftp')) return [];
  const name = 'SFTP host key';
  const { loadSftpHostKey, sftpHostKeyPath } = await import('../pipeline/arrivals/sftp-server/sftp-host-key.ts');
  const read = () => loadSftpHostKey(settings, env, systemPorts.rng);
  const reference = settings.sftpHostKey;
  if (reference === undefined) return checkGenerated({ name, path: sftpHostKeyPath(settings.dataDir), read });
  return [checkReferenced({ name, reference, read }, settings, env)];
}

function resolverOf({ mountedSecretFolders }: Settings, env: Environment) {
  return createSecretResolver({ env, files: createSecretFiles({ mountedFolders: mountedSecretFolders }), limits: null });
}

function checkGenerated({ name, path, read, isMissed = false }: Generated): Finding[] {
  const isThere = existsSync(path);
  if (isThere || isMissed) return [sound(isThere ? checkPrivate(name, path) : ok(name, path), read)];
  return [ok(name, 'a generated one in the data folder is used')];
}

function checkReferenced({ name, reference, read }: Referenced, settings: Settings, env: Environment): Finding {
  try {
    return sound(checkPlace(name, reference, settings, env), read);
  } catch (error) {
    return failedBy(name, error);
  }
}

/** Fails with E_SECRET_REFERENCE. */
function checkPlace(name: string, text: string, { mountedSecretFolders }: Settings, env: Environment): Finding {
  const reference = parseSecretReference(text);
  if (reference.kind === 'env') {
    const variable = reference.name;
    return env[variable]
      ? ok(name, `comes from the variable ${variable}`)
      : failed(name, `the variable ${variable} is not set`, `Set ${variable}, or correct the reference.`);
  }
  const { path } = reference;
  if (!existsSync(path)) return failed(name, `the file ${path} does not exist`, 'Put the key there, or correct the reference.');
  const isMounted = isReadable(path) && mountedSecretFolders.some((folder) => isBelow(folder, path));
  return isMounted ? ok(name, `${path} is in a folder of mounted secrets`) : checkPrivate(name, path);
}

/** The finding of its place, unless what is there can't be used. */
function sound(place: Finding, read: () => unknown): Finding {
  if (place.result === 'failed') return place;
  try {
    read();
    return place;
  } catch (error) {
    // Another's words might quote what was read.
    if (error instanceof HeadgateError) return failedBy(place.check, error);
    return failed(place.check, 'what is there is no such key', 'Give one as docs/reference/settings.md says.');
  }
}
