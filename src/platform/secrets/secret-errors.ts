/** What can go wrong with secret references. Messages name the reference, never the value. */
import { defineErrors } from '../base/errors.ts';

export const secretErrors = defineErrors({
  E_SECRET_REFERENCE: {
    meaning: 'A secret reference is neither `env:NAME` nor `file:/absolute/path`.',
    actor: 'author',
    next: 'Put the secret into the environment or a file, and write the reference to it.',
  },
  E_SECRET_NOT_ALLOWED: {
    meaning: 'A connection refers to an environment variable or file that is not meant for connections of its tenant.',
    actor: 'author',
    next: 'Use a variable named `HEADGATE_SECRET_<TENANT>__<NAME>`, or a file below `secrets/<tenant>/` in the data folder or `<tenant>/` in a mounted secret folder (docs/flow-definition.md).',
  },
  E_SECRET_MISSING: {
    meaning: 'The environment variable or file of a secret reference is not there, or it is empty.',
    actor: 'administrator',
    next: 'A file is read again on the next use, once it is written. A variable is seen only by a server that starts after it was set: restart it, or refer to a `file:` instead.',
    retryable: true,
  },
  E_SECRET_PERMISSIONS: {
    meaning: 'A secret file can be read or changed by more users than it should.',
    actor: 'administrator',
    next: 'Run `chmod 600` on it, or list its folder in the setting `mountedSecretFolders` if an orchestrator mounts it.',
  },
  E_SECRET_SIZE: {
    meaning: 'A secret is larger than 64 KiB.',
    actor: 'administrator',
    next: 'Point the reference at the secret itself.',
  },
  E_SECRET_UNREADABLE: {
    meaning: 'A secret file cannot be read, is not a regular file, or keeps changing while it is read.',
    actor: 'administrator',
    next: 'Check the path and the permissions of its folders.',
    retryable: true,
  },
  E_SECRET_UNWRITABLE: {
    meaning: 'A secret that the product generates for itself cannot be written to its file.',
    actor: 'administrator',
    next: 'Check the space and the permissions of the folder of the file.',
  },
});
