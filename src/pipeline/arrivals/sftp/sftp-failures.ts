/** What failures of SFTP mean for a source. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { SftpFailure, type SftpFailureKind } from '../../../platform/sftp/sftp-failure.ts';
import { arrivalErrors } from '../arrival-errors.ts';

const codes: Readonly<Record<SftpFailureKind, keyof typeof arrivalErrors>> = {
  unreachable: 'E_SOURCE_UNREACHABLE',
  timeout: 'E_SOURCE_TIMEOUT',
  slow: 'E_SOURCE_TIMEOUT',
  'host-key': 'E_SOURCE_HOST_KEY',
  algorithms: 'E_SOURCE_ALGORITHMS',
  credentials: 'E_SOURCE_CREDENTIALS',
  lost: 'E_SOURCE_LOST',
  answer: 'E_SOURCE_ANSWER',
  missing: 'E_SOURCE',
  forbidden: 'E_SOURCE_PERMISSION',
  failed: 'E_SOURCE',
};

/** `action` says in words what failed, without a name. What is no failure of SFTP is thrown as it is. */
export function sourceFailure(error: unknown, action: string): unknown {
  if (!(error instanceof SftpFailure)) return error;
  const reason = error.kind === 'missing' ? 'it is not there' : error.message;
  return new HeadgateError(arrivalErrors[codes[error.kind]], `the source failed to ${action}: ${reason}`, { cause: error });
}

export async function withSourceFailures<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sourceFailure(error, action);
  }
}

export function isFailure(error: unknown, ...kinds: readonly SftpFailureKind[]): boolean {
  return error instanceof SftpFailure && kinds.includes(error.kind);
}
