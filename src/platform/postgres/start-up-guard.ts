/**
 * Refuses to run where tenants would not be kept apart, texts not be kept, or the schema would not fit: a role that is
 * superuser, BYPASSRLS, CREATEROLE or an owner; a server older than 17; an encoding other than UTF8; a schema too old or too
 * new. `serve` calls it before anything else.
 */
import { HeadgateError } from '../base/errors.ts';
import type { Queryable } from './database.ts';
import { roleNames } from './database-roles.ts';
import { migrationErrors } from './migration-errors.ts';
import { readMigrations } from './migration-files.ts';

interface RoleFacts {
  readonly role: string;
  readonly serverVersion: number;
  readonly encoding: string;
  readonly isSuperuser: boolean;
  readonly bypassesRls: boolean;
  readonly createsRoles: boolean;
  readonly isOwner: boolean;
  readonly isMemberOfOwner: boolean;
  readonly hasMigrations: boolean;
}

const selectRoleFacts = `/* start-up guard */
select current_user as role,
       current_setting('server_version_num')::int as "serverVersion",
       current_setting('server_encoding') as encoding,
       bool_or(r.rolsuper) as "isSuperuser",
       bool_or(r.rolbypassrls) as "bypassesRls",
       bool_or(r.rolcreaterole) as "createsRoles",
       exists (select from pg_class c where c.relnamespace = to_regnamespace('headgate') and pg_has_role(c.relowner, 'member')) as "isOwner",
       coalesce((select pg_has_role(o.oid, 'member') from pg_roles o where o.rolname = $1), false) as "isMemberOfOwner",
       exists (select from pg_class c where c.relnamespace = to_regnamespace('headgate') and c.relname = 'migrations') as "hasMigrations"
from pg_roles r
where pg_has_role(r.oid, 'member')`;

const selectSchemaVersions = `/* schema versions */
select coalesce(max(number), 0) as "schemaVersion",
       coalesce((array_agg(min_compatible_version order by number desc))[1], 0) as "minCompatibleVersion"
from headgate.migrations`;

export interface SchemaVersions {
  readonly schemaVersion: number;
  readonly minCompatibleVersion: number;
}

/** Rejects with E_DATABASE_ENCODING. */
export function assertEncoding(encoding: string): void {
  if (encoding !== 'UTF8')
    throw new HeadgateError(migrationErrors.E_DATABASE_ENCODING, `the database has the encoding ${encoding}; it must be UTF8`);
}

/** Rejects with E_ROLE_UNSAFE, E_DATABASE_VERSION, E_DATABASE_ENCODING, E_SCHEMA_TOO_OLD or E_SCHEMA_TOO_NEW. Every fault of the role is named. */
export async function guardStartUp(db: Queryable, programVersion = readMigrations().length): Promise<SchemaVersions> {
  const facts = (await db.query<RoleFacts>(selectRoleFacts, [roleNames.owner])).rows[0]!;
  if (facts.serverVersion < 170_000) {
    throw new HeadgateError(
      migrationErrors.E_DATABASE_VERSION,
      `the server has version ${Math.floor(facts.serverVersion / 10_000)}; 17 is the oldest supported`,
    );
  }
  assertEncoding(facts.encoding);
  const faults = [
    facts.isSuperuser && 'is (or can become) a superuser',
    facts.bypassesRls && 'bypasses row-level security',
    facts.createsRoles && 'may create roles',
    (facts.isOwner || facts.isMemberOfOwner) && 'owns tables or is a member of their owner',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw new HeadgateError(migrationErrors.E_ROLE_UNSAFE, `the database role ${facts.role} ${faults.join(', ')}`);
  const versions = facts.hasMigrations
    ? (await db.query<SchemaVersions>(selectSchemaVersions)).rows[0]!
    : { schemaVersion: 0, minCompatibleVersion: 0 };
  if (versions.schemaVersion < programVersion) {
    throw new HeadgateError(
      migrationErrors.E_SCHEMA_TOO_OLD,
      `the schema has version ${versions.schemaVersion}, this program needs ${programVersion}`,
    );
  }
  if (versions.minCompatibleVersion > programVersion) {
    throw new HeadgateError(
      migrationErrors.E_SCHEMA_TOO_NEW,
      `the schema has version ${versions.schemaVersion} and needs a program that knows version ${versions.minCompatibleVersion}; this one knows ${programVersion}`,
    );
  }
  return versions;
}
