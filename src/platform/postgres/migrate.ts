/**
 * Brings a database to this program's schema version. One process migrates at a time (a polled advisory lock: a blocking
 * one deadlocks with CREATE INDEX CONCURRENTLY); each file runs in a transaction of its own and is recorded with its hash.
 * Everything is made as headgate_owner. The runner itself makes only the roles, the schema and its own table.
 */
import pg from 'pg';
import { HeadgateError } from '../base/errors.ts';
import type { Clock, Sleep } from '../base/ports.ts';
import { ensureRoles, roleNames } from './database-roles.ts';
import { migrationErrors } from './migration-errors.ts';
import { type Migration, readMigrations } from './migration-files.ts';
import { translatePostgresError } from './postgres-errors.ts';
import { assertEncoding } from './start-up-guard.ts';

export interface MigrateOptions {
  /** A role that may create roles and own the database: the embedded bootstrap user, or HEADGATE_MIGRATION_DATABASE_URL. */
  readonly url: string;
  readonly ports: { readonly clock: Clock; readonly sleep: Sleep };
  /** Set on headgate_app; left out, its password stays as it is. */
  readonly appPassword?: string;
  readonly folder?: string;
  readonly lockTimeoutMs?: number;
  /** For how many calendar quarters, from the current one on, partitions are made; 0 leaves all rows to the default ones. */
  readonly partitionQuarters?: number;
}

export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly minCompatibleVersion: number;
}

export interface MigrationStatus {
  readonly schemaVersion: number;
  readonly minCompatibleVersion: number;
  readonly programVersion: number;
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly string[];
}

/** An arbitrary number that no other program of ours uses. */
const lockKey = '4720368153';

/** Applies what is pending; returns the names applied, in order. Refuses another encoding than UTF8. Idempotent and safe to run from several processes at once. */
export async function migrateUp(options: MigrateOptions): Promise<string[]> {
  const migrations = readMigrations(options.folder);
  return withSession(options.url, async (client) => {
    const encoding = await run(client, "/* check encoding */ select current_setting('server_encoding') as encoding");
    assertEncoding((encoding.rows[0] as { encoding: string }).encoding);
    await lock(client, options);
    await prepare(client, options.appPassword);
    const applied = await readApplied(client);
    checkUnchanged(migrations, applied);
    const done: string[] = [];
    for (const migration of migrations.slice(applied.length)) {
      await apply(client, migration);
      done.push(labelOf(migration));
    }
    await makePartitions(client, options.partitionQuarters ?? 2);
    return done;
  });
}

/** What is applied and what is pending. Changes nothing; works on an empty database. */
export async function migrationStatus(url: string, folder?: string): Promise<MigrationStatus> {
  const migrations = readMigrations(folder);
  return withSession(url, async (client) => {
    const exists = await run(client, "/* find migrations table */ select to_regclass('headgate.migrations') is not null as found");
    const applied = (exists.rows[0] as { found: boolean }).found ? await readApplied(client) : [];
    checkUnchanged(migrations, applied);
    return {
      schemaVersion: applied.length,
      minCompatibleVersion: applied.at(-1)?.minCompatibleVersion ?? 0,
      programVersion: migrations.length,
      applied,
      pending: migrations.slice(applied.length).map(labelOf),
    };
  });
}

function labelOf(migration: { number: number; name: string }): string {
  return `${String(migration.number).padStart(4, '0')}_${migration.name}`;
}

async function withSession<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'headgate migrate', connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw translatePostgresError(error, 'connect');
  }
  try {
    return await fn(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function run(client: pg.Client, sql: string, params?: unknown[]): Promise<pg.QueryResult> {
  try {
    return await client.query(sql, params);
  } catch (error) {
    throw translatePostgresError(error, 'migrate');
  }
}

async function lock(client: pg.Client, options: MigrateOptions): Promise<void> {
  const { clock, sleep } = options.ports;
  const deadlineMs = clock.monotonicMs() + (options.lockTimeoutMs ?? 120_000);
  for (;;) {
    const result = await run(client, '/* lock migrations */ select pg_try_advisory_lock($1::bigint) as locked', [lockKey]);
    if ((result.rows[0] as { locked: boolean }).locked) return;
    if (clock.monotonicMs() > deadlineMs) {
      throw new HeadgateError(migrationErrors.E_MIGRATION_BUSY, 'another process holds the migration lock of this database');
    }
    await sleep.sleep(50);
  }
}

/** Roles are shared by all databases of a server, so that two migrations may meet here: the second attempt finds them made. */
async function prepare(client: pg.Client, appPassword: string | undefined): Promise<void> {
  const queryable = { query: async (sql: string, params: readonly unknown[] = []) => client.query(sql, params as unknown[]) as never };
  for (let attempt = 1; ; attempt++) {
    try {
      await ensureRoles(queryable, appPassword);
      break;
    } catch (error) {
      const { code } = error as { code?: string };
      const isRace = code === '23505' || code === '42710' || code === 'XX000' || code === '40001';
      if (isRace && attempt < 10) continue;
      if (code === '42501') {
        throw new HeadgateError(migrationErrors.E_MIGRATION_FORBIDDEN, 'the role used for migrations may not create roles', {
          cause: error,
        });
      }
      throw translatePostgresError(error, 'create roles');
    }
  }
  await run(
    client,
    `/* allow schema */ do $$ begin execute format('grant create, temporary on database %I to ${roleNames.owner}', current_database()); end $$`,
  );
  await run(client, `/* become owner */ set role ${roleNames.owner}`);
  await run(client, '/* create schema */ create schema if not exists headgate');
  await run(
    client,
    `/* create migrations table */ create table if not exists headgate.migrations (
      number integer primary key,
      name text collate "C" not null,
      sha256 text collate "C" not null,
      min_compatible_version integer not null,
      applied_at timestamptz not null
    )`,
  );
  await run(client, `/* show migrations */ grant usage on schema headgate to ${roleNames.app}, ${roleNames.dispatcher}`);
  await run(client, `/* show migrations */ grant select on headgate.migrations to ${roleNames.app}`);
}

async function readApplied(client: pg.Client): Promise<AppliedMigration[]> {
  const result = await run(
    client,
    `/* list migrations */ select number, name, sha256, min_compatible_version as "minCompatibleVersion"
     from headgate.migrations order by number`,
  );
  return result.rows as AppliedMigration[];
}

/** A database that is ahead of this program is left alone by `migrateUp` too: it has nothing to add. */
function checkUnchanged(migrations: readonly Migration[], applied: readonly AppliedMigration[]): void {
  for (const migration of migrations) {
    const row = applied[migration.number - 1];
    if (row && row.sha256 !== migration.sha256) {
      throw new HeadgateError(migrationErrors.E_MIGRATION_CHANGED, `migration ${labelOf(migration)} was applied with other content`);
    }
  }
}

/** Rows go where their id's time falls, so partitions must be there before their quarter begins. Idempotent. */
async function makePartitions(client: pg.Client, quarters: number): Promise<void> {
  const found = await run(
    client,
    "/* find make_partitions */ select to_regprocedure('headgate.make_partitions(date)') is not null as found",
  );
  if (!(found.rows[0] as { found: boolean }).found) return;
  await run(
    client,
    `/* make partitions */ select headgate.make_partitions((headgate.clock() + n * interval '3 months')::date)
     from generate_series(0, $1::int - 1) n`,
    [quarters],
  );
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query(
      `/* record migration */ insert into headgate.migrations (number, name, sha256, min_compatible_version, applied_at)
       values ($1, $2, $3, $4, headgate.clock())`,
      [migration.number, migration.name, migration.sha256, migration.minCompatibleVersion],
    );
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback').catch(() => {});
    const { code, message, position } = cause as { code?: string; message?: string; position?: string };
    const line = position ? `, line ${migration.sql.slice(0, Number(position)).split('\n').length}` : '';
    throw new HeadgateError(migrationErrors.E_MIGRATION_FAILED, `migration ${labelOf(migration)} failed${line}: ${message} (${code})`, {
      cause,
    });
  }
}
