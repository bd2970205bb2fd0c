import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { readMigrations } from './migration-files.ts';
import { openDatabase } from './open-database.ts';
import { findPostmaster } from './postmaster.ts';

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
