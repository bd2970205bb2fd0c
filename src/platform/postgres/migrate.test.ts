import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../base/system-ports.ts';
import { migrateUp, migrationStatus } from './migrate.ts';
import { readMigrations } from './migration-files.ts';
import { openPool } from './pool.ts';
import { guardStartUp } from './start-up-guard.ts';

const first = `create function headgate.clock() returns timestamptz language sql stable as 'select clock_timestamp()';
create table headgate.things (id int primary key);
grant select on headgate.things to headgate_app;`;

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ isEmpty: true });
  folder = mkdtempSync(join(tmpdir(), 'headgate-migrations-'));
  writeFileSync(join(folder, '0001_first.sql'), first);
});

afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const options = () => ({ url: database.adminUrl, appPassword: inject('testPostgres').appPassword, ports: systemPorts, folder });
const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql);

describe('migrating', () => {
  it('applies what is pending, once, as the owner role', async () => {
    expect(await migrateUp(options())).toEqual(['0001_first']);
    write('0002_second.sql', '-- minCompatibleVersion: 2\nalter table headgate.things add column name text;');
    expect(await migrateUp(options())).toEqual(['0002_second']);
    expect(await migrateUp(options())).toEqual([]);
    expect(await migrationStatus(database.adminUrl, folder)).toMatchObject({
      schemaVersion: 2,
      minCompatibleVersion: 2,
      programVersion: 2,
      pending: [],
    });
    const { rows } = await database.adminDb.query("/* owner */ select tableowner from pg_tables where schemaname = 'headgate'");
    expect(rows).toEqual([{ tableowner: 'headgate_owner' }, { tableowner: 'headgate_owner' }]);
  });

  it('from several processes at once happens once', async () => {
    write('0002_slow.sql', 'select pg_sleep(0.1); create table headgate.slow (id int)');
    const done = await Promise.all([migrateUp(options()), migrateUp(options()), migrateUp(options())]);
    expect(done.flat().sort()).toEqual(['0001_first', '0002_slow']);
  });

  it('gives up waiting for another process after a bound', async () => {
    const holder = openPool({ url: database.adminUrl, applicationName: 'holder', connectionsMax: 1 });
    await holder.query('/* hold */ select pg_advisory_lock(4720368153)');
    await expect(migrateUp({ ...options(), lockTimeoutMs: 60 })).rejects.toMatchObject({ code: 'E_MIGRATION_BUSY', retryable: true });
    await holder.close();
  });

  it('that fails leaves the earlier files applied and nothing of its own, and names the line', async () => {
    write('0002_broken.sql', 'create table headgate.half (id int);\n\nselect nothing_here;');
    await expect(migrateUp(options())).rejects.toMatchObject({
      code: 'E_MIGRATION_FAILED',
      message: expect.stringMatching(/0002_broken failed, line 3/),
    });
    expect(await migrationStatus(database.adminUrl, folder)).toMatchObject({ schemaVersion: 1, pending: ['0002_broken'] });
    expect((await database.adminDb.query("/* half */ select to_regclass('headgate.half') as half")).rows).toEqual([{ half: null }]);
  });

  it('refuses a database whose migration has other content', async () => {
    await migrateUp(options());
    write('0001_first.sql', `${first} -- edited`);
    await expect(migrateUp(options())).rejects.toMatchObject({ code: 'E_MIGRATION_CHANGED' });
    await expect(migrationStatus(database.adminUrl, folder)).rejects.toMatchObject({ code: 'E_MIGRATION_CHANGED' });
  });

  it('by a role that may not create roles or schemas says so', async () => {
    await migrateUp(options());
    await expect(migrateUp({ ...options(), url: database.url, appPassword: undefined })).rejects.toMatchObject({
      code: expect.stringMatching(/E_MIGRATION_FORBIDDEN|E_DATABASE_FORBIDDEN/),
    });
  });

  it('and starting refuse a database with another encoding than UTF8, and nothing is made there', async () => {
    const name = `${database.name}_ascii`;
    await database.adminDb.query(
      `/* make */ create database ${name} template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'`,
    );
    const at = (url: string) => url.replace(database.name, name);
    await expect(migrateUp({ ...options(), url: at(database.adminUrl) })).rejects.toMatchObject({
      code: 'E_DATABASE_ENCODING',
      message: expect.stringContaining('SQL_ASCII'),
      next: expect.stringContaining("encoding 'UTF8'"),
    });
    expect(await migrationStatus(at(database.adminUrl), folder)).toMatchObject({ schemaVersion: 0, pending: ['0001_first'] });
    const db = openPool({ url: at(database.url), applicationName: 'ascii', connectionsMax: 1 });
    await expect(guardStartUp(db, 1)).rejects.toMatchObject({ code: 'E_DATABASE_ENCODING' });
    await db.close();
    await database.adminDb.query(`/* drop */ drop database ${name} with (force)`);
  });

  it('status of an empty database is that all is pending', async () => {
    expect(await migrationStatus(database.adminUrl, folder)).toEqual({
      schemaVersion: 0,
      minCompatibleVersion: 0,
      programVersion: 1,
      applied: [],
      pending: ['0001_first'],
    });
  });
});

describe('migration files', () => {
  it('are numbered without a gap', () => {
    write('0003_gap.sql', 'select 1');
    expect(() => readMigrations(folder)).toThrow(/should have number 0002/);
  });

  it('are named for their intent', () => {
    write('0002-Wrong.sql', 'select 1');
    expect(() => readMigrations(folder)).toThrow(/not named/);
  });
});

describe('the start-up guard', () => {
  beforeEach(async () => {
    await migrateUp(options());
  });

  it('lets headgate_app run on the schema it knows', async () => {
    expect(await guardStartUp(database.db, 1)).toEqual({ schemaVersion: 1, minCompatibleVersion: 1 });
  });

  it('refuses a superuser and names every fault', async () => {
    await expect(guardStartUp(database.adminDb, 1)).rejects.toMatchObject({
      code: 'E_ROLE_UNSAFE',
      message: expect.stringMatching(/superuser.*row-level security.*create roles.*owns tables/),
    });
  });

  it('refuses the owner of the tables', async () => {
    await expect(guardStartUp(database.ownerDb, 1)).rejects.toMatchObject({ code: 'E_ROLE_UNSAFE' });
  });

  it.each([
    ['bypassrls', 'row-level security'],
    ['createrole', 'create roles'],
    ['superuser', 'superuser'],
  ])('refuses a role with %s, also when it only may become one', async (attribute, fault) => {
    const role = `unsafe_${attribute}_${database.name.slice(-6)}`;
    await database.adminDb.query(`/* make */ create role ${role} ${attribute} nologin`);
    await database.adminDb.query(`/* make */ create role ${role}_member login password 'x'`);
    await database.adminDb.query(`/* make */ grant ${role} to ${role}_member`);
    const url = new URL(database.url);
    url.username = `${role}_member`;
    url.password = 'x';
    const db = openPool({ url: url.href, applicationName: 'unsafe' });
    await expect(guardStartUp(db, 1)).rejects.toMatchObject({ code: 'E_ROLE_UNSAFE', message: expect.stringContaining(fault) });
    await db.close();
    await database.adminDb.query(`/* drop */ drop role ${role}_member`);
    await database.adminDb.query(`/* drop */ drop role ${role}`);
  });

  it('refuses a schema that lacks migrations, and one without any', async () => {
    await expect(guardStartUp(database.db, 2)).rejects.toMatchObject({ code: 'E_SCHEMA_TOO_OLD' });
    await database.adminDb.query('/* empty */ drop table headgate.migrations');
    await expect(guardStartUp(database.db, 1)).rejects.toMatchObject({ code: 'E_SCHEMA_TOO_OLD' });
  });

  it('runs on a newer schema that still supports it, and refuses one that does not', async () => {
    write('0002_expand.sql', 'alter table headgate.things add column a int');
    await migrateUp(options());
    expect(await guardStartUp(database.db, 1)).toMatchObject({ schemaVersion: 2 });
    write('0003_contract.sql', '-- minCompatibleVersion: 2\nalter table headgate.things drop column a');
    await migrateUp(options());
    await expect(guardStartUp(database.db, 1)).rejects.toMatchObject({ code: 'E_SCHEMA_TOO_NEW' });
  });
});
