/**
 * Resolves secret references at the moment of use. A file is read again whenever it changed, so a rotated secret needs no
 * restart; values stay in memory only. Connections, which tenants write, reach only what the administrator set apart for
 * them: otherwise a tenant could send the product's own keys to a target of its own.
 */
import { join } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import { Secret } from './secret.ts';
import { secretErrors } from './secret-errors.ts';
import { createSecretFiles, secretBytesMax } from './secret-files.ts';
import { isBelow, parseSecretReference, type SecretReference } from './secret-references.ts';

export interface SecretResolverSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders that an orchestrator mounts secrets into (Kubernetes: links, mode 0644): permissions there are its business. */
  readonly mountedFolders?: readonly string[];
  /** Null: no limit, for the administrator's own settings. */
  readonly limits: SecretLimits | null;
}

/** What connections may refer to. */
export interface SecretLimits {
  /** Environment variables start with one of these. */
  readonly envPrefixes: readonly string[];
  /** Files lie below one of these folders. */
  readonly folders: readonly string[];
}

/** Variables that the administrator sets apart for connections. */
export const connectionEnvPrefix = 'HEADGATE_SECRET_';

/** Folder of the files that the administrator sets apart for connections, in the data folder. */
export function connectionSecretFolder(dataDir: string): string {
  return join(dataDir, 'secrets');
}

/** The limits of connections: `HEADGATE_SECRET_…` and files below these folders. */
export function connectionLimits(folders: readonly string[]): SecretLimits {
  return { envPrefixes: [connectionEnvPrefix], folders };
}

export interface SecretResolver {
  /** Fails with E_SECRET_REFERENCE, _NOT_ALLOWED, _MISSING, _PERMISSIONS, _SIZE, _UNREADABLE. One trailing line end is not part of the secret. */
  resolve(reference: string): Secret;
  /** Fails with E_SECRET_REFERENCE or _NOT_ALLOWED, without looking at the secret. For checking definitions. */
  check(reference: string): void;
}

export function createSecretResolver(settings: SecretResolverSettings): SecretResolver {
  const { env, mountedFolders = [], limits } = settings;
  const files = createSecretFiles({ mountedFolders, folders: limits?.folders ?? null });

  function allowed(text: string): SecretReference {
    const reference = parseSecretReference(text);
    if (limits === null) return reference;
    const isAllowed =
      reference.kind === 'env'
        ? limits.envPrefixes.some((prefix) => reference.name.startsWith(prefix))
        : limits.folders.some((folder) => isBelow(folder, reference.path));
    if (!isAllowed)
      throw new HeadgateError(
        secretErrors.E_SECRET_NOT_ALLOWED,
        `connections may not refer to a secret of this ${reference.kind === 'env' ? 'name' : 'folder'}`,
      );
    return reference;
  }
  return {
    resolve(text) {
      const reference = allowed(text);
      if (reference.kind === 'file') return files.read(reference.path);
      const value = env[reference.name];
      if (value === undefined || value === '')
        throw new HeadgateError(secretErrors.E_SECRET_MISSING, `the environment variable ${reference.name} is not set`);
      if (Buffer.byteLength(value) > secretBytesMax)
        throw new HeadgateError(secretErrors.E_SECRET_SIZE, `the environment variable ${reference.name} is larger than 64 KiB`);
      return new Secret(Buffer.from(value));
    },
    check: (text) => void allowed(text),
  };
}
