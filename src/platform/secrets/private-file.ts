/**
 * Writes a secret that the product generated itself into a file only its owner can read: durable before it is used, and
 * never over an existing one, so that two processes that start at once end up with the same secret.
 */
import { closeSync, constants, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createDurableFolders, fsyncFolder } from '../base/durable-folders.ts';
import { HeadgateError } from '../base/errors.ts';
import type { Rng } from '../base/ports.ts';
import { secretErrors } from './secret-errors.ts';

/** False when the file exists already; it is then left as it is. Makes missing folders. */
export function writePrivateFileOnce(path: string, content: string, rng: Rng): boolean {
  const temporary = `${path}.${Buffer.from(rng.bytes(8)).toString('hex')}.new`;
  try {
    createDurableFolders(dirname(path));
    const descriptor = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return linkOnce(temporary, path);
  } catch (cause) {
    throw new HeadgateError(secretErrors.E_SECRET_UNWRITABLE, `cannot write the secret file ${path}`, { cause });
  }
}

function linkOnce(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    fsyncFolder(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}
