import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { resolveCommit } from './commit-outcome.ts';
import type { Db } from './database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { openPool } from './pool.ts';
import { stopPostmaster } from './postmaster.ts';

let root: string;
let server: EmbeddedPostgres;
let db: Db;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'headgate-outcome-'));
  server = await startEmbeddedPostgres({ dataDir: join(root, 'data'), ports: systemPorts });
  db = openPool({ url: server.adminUrl('postgres'), applicationName: 'test', connectionsMax: 4 });
});
afterEach(async () => {
  await db.close();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** A transaction that has its number, and that the crash of the server ends before anything of it is on the disk. */
async function crashDuringTransaction(crash: () => Promise<void>): Promise<string> {
  let lost: string | undefined;
  await expect(
    db.transaction(async (tx) => {
      lost = tx.xid;
      await crash();
      await tx.query('/* fail */ select 1');
    }),
  ).rejects.toMatchObject({ code: 'E_DATABASE_UNREACHABLE' });
  await vi.waitUntil(() => db.query('/* ask */ select 1').catch(() => null), { timeout: 60_000, interval: 50 });
  return lost!;
}

const isReady = () => vi.waitUntil(() => db.query('/* ask */ select 1').catch(() => null), { timeout: 60_000, interval: 50 });

/** What the server now says of the number alone: that it was committed, by somebody else. */
async function commitUntilReused(lost: string): Promise<void> {
  const number = lost.split('/')[0]!;
  for (let last = 0n; last < BigInt(number); ) {
    last = await db.transaction(async (tx) => {
      const { rows } = await tx.query<{ xid: string }>('/* own number */ select pg_current_xact_id()::text as xid');
      return BigInt(rows[0]!.xid);
    });
  }
  const { rows } = await db.query<{ status: string }>('/* look */ select pg_xact_status($1::xid8) as status', [number]);
  expect(rows[0]!.status).toBe('committed');
}

const crashes: [string, () => Promise<void>][] = [
  [
    'the server',
    async () => {
      await stopPostmaster(server.folder, systemPorts, 'immediate');
      await server.revive();
    },
  ],
  [
    'one of its processes',
    async () => {
      const { rows } = await db.query<{ pid: number }>('/* own process */ select pg_backend_pid() as pid');
      process.kill(rows[0]!.pid, 'SIGKILL');
      await vi.waitUntil(
        () =>
          db.query('/* ask */ select 1').then(
            () => false,
            () => true,
          ),
        { timeout: 60_000, interval: 1 },
      );
      await isReady();
    },
  ],
];

it.each(crashes)('a number that is given again after a crash of %s does not make a lost transaction a committed one', async (_, crash) => {
  const lost = await crashDuringTransaction(crash);
  await commitUntilReused(lost);
  expect(await resolveCommit(db, lost, { ports: systemPorts })).toBe('unknown');
});

it('a number that was not given again after a crash is that of an aborted transaction', async () => {
  let last: string | undefined;
  const lost = await crashDuringTransaction(async () => {
    // Many numbers ahead of what the server will have given by the time it is asked.
    for (let at = 0; at < 50; at++) last = await db.transaction(async (tx) => tx.xid);
    await crashes[0]![1]();
  });
  expect(await resolveCommit(db, last, { ports: systemPorts })).not.toBe('committed');
  expect(await resolveCommit(db, lost, { ports: systemPorts })).not.toBe('committed');
});

it('a transaction that was committed in this run of the server is committed', async () => {
  await db.query('/* make */ create table notes (id int)');
  const xid = await db.transaction(async (tx) => {
    await tx.query('/* add */ insert into notes values (1)');
    return tx.xid;
  });
  expect(await resolveCommit(db, xid, { ports: systemPorts })).toBe('committed');
});
