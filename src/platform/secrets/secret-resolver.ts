/**
 * Resolves secret references at the moment of use. A file is read again whenever it changed, so a rotated secret needs no
 * restart where it is resolved at each use; values stay in memory only. The administrator's own settings have no limits; those of connections are in
 * `connection-secrets.ts`.
 */
import { HeadgateError } from '../base/errors.ts';
import { Secret } from './secret.ts';
import { secretErrors } from './secret-errors.ts';
import { createSecretFiles, type SecretFiles, secretBytesMax, withoutLineEnd } from './secret-files.ts';
import { parseSecretReference, type SecretReference } from './secret-references.ts';

export interface SecretResolverSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its own, unless several resolvers share what was read. */
  readonly files?: SecretFiles;
  /** Null: no limit, for the administrator's own settings. */
  readonly limits: SecretLimits | null;
}

export interface SecretLimits {
  /** Why the reference may not be followed; undefined when it may. */
  refusal(reference: SecretReference): string | undefined;
  /** Files really lie below one of these, links followed. */
  readonly folders: readonly string[];
}

export interface SecretResolver {
  /** Fails with E_SECRET_REFERENCE, _NOT_ALLOWED, _MISSING, _PERMISSIONS, _SIZE, _UNREADABLE. One trailing line end is not part of the secret. */
  resolve(reference: string): Secret;
}

export function createSecretResolver({ env, files = createSecretFiles(), limits }: SecretResolverSettings): SecretResolver {
  return {
    resolve(text) {
      const reference = parseSecretReference(text);
      const refusal = limits?.refusal(reference);
      if (refusal !== undefined) throw new HeadgateError(secretErrors.E_SECRET_NOT_ALLOWED, refusal);
      if (reference.kind === 'file') return files.read(reference.path, limits?.folders);
      const value = Buffer.from(env[reference.name] ?? '');
      const content = withoutLineEnd(value);
      if (content.length === 0)
        throw new HeadgateError(secretErrors.E_SECRET_MISSING, `the environment variable ${reference.name} is not set`);
      if (value.length > secretBytesMax)
        throw new HeadgateError(secretErrors.E_SECRET_SIZE, `the environment variable ${reference.name} is larger than 64 KiB`);
      return new Secret(content);
    },
  };
}
