import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { resolveCommit } from './commit-outcome.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { openPool } from './pool.ts';
import { CommitUnknownError } from './postgres-errors.ts';

const waiting = `/* find waiting */ select pid from pg_stat_activity where wait_event = 'SyncRep'`;

it('a COMMIT whose wait for synchronous replication is cancelled is unknown, not done', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'headgate-sync-'));
  const options = { dataDir, ports: systemPorts, isDurable: false };
  const set = async (url: string, settings: Record<string, string>) => {
    const db = openPool({ url, applicationName: 'set-up', connectionsMax: 1 });
    for (const [name, value] of Object.entries(settings)) await db.query(`/* set */ alter system set ${name} = '${value}'`);
    await db.close();
  };
  const first = await startEmbeddedPostgres(options);
  await set(first.adminUrl('postgres'), {
    wal_level: 'replica',
    max_wal_senders: '2',
    synchronous_commit: 'on',
    synchronous_standby_names: 'nobody',
    client_min_messages: 'error',
  });
  await first.stop();
  const server = await startEmbeddedPostgres(options);
  const db = openPool({ url: server.adminUrl('postgres'), applicationName: 'writer', connectionsMax: 1 });
  const watcher = openPool({ url: server.adminUrl('postgres'), applicationName: 'watcher', connectionsMax: 1 });
  try {
    const committing = db
      .transaction(async (tx) => {
        await tx.query('/* write */ create table written (id int)');
      })
      .catch((error: unknown) => error);
    let pid: number | undefined;
    while (pid === undefined) pid = (await watcher.query<{ pid: number }>(waiting)).rows[0]?.pid;
    await watcher.query('/* cancel wait */ select pg_cancel_backend($1)', [pid]);
    const error = await committing;
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(await resolveCommit(watcher, (error as CommitUnknownError).xid, { ports: systemPorts })).toBe('committed');
  } finally {
    await db.close();
    await watcher.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
