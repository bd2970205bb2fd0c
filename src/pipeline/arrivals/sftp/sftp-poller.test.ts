import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFence } from '../../../../test/support/open-fence.ts';
import { openSecrets } from '../../../../test/support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { delimitedFormat } from '../../formats/delimited/delimited-format.ts';
import type { Format } from '../../formats/format.ts';
import { createAdmission } from '../admission.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import { createWorld, noBlobs, type World } from '../arrivals.fixture.ts';
import { createFileIntake } from '../file-intake.ts';
import { createDirectIntakeStore } from '../intake-store.ts';
import { againInMs } from '../source-failures.ts';
import { createSourcePoller } from '../source-poller.ts';
import { createSftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('servers that are dead', () => {
  it('take four polls of their tenant at most, and delay no source of another', async () => {
    const sockets = new Set<Socket>();
    let entered = 0;
    const mute = createServer((socket) => {
      entered += 1;
      sockets.add(socket.on('error', () => {}));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as { port: number };
    const dead = await createSftpWorld(database, {
      host: '127.0.0.1',
      port,
      username: 'u',
      hostKey: { publicKey: anyKey, privateKey: '' },
    });
    dead.setServer({ privateKey: null, password: `file:${dead.secretFile}` });
    for (let source = 0; source < 20; source++)
      await database.adminDb.query(
        "/* plant schedule */ insert into headgate.source_schedules (tenant_id, flow_id, source_id, due_at) values ($1, $2, $3, headgate.clock() - interval '1 hour')",
        [dead.tenantId, dead.flow.flowId, `dead-${source}`],
      );
    const alive = await createWorld(database);
    alive.put('a.csv', 'x,1.00\n');
    const poller = startPoller({ [dead.tenantId]: dead, [alive.tenantId]: alive }, dead.sftp, alive);
    await vi.waitUntil(() => alive.names().length === 0 && entered >= 4, { timeout: 60_000 });
    expect(entered).toBe(4);
    dead.sftp.close();
    for (const socket of sockets) socket.destroy();
    await poller.stop();
  });
});

it('a server is tried again at growing intervals, refused credentials at longer ones, a folder as before', () => {
  const again = (code: keyof typeof arrivalErrors) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((failures) => againInMs(new HeadgateError(arrivalErrors[code], 'x'), failures) / 1_000);
  expect(again('E_SOURCE_UNREACHABLE')).toEqual([5, 10, 20, 40, 60, 60, 60, 60, 60]);
  expect(again('E_SOURCE_CREDENTIALS')).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  expect(new Set(again('E_SOURCE'))).toEqual(new Set([5]));
  expect(againInMs(new Error('a fault of ours'), 7)).toBe(5_000);
});

const anyKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';

function startPoller(worlds: Readonly<Record<string, World>>, sftp: Parameters<typeof createSourcePoller>[0]['sftp'], storing: World) {
  const store = createDirectIntakeStore({
    store: storing.store.store,
    formats: [delimitedFormat as unknown as Format],
    ids: systemPorts.ids,
  });
  const poller = createSourcePoller({
    db: database.db,
    ports: systemPorts,
    intake: createFileIntake({
      db: database.db,
      ports: systemPorts,
      store,
      createJobs: async () => {},
      secrets: openSecrets(),
      chunkBytes: 1_000,
    }),
    admission: createAdmission(),
    plans: {
      ...storing.plans,
      bySource: async (tx, flowId, sourceId) => worlds[tx.tenantId]?.plans.bySource(tx, flowId, sourceId),
    },
    folders: openFence,
    sftp,
    blobs: noBlobs,
    workerId: systemPorts.ids.next(),
    lackOfSpace: () => undefined,
    onError: () => {},
  });
  poller.start();
  return poller;
}
