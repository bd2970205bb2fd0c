import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pack } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { packingNames } from '../../platform/packing/packings.ts';
import { nextOfArrival } from './arrival-next.ts';
import { createWorld, type World } from './arrivals.fixture.ts';

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
const ready = (more: Partial<World['settings']['source']['ready']>) => set({ ready: { ...world.settings.source.ready, ...more } });
const states = async () => (await world.arrivals()).map((arrival) => arrival.state);

it('a manifest must be complete and must agree', async () => {
  ready({ manifest: '.sha256' });
  world.put('a.csv', 'x,1.00\n');
  world.put('a.csv.sha256', sha256('x,1.00\n').slice(0, 30));
  await world.poll();
  expect(await states()).toEqual(['complete']);
  world.put('a.csv.sha256', `${sha256('x,1.00\n')}  a.csv\n`);
  expect((await world.poll()).verdicts.accepted).toBe(1);
  world.put('b.csv', 'x,1.0');
  world.put('b.csv.sha256', `sha256=${sha256('x,1.00\nb')}\nbytes=8\n`);
  await world.poll();
  expect((await world.arrivals())[1]).toMatchObject({ name: 'b.csv', state: 'quarantined', reason_code: 'E_MANIFEST' });
  expect(world.inQuarantine()).toEqual(['b.csv', 'b.csv.sha256']);
});

it.each<[string, () => void, string]>([
  ['is empty', () => world.put('a.csv.sha256', ''), 'it is empty'],
  ['lists two files', () => world.put('a.csv.sha256', `${sha256('x')}  x\n${sha256('y')}  y\n`), 'its line 2 says `sha256` once more'],
  ['is too large', () => world.put('a.csv.sha256', `${sha256('x')}${'\n'.repeat(4096)}`), 'it is larger than 4096 bytes'],
  [
    'is a link',
    () => symlinkSync('a.csv', join(world.folder, 'a.csv.sha256')),
    'it is a link, a file with several names, a pipe or a device',
  ],
])('of a manifest that %s the arrival says what is wrong, written once, until it is whole', async (_name, put, reason) => {
  ready({ manifest: '.sha256' });
  world.put('a.csv', 'x,1.00\n');
  put();
  const stored = async () => {
    const sql =
      '/* arrival */ select state, reason, reason_code as "reasonCode", xmin::text as version from headgate.arrivals where tenant_id = $1';
    return (await database.adminDb.query<{ state: 'complete'; reason: string; reasonCode: null; version: string }>(sql, [world.tenantId]))
      .rows[0]!;
  };
  await world.poll();
  const first = await stored();
  expect(first).toMatchObject({ state: 'complete', reason, reasonCode: null });
  expect(nextOfArrival({ arrivalId: 'a1', ...first })).toContain(`Its manifest can't be read as it is: ${reason}. `);
  await world.poll();
  expect(await stored()).toEqual(first);
  rmSync(join(world.folder, 'a.csv.sha256'));
  world.put('a.csv.sha256', sha256('x,1.00\n'));
  expect((await world.poll()).verdicts.accepted).toBe(1);
  expect(await stored()).toMatchObject({ state: 'accepted', reason: null });
});

it('quarantine keeps the bytes with the arrival and moves the file away, and nothing is made of it', async () => {
  ready({ manifest: '.sha256' });
  world.put('b.csv', 'x,1.0');
  world.put('b.csv.sha256', sha256('other'));
  await world.poll();
  const [arrival] = await world.arrivals();
  expect(await world.content(arrival!.object!)).toBe('x,1.0');
  expect(arrival!.object!.sha256).toBe(sha256('x,1.0'));
  expect(await world.jobs()).toBe(0);
  const { rows } = await database.adminDb.query(
    '/* usage */ select stored_bytes, held_bytes from headgate.tenant_usage where tenant_id = $1',
    [world.tenantId],
  );
  expect(rows).toEqual([{ stored_bytes: 5, held_bytes: 0 }]);
});

it.each(['a..\\..\\x', '%2e%2e%2fx', 'a\nb', 'gpj.\u202etxt', 'CON', 'space ', Buffer.from([0x61, 0xff])])(
  'a file named %j goes to quarantine, its name only data',
  async (name) => {
    world.put(name, 'x,1.00\n');
    world.put('good.csv', 'y,1.00\n');
    const { verdicts } = await world.poll();
    expect(verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
    const bad = (await world.arrivals()).find((arrival) => arrival.name !== 'good.csv')!;
    expect(bad).toMatchObject({ state: 'quarantined', reason_code: 'E_NAME', released: true });
    expect(await world.content(bad.object!)).toBe('x,1.00\n');
    expect(bad.object!.name).toMatch(/^local\/[0-9a-f-]+\/pack\/[0-9a-f]+\/[0-9a-f-]+$/);
    expect(world.names()).toEqual([]);
  },
);

it('the same letters composed and decomposed, and in another case, are different files', async () => {
  const names = ['é.csv'.normalize('NFC'), 'é.csv'.normalize('NFD'), 'A.csv', 'a.csv'];
  for (const [index, name] of names.entries()) world.put(name, `${index},1.00\n`);
  await world.poll();
  expect((await world.files()).map((file) => file.name).sort()).toEqual(names.toSorted());
  expect(world.inDone()).toHaveLength(4);
});

it('links, files with two names, pipes and folders are not opened, and the rest is taken', async () => {
  const secret = join(world.store.root, '..', `secret-${process.pid}`);
  writeFileSync(secret, 'secret');
  try {
    symlinkSync(secret, join(world.folder, 'link.csv'));
    linkSync(secret, join(world.folder, 'hard.csv'));
    execFileSync('mkfifo', [join(world.folder, 'pipe.csv')]);
    mkdirSync(join(world.folder, 'folder.csv'));
    world.put('good.csv', 'y,1.00\n');
    const { verdicts } = await world.poll();
    expect(verdicts).toMatchObject({ accepted: 1, quarantined: 3 });
    const refused = (await world.arrivals()).filter((arrival) => arrival.state === 'quarantined');
    expect(refused.map((arrival) => arrival.name).sort()).toEqual(['hard.csv', 'link.csv', 'pipe.csv']);
    for (const arrival of refused) expect(arrival).toMatchObject({ reason_code: 'E_FILE_KIND', object: null, released: true });
    expect(world.names()).toEqual(['folder.csv']);
    expect(readFileSync(secret, 'utf8')).toBe('secret');
  } finally {
    rmSync(secret);
  }
});

it('a source folder that leads out of its root is refused', async () => {
  const outside = join(world.store.root, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(world.folder, 'elsewhere'));
  set({ path: 'in/elsewhere' });
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE' });
});

it('of a source folder that is not there the uppermost missing part is named', async () => {
  const message = `the source failed to open its folder: "${join(dirname(world.folder), 'missing')}" is missing`;
  set({ path: 'missing' });
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE', message });
  set({ path: 'missing/in' });
  await expect(world.poll()).rejects.toMatchObject({ message: `${message}, which "${join(dirname(world.folder), 'missing/in')}" lies in` });
});

it('a link in place of the folder for taken files is not followed', async () => {
  const outside = join(world.store.root, 'outside-done');
  mkdirSync(outside);
  symlinkSync(outside, join(world.folder, '.headgate-done'));
  world.put('a.csv', 'x,1.00\n');
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE' });
  expect(world.names()).toEqual(['a.csv']);
});

it('a file beyond the limit of its source is not read', async () => {
  set({ limits: { ...world.settings.source.limits, bytesMax: 10 } });
  world.put('big.csv', 'x,1.00\n'.repeat(2));
  await world.poll();
  expect(await world.arrivals()).toMatchObject([{ state: 'quarantined', reason_code: 'E_FILE_TOO_LARGE', object: null, released: true }]);
  expect(world.inQuarantine()).toEqual(['big.csv']);
});

it('a sparse file of a terabyte costs a look', async () => {
  world.put('sparse.csv', '');
  truncateSync(join(world.folder, 'sparse.csv'), 1024 ** 4);
  await world.poll();
  expect(await world.arrivals()).toMatchObject([{ state: 'quarantined', reason_code: 'E_FILE_TOO_LARGE' }]);
});

it.each<[string, string, () => void]>([
  ['larger than its source takes', 'E_FILE_TOO_LARGE', () => truncateSync(join(world.folder, 'big.csv'), 1024 ** 3 + 1)],
  ['with two names', 'E_FILE_KIND', () => linkSync(join(world.folder, 'big.csv'), join(world.store.root, 'other-name'))],
])('a file %s goes to quarantine though there is no room for it, and the others go on', async (_what, code, make) => {
  world.put('big.csv', 'x,1.00\n'.repeat(20));
  make();
  world.put('good.csv', 'y,1.00\n');
  world.settings.limits = { ...world.settings.limits, storedBytesMax: 100 };
  for (let polls = 0; polls < 2; polls++) await world.poll();
  expect(await world.arrivals()).toMatchObject([
    { name: 'big.csv', state: 'quarantined', reason_code: code, object: null },
    { name: 'good.csv', state: 'accepted' },
  ]);
});

describe.each(packingNames)('where %s is expected', (packing) => {
  const packed = pack[packing]('x,1.00\n');
  const other = packingNames.find((name) => name !== packing)!;
  it.each([
    ['a bomb', 'E_BOMB', pack[packing](Buffer.alloc(30 * 1024 * 1024))],
    ['a cut file', 'E_ARCHIVE', packed.subarray(0, -4)],
    ['bytes behind the end', 'E_ARCHIVE', Buffer.concat([packed, Buffer.from('more')])],
    ['the first bytes of another part behind the end', 'E_ARCHIVE', Buffer.concat([packed, packed.subarray(0, 2)])],
    ['a file that is not packed', 'E_ARCHIVE', Buffer.from('x,1.00\n')],
    ['a file that is packed another way', 'E_ARCHIVE', pack[other]('x,1.00\n')],
    ['nothing', 'E_ARCHIVE', Buffer.alloc(0)],
  ])('%s goes to quarantine as it came', async (_what, code, content) => {
    set({ unpack: [packing] });
    world.put('a.packed', content);
    world.put('good.packed', pack[packing]('y,1.00\n'));
    const { verdicts } = await world.poll();
    expect(verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
    const bad = (await world.arrivals()).find((arrival) => arrival.name === 'a.packed')!;
    expect(bad.reason_code).toBe(code);
    expect(bad.object!.sha256).toBe(sha256(content));
  });
});
