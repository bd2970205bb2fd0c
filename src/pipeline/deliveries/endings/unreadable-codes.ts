/** The codes that say that a batch's own sealed bytes can't be read: the fault is neither its target's nor its records'. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { keyErrors } from '../../../platform/storage/key-errors.ts';
import { storageErrors } from '../../../platform/storage/storage-errors.ts';
import { fileErrors } from '../../engine/engine-errors.ts';

export const unreadableCodes: readonly string[] = [
  storageErrors.E_OBJECT_DAMAGED,
  storageErrors.E_OBJECT_MISSING,
  storageErrors.E_STORAGE_IO,
  keyErrors.E_KEY,
  keyErrors.E_KEY_ERASED,
  keyErrors.E_KEY_VERSION,
  fileErrors.E_SEGMENT,
];

export function isUnreadable(error: unknown): error is HeadgateError {
  return error instanceof HeadgateError && unreadableCodes.includes(error.code);
}
