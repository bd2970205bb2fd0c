import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pack } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { packingNames } from '../../platform/packing/packings.ts';
import { createWorld, endAt, SimulatedEnd, type World } from './arrivals.fixture.ts';

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
/** Moves the clock that decides. */
const passTime = (seconds: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
/** A tenant's files are counted by the minute of the clock. */
const beginMinute = () =>
  database.adminDb.query(
    "/* begin a minute */ update headgate.clock_offset set by = by + date_trunc('minute', headgate.clock()) + interval '1 minute' - headgate.clock()",
  );
const states = async () => (await world.arrivals()).map((arrival) => arrival.state);

it('a file is accepted with its bytes, moved away and released, and every step leaves an event', async () => {
  world.put('a.csv', 'x,1.00\ny,2.00\n');
  expect((await world.poll()).verdicts.accepted).toBe(1);
  const [file] = await world.files();
  expect(file).toMatchObject({ name: 'a.csv', sha256: sha256('x,1.00\ny,2.00\n'), accepted_number: 1 });
  expect(await world.content(file!.object)).toBe('x,1.00\ny,2.00\n');
  expect(world.names()).toEqual([]);
  expect(world.inDone()).toEqual(['a.csv']);
  expect(await world.arrivals()).toMatchObject([{ state: 'accepted', released: true }]);
  expect(await world.events()).toEqual([
    'arrival.seen >seen',
    'arrival.complete seen>complete',
    'arrival.verified complete>verified',
    'arrival.accepted verified>accepted',
  ]);
  expect(world.settings.accepted).toMatchObject([
    { acceptedNumber: 1, bytes: 14, records: 2, damage: [], chunks: [{ number: 0, start: 0, end: 14, firstRecord: 1 }] },
  ]);
  expect(world.settings.accepted[0]!.traceParent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-/);
});

it('a second poll finds nothing to do', async () => {
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  expect((await world.poll()).verdicts).toEqual({ accepted: 0, unpacked: 0, duplicate: 0, held: 0, quarantined: 0 });
  expect(await world.jobs()).toBe(1);
});

it('a file rests as long as the source asks for, by the clock of the database', async () => {
  ready({ stableForMs: 10_000 });
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  expect(await states()).toEqual(['seen']);
  await passTime(9);
  await world.poll();
  expect(await states()).toEqual(['seen']);
  await passTime(2);
  expect((await world.poll()).verdicts.accepted).toBe(1);
});

it('a file that grows a little before each rest ends is never taken, then is reported once, and is taken when it rests', async () => {
  ready({ stableForMs: 10_000, timeoutMs: 60_000 });
  world.put('slow.csv', 'x,1.00\n');
  await world.poll();
  for (let step = 0; step < 9; step++) {
    await passTime(9);
    appendFileSync(join(world.folder, 'slow.csv'), 'y,1.00\n');
    await world.poll();
  }
  expect(await states()).toEqual(['growing']);
  expect((await world.events()).filter((event) => event.startsWith('arrival.overdue'))).toHaveLength(1);
  expect(await world.files()).toEqual([]);
  await passTime(11);
  await world.poll();
  expect(await states()).toEqual(['accepted']);
  expect((await world.files())[0]!.sha256).toBe(sha256(`x,1.00\n${'y,1.00\n'.repeat(9)}`));
  expect(await world.events()).toContain('arrival.stable growing>stable');
});

it('a change that keeps the size counts as growing', async () => {
  ready({ stableForMs: 10_000 });
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  await passTime(11);
  writeFileSync(join(world.folder, 'a.csv'), 'x,2.00\n');
  utimesSync(join(world.folder, 'a.csv'), 1, 1);
  await world.poll();
  expect(await states()).toEqual(['growing']);
});

it('with a marker a file waits for it, and the marker goes with the file', async () => {
  ready({ marker: '.done' });
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  await world.poll();
  expect(await states()).toEqual(['stable']);
  world.put('a.csv.done', '');
  expect((await world.poll()).verdicts.accepted).toBe(1);
  expect(world.names()).toEqual([]);
  expect(world.inDone()).toEqual(['a.csv', 'a.csv.done']);
  world.put('a.csv', 'x,2.00\n');
  world.put('a.csv.done', 'second');
  await world.poll();
  expect(world.inDone()).toHaveLength(4);
  expect(readFileSync(join(world.folder, '.headgate-done', 'a.csv.done'), 'utf8')).toBe('');
});

it('a marker alone is no file', async () => {
  ready({ marker: '.done' });
  world.put('a.csv.done', '');
  await world.poll();
  expect(await world.arrivals()).toEqual([]);
});

it.each(packingNames)('a %s file is kept as it came and unpacked, both with their hashes', async (packing) => {
  set({ unpack: [packing] });
  const packed = pack[packing]('x,1.00\n'.repeat(3));
  world.put('a.csv.packed', packed);
  await world.poll();
  const [file] = await world.files();
  expect(file!.sha256).toBe(sha256('x,1.00\n'.repeat(3)));
  expect(file!.container_object!.sha256).toBe(sha256(packed));
  expect(await world.content(file!.object)).toBe('x,1.00\n'.repeat(3));
  expect(world.settings.accepted[0]).toMatchObject({ bytes: 21, records: 3 });
});

it('an empty file is accepted: whether that is well is decided with its job', async () => {
  world.put('empty.csv', '');
  expect((await world.poll()).verdicts.accepted).toBe(1);
  expect(world.settings.accepted).toMatchObject([{ bytes: 0, records: 0, chunks: [{ start: 0, end: 0 }] }]);
});

it('damage that the splitter finds goes with the file', async () => {
  world.put('open.csv', 'x,"1.00\ny,2.00\n');
  await world.poll();
  expect(world.settings.accepted[0]!.damage).toMatchObject([{ code: 'E_QUOTE_OPEN' }]);
});

it('a resent file is a duplicate of the first, whatever it is called, and costs no storage', async () => {
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  const stored = world.storedNames();
  world.put('b.csv', 'x,1.00\n');
  expect((await world.poll()).verdicts.duplicate).toBe(1);
  const [first, second] = await world.arrivals();
  expect(second).toMatchObject({ state: 'duplicate', reason_code: 'E_DUPLICATE', duplicate_of: first!.file_id, released: true });
  expect(world.storedNames()).toEqual(stored);
  expect(world.inDone()).toEqual(['a.csv', 'b.csv']);
  expect(await world.jobs()).toBe(1);
});

it('of two equal files in one poll the older is first', async () => {
  world.put('b.csv', 'x,1.00\n');
  world.put('a.csv', 'x,1.00\n');
  utimesSync(join(world.folder, 'b.csv'), 1_000, 1_000);
  expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, duplicate: 1 });
  expect((await world.files()).map((file) => file.name)).toEqual(['b.csv']);
});

it('the same name again with other content is accepted, flagged, and overwrites nothing at the source', async () => {
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  world.put('a.csv', 'x,2.00\n');
  await world.poll();
  const [first, second] = await world.arrivals();
  expect((await world.files()).map((file) => file.same_name_as)).toEqual([null, first!.file_id]);
  expect(second!.state).toBe('accepted');
  expect(world.inDone()).toHaveLength(2);
  expect(readFileSync(join(world.folder, '.headgate-done', 'a.csv'), 'utf8')).toBe('x,1.00\n');
});

it('held duplicates keep their bytes and count as held', async () => {
  world.settings.duplicates = { ...world.settings.duplicates, onDuplicate: 'hold' };
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  world.put('b.csv', 'x,1.00\n');
  expect((await world.poll()).verdicts.held).toBe(1);
  const held = (await world.arrivals())[1]!;
  expect(held).toMatchObject({ state: 'held', reason_code: 'E_DUPLICATE', released: true });
  expect(await world.content(held.object!)).toBe('x,1.00\n');
  const { rows } = await database.adminDb.query(
    '/* usage */ select stored_bytes, held_bytes from headgate.tenant_usage where tenant_id = $1',
    [world.tenantId],
  );
  expect(rows).toEqual([{ stored_bytes: 7, held_bytes: 7 }]);
});

it('a source that deletes removes accepted files, and keeps those whose bytes are nowhere else', async () => {
  set({ afterwards: 'delete' });
  world.put('a.csv', 'x,1.00\n');
  symlinkSync('/etc/hostname', join(world.folder, 'link.csv'));
  await world.poll();
  expect(world.names()).toEqual([]);
  expect(world.inDone()).toEqual([]);
  expect(world.inQuarantine()).toEqual(['link.csv']);
});

it('a source that deletes removes what an ended process had moved to be removed, and nothing else there', async () => {
  set({ afterwards: 'delete' });
  for (const name of ['a.csv', 'b.csv']) world.put(name, `${name},1.00\n`);
  await expect(world.poll({ crashPoints: endAt('arrivals.before-move') })).rejects.toBeInstanceOf(SimulatedEnd);
  world.put('b.csv', 'another');
  const ids = await world.arrivalIds();
  const names = (await world.arrivals()).map(({ name }) => name);
  mkdirSync(join(world.folder, '.headgate-done'));
  for (const [index, name] of names.entries()) renameSync(join(world.folder, name), join(world.folder, '.headgate-done', ids[index]!));
  await world.poll();
  expect(world.inDone()).toEqual([ids[names.indexOf('b.csv')]]);
  expect(await world.arrivals()).toMatchObject([{ released: true }, { released: true }]);
});

it('a source that leaves files takes each once, and a changed one again', async () => {
  set({ afterwards: 'leave' });
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  await world.poll();
  expect(await world.jobs()).toBe(1);
  world.put('a.csv', 'x,2.00\n');
  await world.poll();
  expect((await world.poll()).verdicts.accepted).toBe(0);
  expect(await world.jobs()).toBe(2);
  expect(world.names()).toEqual(['a.csv']);
  rmSync(join(world.folder, 'a.csv'));
  await world.poll();
  expect(await world.arrivals()).toMatchObject([{ released: true }, { released: true }]);
});

it('a source that marks files renames each where it is, with what lies beside, and takes none that is marked', async () => {
  set({ afterwards: 'mark', mark: '.taken' });
  ready({ marker: '.done' });
  const long = `${'n'.repeat(246)}.csv`;
  for (const name of ['a.csv', long]) {
    world.put(name, `${name.length},1.00\n`);
    world.put(`${name}.done`, '');
  }
  world.put('other.csv.taken', 'theirs');
  world.put('other.csv.taken.done', '');
  symlinkSync('/etc/hostname', join(world.folder, 'link.csv'));
  world.put('link.csv.done', '');
  expect((await world.poll()).verdicts).toMatchObject({ accepted: 2, quarantined: 1 });
  const [longOne, itsMarker] = [/^[0-9a-f-]{36}\.taken$/, /^[0-9a-f-]{36}\.done\.taken$/].map((name) => expect.stringMatching(name));
  expect(world.names()).toEqual([itsMarker, longOne, 'a.csv.done.taken', 'a.csv.taken', 'other.csv.taken', 'other.csv.taken.done']);
  expect([world.inDone(), world.inQuarantine()]).toEqual([[], ['link.csv', 'link.csv.done']]);
  const before = world.names();
  expect((await world.poll()).verdicts.accepted).toBe(0);
  // The name is free again, and its mark is not: nothing is overwritten, and without its marker the file is not complete.
  world.put('a.csv', 'x,2.00\n');
  expect((await world.poll()).verdicts.accepted).toBe(0);
  world.put('a.csv.done', '');
  expect((await world.poll()).verdicts.accepted).toBe(1);
  const added = world.names().filter((name) => !before.includes(name));
  expect(added).toEqual([
    expect.stringMatching(/^a\.csv\.[0-9a-f-]{36}\.taken$/),
    expect.stringMatching(/^a\.csv\.done\.[0-9a-f-]{36}\.taken$/),
  ]);
  expect(readFileSync(join(world.folder, 'a.csv.taken'), 'utf8')).toBe('5,1.00\n');
  expect([await world.jobs(), (await world.arrivals()).every(({ released }) => released)]).toEqual([3, true]);
});

it('a file that goes before it is complete has vanished, and its name is new again later', async () => {
  ready({ stableForMs: 10_000 });
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  renameSync(join(world.folder, 'a.csv'), join(world.folder, '..', 'a.csv'));
  await world.poll();
  expect(await states()).toEqual(['vanished']);
  renameSync(join(world.folder, '..', 'a.csv'), join(world.folder, 'a.csv'));
  await world.poll();
  await passTime(11);
  await world.poll();
  expect(await states()).toEqual(['vanished', 'accepted']);
});

it('only names that match are taken, and hidden ones only when asked for', async () => {
  set({ match: 'EFT_*.txt' });
  for (const name of ['EFT_1.txt', 'EFT_2.csv', 'xEFT_1.txt', '.EFT_3.txt']) world.put(name, `${name},1.00\n`);
  await world.poll();
  expect((await world.files()).map((file) => file.name)).toEqual(['EFT_1.txt']);
  expect(world.names()).toHaveLength(3);
});

it('admission refuses before a byte is kept, and the files are taken when there is room', async () => {
  world.put('a.csv', 'x,1.00\n');
  world.settings.limits = { ...world.settings.limits, storedBytesMax: 6 };
  const refused: string[] = [];
  const { dueInMs } = await world.poll({ onRefused: (_tenant, refusal) => refused.push(refusal.code) });
  expect(refused).toEqual(['E_QUOTA_STORED']);
  expect(dueInMs).toBe(60_000);
  expect(world.storedNames()).toEqual([]);
  expect(world.names()).toEqual(['a.csv']);
  expect(await states()).toEqual(['complete']);
  world.settings.limits = { ...world.settings.limits, storedBytesMax: 7 };
  expect((await world.poll()).verdicts.accepted).toBe(1);
});

it('a limit of files a minute takes that many, in order', async () => {
  await beginMinute();
  world.settings.limits = { ...world.settings.limits, filesPerMinute: 3 };
  for (let index = 0; index < 5; index++) world.put(`${index}.csv`, `${index},1.00\n`);
  await world.poll();
  expect((await world.files()).map((file) => file.name)).toHaveLength(3);
  expect((await world.poll()).verdicts.accepted).toBe(0);
  await passTime(61);
  expect((await world.poll()).verdicts.accepted).toBe(2);
});

it("a source's own limit of files a minute holds too", async () => {
  set({ limits: { ...world.settings.source.limits, filesPerMinute: 2 } });
  for (let index = 0; index < 3; index++) world.put(`${index}.csv`, `${index},1.00\n`);
  await world.poll();
  await world.poll();
  expect(await world.files()).toHaveLength(2);
  await passTime(61);
  await world.poll();
  expect(await world.files()).toHaveLength(3);
});

it("a source's own limit of files a minute holds for files that were seen long ago", async () => {
  set({ limits: { ...world.settings.source.limits, filesPerMinute: 2 } });
  ready({ marker: '.done' });
  for (let index = 0; index < 5; index++) world.put(`${index}.csv`, `${index},1.00\n`);
  await world.poll();
  await database.adminDb.query(
    "/* long ago */ update headgate.arrivals set arrival_id = overlay(arrival_id::text placing '0100' from 1)::uuid where tenant_id = $1",
    [world.tenantId],
  );
  for (let index = 0; index < 5; index++) world.put(`${index}.csv.done`, '');
  for (let poll = 0; poll < 3; poll++) await world.poll();
  expect(await world.files()).toHaveLength(2);
});

it('600 small files of one poll share packs, numbers without gaps, and a transaction for many', async () => {
  for (let index = 0; index < 600; index++) world.put(`${index}.csv`, `${index},1.00\n`);
  expect((await world.poll()).verdicts.accepted).toBe(600);
  const files = await world.files();
  expect(files.map((file) => file.accepted_number)).toEqual(files.map((_, index) => index + 1));
  expect(new Set(files.map((file) => file.object.name)).size).toBe(3);
  expect(await world.content(files[299]!.object)).toBe(`${files[299]!.name.replace('.csv', '')},1.00\n`);
  expect(world.inDone()).toHaveLength(600);
});

it('thousands of files in a folder are taken each once, whether another process takes the source over in the middle or not', async () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `${String(index).padStart(4, '0')}.csv`);
  for (const name of names) world.put(name, `${name},1.00\n`);
  const polls = await Promise.allSettled([world.poll(), world.poll()]);
  expect(polls.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  while (world.names().length > 0) await world.poll();
  const files = await world.files();
  expect(files.map(({ name }) => name).toSorted()).toEqual(names);
  expect(files.map((file) => file.accepted_number)).toEqual(names.map((_, index) => index + 1));
  expect(world.inDone()).toEqual(names);
});

it('a big file is sealed by itself and split on the way', async () => {
  const content = 'x,1.00\n'.repeat(400_000);
  world.put('big.csv', content);
  await world.poll();
  const [file] = await world.files();
  expect(file!.sha256).toBe(sha256(content));
  expect(file!.object.name).toMatch(/\/raw\//);
  const { chunks, records } = world.settings.accepted[0]!;
  expect(records).toBe(400_000);
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.at(-1)!.end).toBe(statSync(join(world.folder, '.headgate-done', 'big.csv')).size);
});

it("another tenant's files go on beside a tenant that is full", async () => {
  const other = await createWorld(database);
  world.settings.limits = { ...world.settings.limits, chunksInFlightMax: 1 };
  await database.adminDb.query('/* busy */ update headgate.tenant_usage set chunks_in_flight = 1 where tenant_id = $1', [world.tenantId]);
  world.put('a.csv', 'x,1.00\n');
  other.put('a.csv', 'x,1.00\n');
  expect((await world.poll()).verdicts.accepted).toBe(0);
  expect((await other.poll()).verdicts.accepted).toBe(1);
});

it('a disabled flow takes nothing', async () => {
  world.settings.isEnabled = false;
  world.put('a.csv', 'x,1.00\n');
  await world.poll();
  expect(await world.arrivals()).toEqual([]);
  expect(world.names()).toEqual(['a.csv']);
});
