import { createHash } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { constants } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../../src/pipeline/arrivals/arrivals.fixture.ts';
import { packingNames } from '../../src/platform/packing/packings.ts';
import { pack, zstdOfWindow, zstdStream } from '../support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
});

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const set = (source: Partial<World['settings']['source']>) => {
  world.settings.source = { ...world.settings.source, ...source };
};
const passTime = (seconds: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
const states = async () => Object.fromEntries((await world.arrivals()).map(({ name, state }) => [name, state]));

describe('a file whose times lie (A7)', () => {
  const lies: readonly (readonly [string, number])[] = [
    ['of 1970', 0],
    ['before 1970', -86_400],
    ['of next year', 1_800_000_000],
    ['of the year 2200', 7_258_118_400],
  ];
  it('rests as long as any other, by the clock of the database, and is taken then', async () => {
    set({ ready: { ...world.settings.source.ready, stableForMs: 10_000 } });
    for (const [name, seconds] of lies) {
      world.put(`${name}.csv`, `${name},1.00\n`);
      utimesSync(join(world.folder, `${name}.csv`), seconds, seconds);
    }
    await world.poll();
    await passTime(9);
    await world.poll();
    expect(await states()).toEqual(Object.fromEntries(lies.map(([name]) => [`${name}.csv`, 'seen'])));
    await passTime(2);
    expect((await world.poll()).verdicts.accepted).toBe(lies.length);
    expect((await world.files()).map((file) => file.sha256).toSorted()).toEqual(lies.map(([name]) => sha256(`${name},1.00\n`)).toSorted());
  });

  it('is growing whenever its time is set back or forth, and was not stable meanwhile', async () => {
    set({ ready: { ...world.settings.source.ready, stableForMs: 10_000 } });
    world.put('a.csv', 'x,1.00\n');
    await world.poll();
    for (const seconds of [7_258_118_400, 0, 7_258_118_400]) {
      utimesSync(join(world.folder, 'a.csv'), seconds, seconds);
      await passTime(9);
      await world.poll();
      expect(await states()).toEqual({ 'a.csv': 'growing' });
    }
    await passTime(11);
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });
});

describe.each(packingNames)('%s (A11)', (packing) => {
  const packed = pack[packing];

  it('of several parts is one file, and a bomb in a later part is one', async () => {
    set({ unpack: [packing] });
    world.put('parts', Buffer.concat([packed('x,1.00\n'), packed('y,2.00\n'), packed('')]));
    world.put('bomb', Buffer.concat([packed('z,1.00\n'), packed(Buffer.alloc(60 * 1024 * 1024))]));
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
    expect((await world.files()).map((file) => file.sha256)).toEqual([sha256('x,1.00\ny,2.00\n')]);
    expect((await world.arrivals()).find(({ name }) => name === 'bomb')!.reason_code).toBe('E_BOMB');
  });

  it('inside itself is not unpacked again: the inner one is content', async () => {
    set({ unpack: [packing] });
    const inner = packed(Buffer.alloc(200 * 1024 * 1024));
    world.put('nested', packed(inner));
    await world.poll();
    expect((await world.files()).map(({ sha256: hash }) => hash)).toEqual([sha256(inner)]);
  });
});

it('gzip (A11) with a length in its trailer that is not its own is refused', async () => {
  set({ unpack: ['gzip'] });
  const lying = pack.gzip('x,1.00\n');
  lying.writeUInt32LE(1_000_000, lying.length - 4);
  const damaged = pack.gzip('x,2.00\n');
  damaged.writeUInt32LE(0, damaged.length - 8);
  world.put('lying.gz', lying);
  world.put('damaged.gz', damaged);
  expect((await world.poll()).verdicts).toMatchObject({ accepted: 0, quarantined: 2 });
  expect((await world.arrivals()).map((arrival) => arrival.reason_code)).toEqual(['E_ARCHIVE', 'E_ARCHIVE']);
});

it.each([24, 27, 31, 41])('zstd (A11) that needs a window of 2^%d bytes is refused, in a later frame too', async (log) => {
  set({ unpack: ['zstd'] });
  const wide = await zstdOfWindow('x,1.00\n', log);
  world.put('wide.zst', wide);
  world.put('later.zst', Buffer.concat([pack.zstd('x,1.00\n'), wide]));
  world.put('widest.zst', await zstdOfWindow('x,1.00\n', 23));
  expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 2 });
  const refused = (await world.arrivals()).filter(({ name }) => name !== 'widest.zst');
  expect(refused.map((arrival) => arrival.reason_code)).toEqual(['E_PACKED_WINDOW', 'E_PACKED_WINDOW']);
});

it('zstd (A11) that says another size of its content, or whose checksum is of another content, is refused', async () => {
  set({ unpack: ['zstd'] });
  const lying = pack.zstd('x,1.00\n');
  // The size of the content, of one byte, is behind the descriptor of the frame.
  lying.writeUInt8(200, 5);
  const damaged = await zstdStream('x,2.00\n', { [constants.ZSTD_c_checksumFlag]: 1 });
  damaged.writeUInt32LE(0, damaged.length - 4);
  world.put('lying.zst', lying);
  world.put('damaged.zst', damaged);
  expect((await world.poll()).verdicts).toMatchObject({ accepted: 0, quarantined: 2 });
  expect((await world.arrivals()).map((arrival) => arrival.reason_code)).toEqual(['E_ARCHIVE', 'E_ARCHIVE']);
});
