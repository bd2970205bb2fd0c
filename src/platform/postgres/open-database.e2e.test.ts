import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { migrateUp } from './migrate.ts';
import { readMigrations } from './migration-files.ts';
import { openDatabase } from './open-database.ts';
import { openPool } from './pool.ts';
import { findPostmaster } from './postmaster.ts';
import { retryTransient } from './transient-retry.ts';

let dataDir: string;
const options = () => ({ dataDir, applicationName: 'open test', ports: systemPorts });

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'headgate-open-'));
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

it('the first start makes cluster, roles, schema and partitions; the second finds them', async () => {
  const first = await openDatabase(options());
  const { rows } = await first.db.query('/* who */ select current_user as role, (select max(number) from headgate.migrations) as version');
  expect(rows).toEqual([{ role: 'headgate_app', version: readMigrations().length }]);
  const partitions = await first.db.query<{ n: number }>(
    "/* partitions */ select count(*)::int as n from pg_class where relname ~ '^jobs_\\d{4}q\\d$'",
  );
  expect(partitions.rows[0]!.n).toBe(2);
  await first.close();
  expect(findPostmaster(join(dataDir, 'postgres'))).toBeUndefined();
  const second = await openDatabase(options());
  expect(second.embedded!.isAdopted).toBe(false);
  await second.close();
});

it('several first starts at once end with one database', async () => {
  const opened = await Promise.all([openDatabase(options()), openDatabase(options()), openDatabase(options())]);
  for (const { db } of opened) expect((await db.query('/* one */ select 1 as one')).rows).toEqual([{ one: 1 }]);
  for (const each of opened) await each.close();
  expect(findPostmaster(join(dataDir, 'postgres'))).toBeUndefined();
});

it("a server of one's own that was not migrated is refused, and nothing stays open", async () => {
  const embedded = await openDatabase(options());
  const url = embedded.embedded!.appUrl('postgres');
  await expect(openDatabase({ ...options(), databaseUrl: url })).rejects.toMatchObject({ code: 'E_SCHEMA_TOO_OLD' });
  await expect(openDatabase({ ...options(), databaseUrl: embedded.embedded!.adminUrl('headgate') })).rejects.toMatchObject({
    code: 'E_ROLE_UNSAFE',
  });
  await embedded.close();
});

it("a server of one's own is migrated by a database owner with CREATEROLE, without a superuser, and again by a member of the owner role", async () => {
  const embedded = await startEmbeddedPostgres({ dataDir, ports: systemPorts });
  const admin = openPool({ url: embedded.adminUrl('postgres'), applicationName: 'set-up', connectionsMax: 1 });
  const run = (sql: string) => admin.query(`/* set-up */ ${sql}`);
  await run("create role dba login createrole password 'x'");
  await run('create database bank owner dba');
  const url = (role: string) => `postgres://${role}:x@127.0.0.1:${embedded.port}/bank`;
  expect(await migrateUp({ url: url('dba'), appPassword: 'x', ports: systemPorts })).toEqual(
    readMigrations().map(({ number, name }) => `${String(number).padStart(4, '0')}_${name}`),
  );
  await run("create role deputy login password 'x'");
  await run('grant headgate_owner to deputy');
  expect(await migrateUp({ url: url('deputy'), ports: systemPorts })).toEqual([]);
  const opened = await openDatabase({ ...options(), databaseUrl: url('headgate_app') });
  await opened.close();
  await admin.close();
  await embedded.stop();
});

it.each(['SIGKILL', 'SIGQUIT'] as const)(
  'an embedded server that dies (%s) is started again under the running pool, with what was committed',
  async (signal) => {
    const restarted = Promise.withResolvers<unknown>();
    const opened = await openDatabase({ ...options(), onRestart: restarted.resolve });
    const { db, embedded } = opened;
    const tenantId = '01900000-0000-7000-8000-0000000000aa';
    await db.query("/* make tenant */ select headgate.ensure_tenant($1, 'bank', 'gold', 'local', 'local')", [tenantId]);
    const inFlight = db.transaction(async (tx) => {
      await tx.query('/* touch */ select headgate.find_tenant($1)', ['bank']);
      process.kill(findPostmaster(embedded!.folder)!.pid, signal);
      expect(await restarted.promise).toBeUndefined();
      await tx.query('/* touch */ select headgate.find_tenant($1)', ['bank']);
    });
    await expect(inFlight).rejects.toMatchObject({ code: 'E_DATABASE_UNREACHABLE', retryable: true });
    const find = () => db.query('/* touch */ select headgate.find_tenant($1) as id', ['bank']);
    expect((await retryTransient(find, { ports: systemPorts })).rows).toEqual([{ id: tenantId }]);
    await opened.close();
    expect(findPostmaster(embedded!.folder)).toBeUndefined();
  },
);
