import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../test/support/postgres.ts';
import { startTestServer } from '../../test/support/running-server.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { incomingFolder } from '../platform/storage/local-store.ts';
import { createLogger } from '../platform/telemetry/logger.ts';
import { createHealth } from './health-checks.ts';
import type { OpenStorage } from './open-storage.ts';

it('a process whose database takes no writes, as after a failover, is not ready, and is again when it does', async () => {
  const database = await createTestDatabase({ connectionsMax: 1 });
  const set = (setting: string) => database.adminDb.query(`/* set */ alter database ${database.name} ${setting}`);
  const storage = { root: temporaryFolder(), remote: null } as OpenStorage;
  mkdirSync(join(storage.root, incomingFolder), { recursive: true });
  const health = createHealth({
    db: database.db,
    storage,
    ports: systemPorts,
    lackOfSpace: () => undefined,
    isStarted: () => true,
    waitsFor: () => null,
  });
  const faults = async () => (await health.check()).filter(({ isOk }) => !isOk);
  await set('set default_transaction_read_only to on');
  expect(await faults()).toEqual([{ name: 'database', isOk: false, detail: 'E_DATABASE_READ_ONLY' }]);

  await set('reset default_transaction_read_only');
  // What a session was told stays with it: the first write that is refused gives it up.
  await expect(database.db.query('/* write */ delete from headgate.work_items where false')).rejects.toMatchObject({
    code: 'E_DATABASE_READ_ONLY',
  });
  expect(await faults()).toEqual([]);
  await database.drop();
});

it('a start with a database that takes no writes says so, with the code and what to do', async () => {
  const database = await createTestDatabase({ connectionsMax: 1 });
  await database.adminDb.query(`/* set */ alter database ${database.name} set default_transaction_read_only to on`);
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
  const server = await startTestServer(database, { roles: 'api' }, logger);
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      message: 'headgate waits for a database that takes writes',
      error: expect.objectContaining({ code: 'E_DATABASE_READ_ONLY' }),
      next: expect.stringContaining('Point HEADGATE_DATABASE_URL to the primary'),
    }),
  );
  expect((await server.request('/readyz')).status).toBe(503);
  await server.stop();
  await database.drop();
});
