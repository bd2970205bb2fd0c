import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openFence } from '../../../test/support/open-fence.ts';
import { openSecrets } from '../../../test/support/open-secrets.ts';
import { pack } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { createNotifier } from '../../platform/base/notifier.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { packingNames } from '../../platform/packing/packings.ts';
import { openPool } from '../../platform/postgres/pool.ts';
import { delimitedFormat } from '../formats/delimited/delimited-format.ts';
import type { Format } from '../formats/format.ts';
import { createAdmission } from './admission.ts';
import { createWorld, endAt, noBlobs, noSftp, SimulatedEnd, type World } from './arrivals.fixture.ts';
import { createFileIntake } from './file-intake.ts';
import { createDirectIntakeStore } from './intake-store.ts';
import { createSourcePoller } from './source-poller.ts';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
});

const points = [
  'arrivals.after-seen',
  'arrivals.after-read',
  'arrivals.before-pack',
  'arrivals.before-commit',
  'arrivals.after-commit',
  'arrivals.before-move',
  'arrivals.after-move',
];
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const modes = ['move', 'delete', 'leave', 'mark'] as const;

describe.each(modes)('with a source that will %s files', (afterwards) => {
  it.each(points)('an end at %s loses nothing and reads nothing accepted again', async (point) => {
    world.settings.source = { ...world.settings.source, afterwards, mark: afterwards === 'mark' ? '.taken' : null };
    for (let index = 0; index < 5; index++) world.put(`${index}.csv`, `${index},1.00\n`);
    world.put('big.csv', 'b,1.00\n'.repeat(20_000));
    const isReached = afterwards !== 'leave' || !point.endsWith('move');
    const first = world.poll({ crashPoints: endAt(point) });
    if (isReached) await expect(first).rejects.toBeInstanceOf(SimulatedEnd);
    else await first;
    await world.poll();
    await world.poll();
    expect((await world.files()).map((file) => file.name).sort()).toEqual(['0.csv', '1.csv', '2.csv', '3.csv', '4.csv', 'big.csv']);
    expect((await world.files()).map((file) => file.accepted_number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await world.jobs()).toBe(6);
    const arrivals = await world.arrivals();
    expect(arrivals).toHaveLength(6);
    for (const arrival of arrivals) expect(arrival).toMatchObject({ state: 'accepted', released: afterwards !== 'leave' });
    expect(world.names().filter((name) => name.endsWith('.taken'))).toHaveLength(afterwards === 'mark' ? 6 : 0);
    expect(world.names()).toHaveLength(afterwards === 'leave' || afterwards === 'mark' ? 6 : 0);
  });
});

describe.each(packingNames)('with files packed with %s', (packing) => {
  it.each(points)('an end at %s loses nothing, and keeps each as it came and as it is', async (point) => {
    world.settings.source = { ...world.settings.source, unpack: [packing] };
    const contents = ['a,1.00\n', 'b,1.00\n'.repeat(20_000)];
    for (const content of contents) world.put(`${content[0]}.packed`, pack[packing](content));
    await expect(world.poll({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
    await world.poll();
    await world.poll();
    const files = await world.files();
    expect(files.map(({ name }) => name).sort()).toEqual(['a.packed', 'b.packed']);
    for (const file of files) {
      const content = contents.find((each) => file.name.startsWith(each[0]!))!;
      expect(await world.content(file.object)).toBe(content);
      expect(file.container_object!.sha256).toBe(sha256(pack[packing](content)));
    }
    expect(await world.jobs()).toBe(2);
  });
});

it('a file that replaced an accepted one before it was moved is a new file, and the old one is not touched again', async () => {
  world.put('a.csv', 'x,1.00\n');
  await expect(world.poll({ crashPoints: endAt('arrivals.after-commit') })).rejects.toBeInstanceOf(SimulatedEnd);
  writeFileSync(join(world.folder, 'new'), 'x,2.00\n');
  renameSync(join(world.folder, 'new'), join(world.folder, 'a.csv'));
  await world.poll();
  expect((await world.arrivals()).map(({ name, state, released }) => ({ name, state, released }))).toEqual([
    { name: 'a.csv', state: 'accepted', released: true },
    { name: 'a.csv', state: 'accepted', released: true },
  ]);
  expect(world.inDone()).toEqual(['a.csv']);
});

it('a file that changes while it is read is not accepted, and is when it rests', async () => {
  world.put('a.csv', 'x,1.00\n'.repeat(50_000));
  const path = join(world.folder, 'a.csv');
  let pieces = 0;
  const store = createDirectIntakeStore({ store: world.store.store, formats: [], ids: systemPorts.ids });
  const intake = {
    ...createFileIntake({ db: database.db, ports: systemPorts, store, createJobs: async () => {}, secrets: openSecrets(), chunkBytes: 1 }),
    receive: async (_context: unknown, body: AsyncIterable<Uint8Array>) => {
      for await (const _piece of body) if (pieces++ === 0) appendFileSync(path, 'more');
      throw new Error('a changed file was read to its end');
    },
  };
  await world.poll({ intake });
  expect(pieces).toBeGreaterThan(0);
  expect((await world.arrivals()).map((arrival) => arrival.state)).toEqual(['growing']);
  expect(await world.events()).toContain('arrival.growing complete>growing');
  expect(world.storedNames()).toEqual([]);
  expect((await world.poll()).verdicts.accepted).toBe(1);
});

it('a file that is cut short with its old time of change, while it is read, is noticed', async () => {
  world.put('a.csv', 'x,1.00\n'.repeat(50_000));
  const path = join(world.folder, 'a.csv');
  const intake = createFileIntake({
    db: database.db,
    ports: systemPorts,
    store: createDirectIntakeStore({ store: world.store.store, formats: [], ids: systemPorts.ids }),
    createJobs: async () => {},
    secrets: openSecrets(),
    chunkBytes: 1,
  });
  const cut = {
    ...intake,
    receive: async (_context: unknown, body: AsyncIterable<Uint8Array>) => {
      for await (const _piece of body) {
        writeFileSync(path, 'x,1.00\n'.repeat(10));
        utimesSync(path, 1, 1);
      }
      throw new Error('a changed file was read to its end');
    },
  };
  await world.poll({ intake: cut });
  expect((await world.arrivals()).map((arrival) => arrival.state)).toEqual(['growing']);
});

it('a process that slept past its lease accepts nothing, and who took over accepts each file once', async () => {
  world.put('a.csv', 'x,1.00\n');
  let tookOver: Promise<unknown> | undefined;
  const crashPoints = {
    reach(point: string) {
      if (point === 'arrivals.after-read') tookOver ??= world.poll();
    },
  };
  const parts = createFileIntake({
    db: database.db,
    ports: systemPorts,
    store: createDirectIntakeStore({ store: world.store.store, formats: [], ids: systemPorts.ids }),
    createJobs: async () => {},
    secrets: openSecrets(),
    chunkBytes: 1_000,
  });
  const zombie = world.poll({
    crashPoints,
    intake: {
      ...parts,
      receive: async () => ({
        container: { bytes: 7, sha256: 'a'.repeat(64), small: Buffer.from('x,1.00\n'), sealed: null },
        member: null,
        split: null,
        members: null,
        problem: { code: 'E_ARCHIVE', message: 'planted' },
      }),
      accept: async (request) => {
        await tookOver;
        return parts.accept(request);
      },
    },
  });
  await expect(zombie).rejects.toMatchObject({ code: 'E_SOURCE_FENCED' });
  expect(await world.arrivals()).toMatchObject([{ state: 'accepted', released: true }]);
  expect(await world.jobs()).toBe(1);
});

it.each(['forward-and-drop-answer', 'cut-before-forward'] as const)(
  'an answer to COMMIT that is lost (%s) leaves each file accepted once',
  async (how) => {
    const target = new URL(database.url);
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
    target.port = String(proxy.port);
    const db = openPool({ url: target.href, applicationName: 'arrivals test', connectionsMax: 3 });
    try {
      for (let index = 0; index < 3; index++) world.put(`${index}.csv`, `${index},1.00\n`);
      world.put('big.csv', 'b,1.00\n'.repeat(20_000));
      const crashPoints = {
        reach: (point: string) => (point === 'arrivals.before-commit' ? proxy.arm({ match: /commit \*\/ commit/, how }) : undefined),
      };
      expect((await world.poll({ db, crashPoints })).verdicts.accepted).toBe(4);
      expect(proxy.faultsUsed).toBe(1);
    } finally {
      await db.close();
      await proxy.close();
    }
    await world.poll();
    expect((await world.files()).map((file) => file.accepted_number)).toEqual([1, 2, 3, 4]);
    expect(await world.jobs()).toBe(4);
    for (const file of await world.files()) expect(await world.content(file.object)).toMatch(/,1\.00\n$/);
  },
);

it('a store that is full refuses, keeps nothing, and the files are taken when there is room', async () => {
  world.put('a.csv', 'x,1.00\n');
  const full = createDirectIntakeStore({
    formats: [],
    ids: systemPorts.ids,
    store: {
      ...world.store.store,
      createPack: () => {
        throw Object.assign(new Error('no space'), { code: 'E_STORAGE_FULL' });
      },
    },
  });
  const parts = { db: database.db, ports: systemPorts, createJobs: async () => {}, secrets: openSecrets(), chunkBytes: 1_000 };
  const whole = createFileIntake({ ...parts, store: full });
  const intake = {
    ...whole,
    receive: async () => ({
      container: { bytes: 7, sha256: 'a'.repeat(64), small: Buffer.from('x,1.00\n'), sealed: null },
      member: null,
      split: null,
      members: null,
      problem: null,
    }),
  };
  await expect(world.poll({ intake })).rejects.toMatchObject({ code: 'E_STORAGE_FULL' });
  expect(world.names()).toEqual(['a.csv']);
  expect(await world.files()).toEqual([]);
  expect((await world.poll()).verdicts.accepted).toBe(1);
});

it('two pollers at work at once, both ending at random, accept every file once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...points), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 12 }),
      async (ends, files) => {
        world = await createWorld(database);
        for (let index = 0; index < files; index++) world.put(`${index}.csv`, `${index % 5},1.00\n`);
        for (const [point, at] of ends) await Promise.allSettled([world.poll({ crashPoints: endAt(point, at) }), world.poll()]);
        await world.poll();
        await world.poll();
        const distinct = Math.min(files, 5);
        expect(await world.files()).toHaveLength(distinct);
        expect((await world.files()).map((file) => file.accepted_number)).toEqual(
          Array.from({ length: distinct }, (_, index) => index + 1),
        );
        expect(await world.jobs()).toBe(distinct);
        expect((await world.arrivals()).filter((arrival) => arrival.state === 'duplicate')).toHaveLength(files - distinct);
        expect(world.names()).toEqual([]);
      },
    ),
    { numRuns: 10 },
  );
});

it('the loop polls what is due, outlives a source that fails, and stops with nothing in hand', async () => {
  const broken = await createWorld(database);
  broken.settings.source = { ...broken.settings.source, path: 'missing' };
  await database.adminDb.query(
    "/* due */ update headgate.source_schedules set due_at = headgate.clock() + interval '1 day' where tenant_id not in ($1, $2)",
    [world.tenantId, broken.tenantId],
  );
  const plans = {
    ...world.plans,
    bySource: async (tx: Parameters<World['plans']['bySource']>[0], flowId: string, sourceId: string) =>
      (tx.tenantId === broken.tenantId ? broken : world).plans.bySource(tx, flowId, sourceId),
  };
  const polled = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<unknown>();
  const store = createDirectIntakeStore({ store: world.store.store, formats: [], ids: systemPorts.ids });
  const parts = createFileIntake({
    db: database.db,
    ports: systemPorts,
    store,
    createJobs: async () => {},
    secrets: openSecrets(),
    chunkBytes: 1_000,
  });
  const intake = {
    ...parts,
    receive: async () => ({
      container: { bytes: 7, sha256: 'a'.repeat(64), small: Buffer.from('x,1.00\n'), sealed: null },
      member: null,
      split: null,
      members: null,
      problem: { code: 'E_ARCHIVE' as const, message: 'planted' },
    }),
  };
  world.put('a.csv', 'x,1.00\n');
  const poller = createSourcePoller({
    db: database.db,
    ports: systemPorts,
    intake,
    admission: createAdmission(),
    plans,
    folders: openFence,
    sftp: noSftp,
    blobs: noBlobs,
    workerId: systemPorts.ids.next(),
    lackOfSpace: () => undefined,
    waiter: createNotifier().waiter(systemPorts.sleep),
    onError: (error) => failed.resolve(error),
    onPolled: (_lease, result) => result.verdicts.quarantined > 0 && polled.resolve(),
  });
  poller.start();
  expect(await failed.promise).toMatchObject({ code: 'E_SOURCE' });
  await polled.promise;
  expect(await poller.stop()).toBe(true);
  const { rows } = await database.adminDb.query(
    '/* leases */ select count(*) as n from headgate.source_schedules where lease_until is not null and tenant_id in ($1, $2)',
    [world.tenantId, broken.tenantId],
  );
  expect(rows).toEqual([{ n: 0 }]);
});

it('without room on the disk nothing is read, and files are accepted once there is room again', async () => {
  await database.adminDb.query(
    "/* due */ update headgate.source_schedules set due_at = headgate.clock() + interval '1 day' where tenant_id <> $1",
    [world.tenantId],
  );
  let lack: string | undefined = 'has 1 MiB left';
  const failed = Promise.withResolvers<unknown>();
  let accepted = 0;
  world.put('a.csv', 'x,1.00\n');
  const store = createDirectIntakeStore({
    store: world.store.store,
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
    plans: world.plans,
    folders: openFence,
    sftp: noSftp,
    blobs: noBlobs,
    workerId: systemPorts.ids.next(),
    lackOfSpace: () => lack,
    onError: (error) => failed.resolve(error),
    onPolled: (_lease, { verdicts }) => (accepted += verdicts.accepted),
  });
  poller.start();
  expect(await failed.promise).toMatchObject({ code: 'E_STORAGE_FULL', message: 'the disk has 1 MiB left; files stay where they are' });
  expect(world.names()).toEqual(['a.csv']);
  expect(accepted).toBe(0);
  lack = undefined;
  await vi.waitUntil(
    async () => {
      const due = '/* due */ update headgate.source_schedules set due_at = headgate.clock() where tenant_id = $1 and lease_until is null';
      await database.adminDb.query(due, [world.tenantId]);
      return accepted === 1;
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(await poller.stop()).toBe(true);
});

it('what was taken away is on its new place under any other file of its name there', async () => {
  mkdirSync(join(world.folder, '.headgate-done'));
  writeFileSync(join(world.folder, '.headgate-done', 'a.csv'), 'older');
  world.put('a.csv', 'x,1.00\n');
  copyFileSync(join(world.folder, 'a.csv'), join(world.folder, '..', 'copy'));
  await world.poll();
  expect(existsSync(join(world.folder, 'a.csv'))).toBe(false);
  expect(readdirSync(join(world.folder, '.headgate-done')).filter((name) => /^a\.csv\.[0-9a-f-]{36}$/.test(name))).toHaveLength(1);
});

it('a new file that waits for its own marker keeps it when the old one is released', async () => {
  world.settings.source = { ...world.settings.source, ready: { ...world.settings.source.ready, marker: '.done' } };
  world.put('a.csv', 'x,1.00\n');
  world.put('a.csv.done', '');
  await expect(world.poll({ crashPoints: endAt('arrivals.after-commit') })).rejects.toBeInstanceOf(SimulatedEnd);
  renameSync(join(world.folder, 'a.csv'), join(world.folder, '..', 'old'));
  world.put('a.csv', 'x,2.00\n');
  expect((await world.poll()).verdicts.accepted).toBe(1);
  expect(await world.jobs()).toBe(2);
  expect(world.names()).toEqual([]);
});
