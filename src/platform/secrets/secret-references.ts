/**
 * References to secrets, as settings and connections write them: `env:NAME` or `file:/absolute/path`. Pure text: what a
 * reference leads to is `secret-resolver.ts`.
 */
import { isAbsolute, normalize, sep } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import { secretErrors } from './secret-errors.ts';

export type SecretReference = { readonly kind: 'env'; readonly name: string } | { readonly kind: 'file'; readonly path: string };

const environmentName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const pathCharactersMax = 1024;

/** Null for text that is no reference. */
export function readSecretReference(text: string): SecretReference | null {
  if (text.startsWith('env:')) {
    const name = text.slice(4);
    return environmentName.test(name) ? { kind: 'env', name } : null;
  }
  if (!text.startsWith('file:')) return null;
  const path = text.slice(5);
  const isSound = isAbsolute(path) && path.length <= pathCharactersMax && !path.includes('\0') && normalize(path) === path;
  return isSound ? { kind: 'file', path } : null;
}

/** Fails with E_SECRET_REFERENCE. The text is not repeated: it may be the secret itself, written in the wrong place. */
export function parseSecretReference(text: string): SecretReference {
  const reference = readSecretReference(text);
  if (reference === null)
    throw new HeadgateError(secretErrors.E_SECRET_REFERENCE, 'a secret must be given as env:NAME or file:/absolute/path');
  return reference;
}

/** By path text; both are normalized. */
export function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
