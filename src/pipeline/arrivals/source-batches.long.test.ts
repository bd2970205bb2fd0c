import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createWorld, endAt, SimulatedEnd, type World } from './arrivals.fixture.ts';
import { packedBytesMax } from './content-sink.ts';
import { type FileIntake, filesPerTransactionMax } from './file-intake.ts';

let database: TestDatabase;
let world: World;
let put: string[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
  put = [];
});

/** In the order in which they are taken. */
function putFiles(count: number): void {
  for (let index = put.length; index < count; index++) {
    const name = `${String(index).padStart(4, '0')}.csv`;
    world.put(name, `${name},1.00\n`);
    put.push(name);
  }
}

const names = async () => (await world.files()).map(({ name }) => name);

/** An intake that says what it is asked for, and waits where the test wants it to. */
function watchedIntake(onAccept: (call: number, read: () => number, begun: () => number) => Promise<void> | void) {
  const intake = world.intake();
  let [calls, begun, read] = [0, 0, 0];
  return {
    ...intake,
    receive: async (...request: Parameters<FileIntake['receive']>) => {
      begun += 1;
      const received = await intake.receive(...request);
      read += 1;
      return received;
    },
    accept: async (request: Parameters<FileIntake['accept']>[0]) => {
      await onAccept(
        ++calls,
        () => read,
        () => begun,
      );
      return intake.accept(request);
    },
  };
}

const setTenantLimits = (limits: Partial<World['settings']['limits']>) => {
  world.settings.limits = { ...world.settings.limits, ...limits };
};
const setSource = (source: Partial<World['settings']['source']>) => {
  world.settings.source = { ...world.settings.source, ...source };
};
/** More than a minute later. */
const beginMinute = () =>
  database.adminDb.query(
    "/* begin a minute */ update headgate.clock_offset set by = by + date_trunc('minute', headgate.clock()) + interval '2 minutes' - headgate.clock()",
  );

it('small files of the next batch are read while one is accepted, one batch ahead and no more', async () => {
  putFiles(2 * filesPerTransactionMax + 1);
  const seen: number[] = [];
  const intake = watchedIntake(async (call, read, begun) => {
    while (read() < Math.min((call + 1) * filesPerTransactionMax, put.length)) await nextTurn();
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    seen.push(begun());
  });
  expect((await world.poll({ intake })).verdicts.accepted).toBe(put.length);
  expect(seen).toEqual([2 * filesPerTransactionMax, put.length, put.length]);
  expect(await names()).toEqual(put);
  expect(world.inDone()).toEqual(put);
});

it.each([
  ['would be kept before it is admitted', 2, packedBytesMax],
  ['is more than four megabytes', 128, 33_000],
])('nothing is read ahead that %s', async (_what, files, bytes) => {
  putFiles(filesPerTransactionMax + files);
  for (const name of put.slice(-files)) world.put(name, `${name},1.00\n`.padEnd(bytes, 'x,1.00\n'));
  const seen: number[] = [];
  const intake = watchedIntake(async (_call, _read, begun) => {
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    seen.push(begun());
    if (seen.length === 1) expect(world.storedNames()).toEqual([]);
  });
  expect((await world.poll({ intake })).verdicts.accepted).toBe(put.length);
  expect(seen).toEqual([filesPerTransactionMax, put.length]);
});

it('what has to be unpacked is read in its turn', async () => {
  setSource({ unpack: ['gzip'] });
  putFiles(filesPerTransactionMax + 1);
  const seen: number[] = [];
  const intake = watchedIntake(async (_call, _read, begun) => {
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    seen.push(begun());
  });
  await world.poll({ intake });
  expect(seen).toEqual([filesPerTransactionMax, filesPerTransactionMax + 1]);
});

it('a backlog is looked at once the batch before is counted, and what was read stays at its place', async () => {
  putFiles(2 * filesPerTransactionMax);
  setTenantLimits({ chunksInFlightMax: filesPerTransactionMax });
  const refused: string[] = [];
  const inner = watchedIntake(async (_call, read) => {
    while (read() < put.length) await nextTurn();
  });
  const intake = {
    ...inner,
    accept: async (request: Parameters<FileIntake['accept']>[0]) => {
      const verdicts = await inner.accept(request);
      const count = '/* count chunks */ update headgate.tenant_usage set chunks_in_flight = chunks_in_flight + $2 where tenant_id = $1';
      await database.adminDb.query(count, [world.tenantId, verdicts.length]);
      return verdicts;
    },
  };
  await world.poll({ intake, onRefused: (_lease, { code }) => refused.push(code) });
  expect(refused).toEqual(['E_BACKLOG']);
  expect(await names()).toEqual(put.slice(0, filesPerTransactionMax));
  expect(world.names()).toEqual(put.slice(filesPerTransactionMax));
  setTenantLimits({ chunksInFlightMax: 10 * filesPerTransactionMax });
  await world.poll();
  expect(await names()).toEqual(put);
});

it.each(['tenant', 'source'])(
  'a limit of files a minute of the %s takes the first of what was read ahead, and the others later',
  async (whose) => {
    await beginMinute();
    putFiles(2 * filesPerTransactionMax);
    const filesPerMinute = filesPerTransactionMax + 44;
    if (whose === 'tenant') setTenantLimits({ filesPerMinute });
    else setSource({ limits: { ...world.settings.source.limits, filesPerMinute } });
    const intake = watchedIntake(async (_call, read) => {
      while (read() < put.length) await nextTurn();
    });
    expect((await world.poll({ intake })).verdicts.accepted).toBe(filesPerMinute);
    expect(await names()).toEqual(put.slice(0, filesPerMinute));
    expect(world.inDone()).toEqual(put.slice(0, filesPerMinute));
    expect(world.names()).toEqual(put.slice(filesPerMinute));
    await beginMinute();
    await world.poll();
    expect(await names()).toEqual(put);
  },
);

it('when a batch is not accepted nothing behind it is, and the next poll takes all of them in order', async () => {
  putFiles(2 * filesPerTransactionMax + 1);
  const intake = watchedIntake(async (call, read) => {
    if (call !== 2) return;
    while (read() < put.length) await nextTurn();
    throw new SimulatedEnd('accept');
  });
  await expect(world.poll({ intake })).rejects.toThrow(SimulatedEnd);
  expect(await names()).toEqual(put.slice(0, filesPerTransactionMax));
  expect(world.inDone()).toEqual(put.slice(0, filesPerTransactionMax));
  await world.poll();
  expect(await names()).toEqual(put);
  expect(world.inDone()).toEqual(put);
});

it('when one batch can not be taken away, what was accepted meanwhile is taken away by the next poll', async () => {
  putFiles(2 * filesPerTransactionMax + 1);
  await expect(world.poll({ crashPoints: endAt('arrivals.before-move') })).rejects.toThrow(SimulatedEnd);
  expect(await names()).toEqual(put.slice(0, 2 * filesPerTransactionMax));
  expect(world.inDone()).toEqual([]);
  await world.poll();
  expect(await names()).toEqual(put);
  expect(world.inDone()).toEqual(put);
  expect((await world.arrivals()).every(({ released }) => released)).toBe(true);
});

it('a file that is replaced after it was read ahead is accepted as it was read, and stays for another time as it is', async () => {
  putFiles(filesPerTransactionMax + 1);
  const last = put.at(-1)!;
  const intake = watchedIntake(async (call, read) => {
    while (read() < put.length) await nextTurn();
    if (call === 1) writeFileSync(join(world.folder, last), 'other,2.00\n');
  });
  await world.poll({ intake });
  expect(await world.content((await world.files()).at(-1)!.object)).toBe(`${last},1.00\n`);
  expect(readFileSync(join(world.folder, last), 'utf8')).toBe('other,2.00\n');
  await world.poll();
  expect(await world.content((await world.files()).at(-1)!.object)).toBe('other,2.00\n');
  expect(world.names()).toEqual([]);
});
