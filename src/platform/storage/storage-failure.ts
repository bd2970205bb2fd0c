/** Translates the file system's error codes into the product's, once. Nobody above reads driver codes. */
import { HeadgateError } from '../base/errors.ts';
import { systemCode } from '../base/system-code.ts';
import { storageErrors } from './storage-errors.ts';

/** `action` says what was being done, without paths from outside. Errors of the product pass unchanged. */
export function storageFailure(cause: unknown, action: string): HeadgateError {
  if (cause instanceof HeadgateError) return cause;
  const code = systemCode(cause);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new HeadgateError(storageErrors.E_STORAGE_FULL, `no space to ${action} (${code})`, { cause });
    case 'EEXIST':
      return new HeadgateError(storageErrors.E_OBJECT_EXISTS, `cannot ${action}: it exists already`, { cause });
    // Somebody put a link in the store. What a disk or its rights refuse, such as one that was mounted read-only, is mended by an operator, and work waits for that.
    case 'ELOOP':
      return new HeadgateError(storageErrors.E_STORAGE_IO, `cannot ${action} (${code})`, { cause, retryable: false });
    case 'EMFILE':
    case 'ENFILE':
      return new HeadgateError(
        storageErrors.E_STORAGE_IO,
        `cannot ${action}: no file descriptor is left (${code}); raise the limit of open files (ulimit -n)`,
        { cause },
      );
    default:
      return new HeadgateError(storageErrors.E_STORAGE_IO, `cannot ${action} (${code ?? 'unexpected failure'})`, { cause });
  }
}

/** Runs file system calls with their failures translated. */
export function withStorageFailures<T>(action: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw storageFailure(cause, action);
  }
}
