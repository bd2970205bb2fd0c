/** The file system's errors as outcomes. Messages name the folder, which is a setting, and no file: their names come from senders. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { systemCode } from '../../../platform/base/system-code.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';

type FailedOutcome = Exclude<DeliveryOutcome, { kind: 'acked' }>;

/** Of a root for want of which something failed: the uppermost folder of its path that is missing; null where it is there. */
export async function missingPart(error: unknown, root: string): Promise<string | null> {
  if ((error as { code?: unknown }).code !== 'ENOENT') return null;
  let missing: string | null = null;
  for (let path = root; path !== dirname(path) && (await isMissing(path)); path = dirname(path)) missing = path;
  return missing;
}

async function isMissing(path: string): Promise<boolean> {
  return await stat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/** Of a path: nothing lies there. */
export function isNotThere(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Of `link`: no file has the name for it. Other errors of a file system, which may be a network's, leave that open. */
export function isLinkRefused(error: unknown): boolean {
  return refusedLinks.has(systemCode(error));
}

/** The first three: a file system without hard links. */
const refusedLinks: ReadonlySet<unknown> = new Set([
  'EPERM',
  'ENOTSUP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
  'EACCES',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOSPC',
  'EDQUOT',
]);

/**
 * `isNamed`: the file can already be there. `missing`: the part of the root that is not. Exhaustive over what a local file system answers; anything else may
 * pass, because the batch is the same next time. Rethrows what is no system error.
 */
export function fileFailure(
  error: unknown,
  {
    isNamed,
    folder,
    missing = null,
    signal,
  }: { readonly isNamed: boolean; readonly folder: string; readonly missing?: string | null; readonly signal?: AbortSignal },
): FailedOutcome {
  const outcome = (code: string, message: string, isFinal = false): FailedOutcome =>
    isNamed ? { kind: 'unknown', code, message } : { kind: 'refused', retryable: !isFinal, code, message };
  if (signal?.aborted) return outcome(connectorErrors.E_TARGET_TIMEOUT, 'the file was not written in time');
  if (error instanceof HeadgateError) return outcome(error.code, error.message, !error.retryable);
  const code = systemCode(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
  if (missing !== null) return outcome(connectorErrors.E_TARGET_SETUP, `"${missing}" in the root of the connection is missing: a mount?`);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return outcome(connectorErrors.E_TARGET_FULL, `the file system has no space (${code})`);
    case 'EACCES':
    case 'EPERM':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EROFS':
    case 'ELOOP':
    case 'ENOTSUP':
    case 'ENOSYS':
    case 'EXDEV':
      return outcome(connectorErrors.E_TARGET_SETUP, `the folder "${folder}" is not there or can't be written (${code})`);
    case 'ENAMETOOLONG':
    case 'EINVAL':
    case 'EILSEQ':
      return outcome(connectorErrors.E_TARGET, `the file system refuses the name of the file (${code})`, true);
    default:
      return outcome(connectorErrors.E_TARGET_BUSY, `the file system failed (${code})`);
  }
}
