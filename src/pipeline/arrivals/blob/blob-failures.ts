/** What failures of blob services mean for a source. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { BlobFailure, type BlobFailureKind } from '../../../platform/blob/blob-failure.ts';
import { arrivalErrors } from '../arrival-errors.ts';

const codes: Readonly<Record<BlobFailureKind, keyof typeof arrivalErrors>> = {
  unreachable: 'E_SOURCE_UNREACHABLE',
  timeout: 'E_SOURCE_TIMEOUT',
  credentials: 'E_SOURCE_CREDENTIALS',
  busy: 'E_SOURCE_BUSY',
  answer: 'E_SOURCE_ANSWER',
  lost: 'E_SOURCE_LOST',
  missing: 'E_SOURCE',
  'container-missing': 'E_SOURCE',
  forbidden: 'E_SOURCE_PERMISSION',
  changed: 'E_SOURCE',
  exists: 'E_SOURCE',
  failed: 'E_SOURCE',
};

/** `action` says in words what failed, without a name. What the judge of addresses said, and what is no failure of a service, passes as it is. */
export async function withSourceFailures<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BlobFailure)) throw error;
    if (error.cause instanceof HeadgateError) throw error.cause;
    throw new HeadgateError(arrivalErrors[codes[error.kind]], `the source failed to ${action}: ${error.message}`, { cause: error });
  }
}

export function isFailure(error: unknown, ...kinds: readonly BlobFailureKind[]): boolean {
  return error instanceof BlobFailure && kinds.includes(error.kind);
}
