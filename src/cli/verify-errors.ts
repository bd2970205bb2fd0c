/** What keeps `headgate verify` from looking at an export at all. What it finds in one is a failed verification, and no error. */
import { defineErrors } from '../platform/base/errors.ts';

export const verifyErrors = defineErrors({
  E_EXPORT_FOLDER: {
    meaning: 'The folder or archive of an export cannot be read, or the folder to write it to is not empty.',
    actor: 'caller',
    next: 'Check the path; name a new folder with --out.',
  },
});
