/** Why the folder of a connection is not used. The message names the rule, never what lies in the folder. */
import { defineErrors } from './errors.ts';

export const folderErrors = defineErrors({
  E_FOLDER_NOT_ALLOWED: {
    meaning:
      "The root of a folder connection is not one that the tenant may use: outside the setting `folderRoots`, one of the system's or the product's own folders, or shared with another tenant's connection.",
    actor: 'administrator',
    next: 'Name another folder in the connection, or allow this one with the setting `folderRoots` (docs/operating/folders.md).',
    retryable: true,
  },
});
