/** What can go wrong between a program and the schema and roles it meets. */
import { defineErrors } from '../base/errors.ts';

export const migrationErrors = defineErrors({
  E_DATABASES_DIFFER: {
    meaning:
      'The settings name one database to be migrated and another one to be used: the one in use would stay as it is. Nothing was changed.',
    actor: 'operator',
    next: 'Name the same database in HEADGATE_MIGRATION_DATABASE_URL and HEADGATE_DATABASE_URL.',
  },
  E_SCHEMA_TOO_OLD: {
    meaning: 'The database lacks migrations that this version of Headgate needs.',
    actor: 'administrator',
    next: 'Run `headgate migrate up` with a role that may change the schema.',
  },
  E_SCHEMA_TOO_NEW: {
    meaning: 'The database was migrated by a newer version of Headgate that this one does not understand.',
    actor: 'administrator',
    next: 'Start a version of Headgate that is at least the one the message names.',
  },
  E_MIGRATION_CHANGED: {
    meaning: 'A migration that was applied has other content than the one this version carries.',
    actor: 'administrator',
    next: 'Install the version of Headgate that migrated this database; migrations never change once released.',
  },
  E_MIGRATION_FAILED: {
    meaning: 'A migration failed and was rolled back; the ones before it stay applied.',
    actor: 'administrator',
    next: 'Mend what the message names and run `headgate migrate up` again.',
  },
  E_MIGRATION_BUSY: {
    meaning: 'Another process is migrating this database and does not finish.',
    actor: 'administrator',
    next: 'Wait for it, or look in pg_stat_activity for the session named "headgate migrate".',
    retryable: true,
  },
  E_MIGRATION_FORBIDDEN: {
    meaning: 'The role used for migrations may not create roles or change the schema.',
    actor: 'administrator',
    next: 'Set HEADGATE_MIGRATION_DATABASE_URL to a role with CREATEROLE that owns the database (or a superuser).',
  },
  E_ROLE_UNSAFE: {
    meaning: 'The database role could step around row-level security or change the schema, so tenants would not be kept apart.',
    actor: 'administrator',
    next: 'Point HEADGATE_DATABASE_URL to headgate_app: no superuser, no BYPASSRLS, no CREATEROLE, owner of nothing.',
  },
  E_DATABASE_VERSION: {
    meaning: 'The PostgreSQL server is older than 17.',
    actor: 'administrator',
    next: 'Use PostgreSQL 17 or 18.',
  },
  E_DATABASE_ENCODING: {
    meaning: 'The database has another encoding than UTF8, so it would not keep every text.',
    actor: 'administrator',
    next: "Make another database, with `template template0 encoding 'UTF8'` (docs/operating/postgresql.md), and migrate that one.",
  },
});
