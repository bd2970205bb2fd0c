import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pack } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { tarArchive } from '../../../test/support/tar-archive.ts';
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { createWorld, endAt, SimulatedEnd, type World } from './arrivals.fixture.ts';
import type { FileIntake } from './file-intake.ts';

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const big = 'b,1.00\n'.repeat(20_000);
const contents = new Map([
  ['a.csv', 'a,1.00\n'],
  ['b.csv', big],
  ['c.csv', 'c,3.00\n'],
]);
const membersOf = (all: ReadonlyMap<string, string> = contents) => [...all].map(([name, content]): ZipMember => ({ name, content }));
const archive = zipArchive(membersOf());
const tar = tarArchive([...contents].map(([name, content]) => ({ name, content })));

let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
  set({ unpack: ['zip'] });
});

function set(source: Partial<World['settings']['source']>): void {
  world.settings.source = { ...world.settings.source, ...source };
}

/** A file that is no archive. */
async function uploadPlain(name: string, content: string): Promise<void> {
  set({ unpack: [] });
  expect(await world.upload({ name, content })).toMatchObject({ kind: 'accepted' });
  set({ unpack: ['zip'] });
}

const states = async () => (await world.arrivals()).map(({ name, state }) => `${name} ${state}`);

/** Nothing is stored that no row names. */
async function expectNoOrphans(): Promise<void> {
  const named = [...(await world.files()), ...(await world.arrivals())].flatMap((row) => (row.object === null ? [] : [row.object.name]));
  expect(new Set(world.storedNames())).toEqual(new Set(named));
}

const points = ['arrivals.after-seen', 'arrivals.after-read', 'arrivals.before-pack', 'arrivals.before-commit', 'arrivals.after-commit'];

describe('a process that ends', () => {
  it.each([...points, 'arrivals.before-move', 'arrivals.after-move'])(
    'at %s has accepted all members of an archive or none, and none twice',
    async (point) => {
      for (const name of ['one.zip', 'two.zip'])
        world.put(name, zipArchive(membersOf(new Map([...contents].map(([each, content]) => [`${name}-${each}`, name + content])))));
      await expect(world.poll({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
      expect((await world.files()).length % contents.size).toBe(0);
      await world.poll();
      await world.poll();
      const files = await world.files();
      expect(files.map(({ accepted_number }) => accepted_number)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(files.map(({ sha256: hash }) => hash).toSorted()).toEqual(
        ['one.zip', 'two.zip'].flatMap((name) => [...contents.values()].map((content) => sha256(name + content))).toSorted(),
      );
      expect(await world.jobs()).toBe(6);
      expect((await states()).filter((each) => each.endsWith('unpacked')).toSorted()).toEqual(['one.zip unpacked', 'two.zip unpacked']);
      expect(world.names()).toEqual([]);
      expect(world.inDone()).toEqual(['one.zip', 'two.zip']);
    },
  );
});

it('a process that ends in the middle of unpacking has accepted nothing, and the archive is unpacked again', async () => {
  world.put('day.zip', archive);
  const { create } = world.store.store;
  const createInterrupted = vi.spyOn(world.store.store, 'create').mockImplementation(() => {
    throw new SimulatedEnd('while a member was sealed');
  });
  await expect(world.poll()).rejects.toThrow('while a member was sealed');
  expect(await world.files()).toEqual([]);
  expect(await states()).toEqual(['day.zip complete']);
  createInterrupted.mockRestore();
  expect(world.store.store.create).toBe(create);
  await world.poll();
  expect(await states()).toEqual(['day.zip unpacked', 'a.csv accepted', 'b.csv accepted', 'c.csv accepted']);
  expect(await world.jobs()).toBe(3);
  await expectNoOrphans();
});

it('an archive that takes long to unpack keeps the lease of its source', async () => {
  world.put('day.zip', archive);
  const lease = async () => (await world.leaseUntil()).getTime();
  const receiving = world.intake();
  const slow: FileIntake = {
    ...receiving,
    async receive(context, body) {
      const received = await receiving.receive(context, body);
      const before = await lease();
      await vi.waitUntil(async () => (await lease()) > before, { timeout: 60_000, interval: 50 });
      return received;
    },
  };
  expect((await world.poll({ intake: slow, leaseMs: 6_000 })).verdicts).toMatchObject({ unpacked: 1, accepted: 3 });
});

describe('an archive', () => {
  it('becomes arrivals of its members, with their events, and is kept as it came', async () => {
    world.put('day.zip', archive);
    expect((await world.poll()).verdicts).toEqual({ accepted: 3, unpacked: 1, duplicate: 0, held: 0, quarantined: 0 });
    expect(await states()).toEqual(['day.zip unpacked', 'a.csv accepted', 'b.csv accepted', 'c.csv accepted']);
    const [container, ...members] = await world.arrivals();
    expect(container!.object).toMatchObject({ sha256: sha256(archive), unpack: ['zip'] });
    for (const member of members) expect(member).toMatchObject({ object: null, released: true });
    for (const file of await world.files()) expect(await world.content(file.object)).toBe(contents.get(file.name));
    expect((await world.events()).filter((event) => event.includes('unpacked'))).toEqual(['arrival.unpacked verified>unpacked']);
    expect(await world.storedAndHeld()).toEqual({ stored_bytes: archive.length, held_bytes: 0 });
    await expectNoOrphans();
  });

  it('of 256 files is taken in one transaction', async () => {
    const many = Array.from({ length: 256 }, (_, index): ZipMember => ({ name: `${index}.csv`, content: `r${index},1.00\n` }));
    expect(await world.upload({ name: 'many.zip', content: zipArchive(many) })).toMatchObject({ kind: 'unpacked' });
    expect((await world.files()).map(({ name }) => name)).toEqual(many.map(({ name }) => name));
  });

  it('with some members that came before has those as duplicates, by name too where that is a key', async () => {
    await uploadPlain('first.csv', contents.get('b.csv')!);
    expect(await world.upload({ name: 'day.zip', content: archive })).toMatchObject({ kind: 'unpacked' });
    expect(await states()).toEqual(['first.csv accepted', 'day.zip unpacked', 'a.csv accepted', 'b.csv duplicate', 'c.csv accepted']);
    await expectNoOrphans();
    world.settings.duplicates = { ...world.settings.duplicates, keys: ['name'] };
    await world.upload({
      name: 'other.zip',
      content: zipArchive([
        { name: 'first.csv', content: 'x,1.00\n' },
        { name: 'new.csv', content: 'y,1.00\n' },
      ]),
    });
    expect((await states()).slice(-2)).toEqual(['first.csv duplicate', 'new.csv accepted']);
  });

  it('with two members of the same content has the second as a duplicate of the first', async () => {
    await world.upload({
      content: zipArchive([
        { name: 'a.csv', content: big },
        { name: 'same.csv', content: big },
      ]),
    });
    const [, first, second] = await world.arrivals();
    expect(second).toMatchObject({ state: 'duplicate', duplicate_of: first!.file_id });
    await expectNoOrphans();
  });

  it('that came before is a duplicate of its first member that was accepted, whatever it is called', async () => {
    await uploadPlain('a-before.csv', contents.get('a.csv')!);
    await world.upload({ name: 'day.zip', content: archive });
    const accepted = (await world.files()).find(({ name }) => name === 'b.csv');
    const arrival = (await world.arrivals()).find(({ name }) => name === 'b.csv')!;
    expect(accepted).toBeDefined();
    expect(await world.upload({ name: 'again.zip', content: archive })).toMatchObject({ kind: 'duplicate', of: arrival.file_id });
    expect((await states()).at(-1)).toBe('again.zip duplicate');
    await expectNoOrphans();
  });

  it('that comes twice at once has its members accepted once', async () => {
    const answers = await Promise.all(['x.zip', 'y.zip', 'z.zip'].map((name) => world.upload({ name, content: archive })));
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['duplicate', 'duplicate', 'unpacked']);
    expect(await world.jobs()).toBe(3);
    // Packs of those that came second are left for the sweep.
    expect(world.storedNames().filter((name) => name.includes('/raw/'))).toHaveLength(1);
  });

  it('whose members are held has each of them decided for itself', async () => {
    await uploadPlain('a-before.csv', contents.get('a.csv')!);
    world.settings.duplicates = { ...world.settings.duplicates, onDuplicate: 'hold' };
    await world.upload({ name: 'day.zip', content: archive });
    await world.upload({ name: 'again.zip', content: archive });
    expect((await states()).slice(-4)).toEqual(['again.zip unpacked', 'a.csv held', 'b.csv held', 'c.csv held']);
    const decision = { tenantId: world.tenantId, reason: 'sent twice on purpose', actor: 'key:test' };
    const ids = (await world.arrivalIds()).slice(-2);
    expect(await world.held.accept({ ...decision, arrivalId: ids[0]! })).toMatchObject({ state: 'accepted' });
    expect(await world.held.refuse({ ...decision, arrivalId: ids[1]! })).toMatchObject({ state: 'quarantined' });
    const file = (await world.files()).at(-1)!;
    expect(file).toMatchObject({ name: 'b.csv', container_name: 'again.zip', container_sha256: sha256(archive), via: ['zip'] });
    expect(await world.content(file.object)).toBe(big);
    await expectNoOrphans();
  });

  it.each<[string, string, Buffer]>([
    ['cut', 'E_ARCHIVE', archive.subarray(0, -1)],
    ['damaged in a later member', 'E_ARCHIVE', zipArchive([...membersOf(), { name: 'd.csv', content: big, said: { crc32: 1 } }])],
    ['no archive', 'E_ARCHIVE', Buffer.from(big)],
    ['with a path that leads out', 'E_ARCHIVE_NAME', zipArchive([...membersOf(), { name: '../d.csv', content: big }])],
    ['with a name that is not safe', 'E_ARCHIVE_NAME', zipArchive([...membersOf(), { name: 'nul', content: big }])],
    ['with a long name', 'E_ARCHIVE_NAME', zipArchive([...membersOf(), { name: 'n'.repeat(256), content: big }])],
    ['with an encrypted member', 'E_ARCHIVE_ENTRY', zipArchive([...membersOf(), { name: 'd.csv', content: big, said: { flags: 1 } }])],
    ['empty', 'E_ARCHIVE_MEMBERS', zipArchive([])],
    ['of too many members', 'E_ARCHIVE_MEMBERS', zipArchive(Array.from({ length: 257 }, (_, index) => ({ name: `${index}` })))],
    ['a bomb', 'E_BOMB', zipArchive([...membersOf(), { name: 'd.csv', content: Buffer.alloc(30 * 1024 * 1024) }])],
    [
      'a bomb that lies about its size',
      'E_ARCHIVE',
      zipArchive([...membersOf(), { name: 'd.csv', content: Buffer.alloc(30 * 1024 * 1024), said: { bytes: 200_000 } }]),
    ],
  ])('that is a bomb, or is not sound, goes to quarantine as it came: %s', async (_what, code, content) => {
    world.put('bad.zip', content);
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 0, unpacked: 0, quarantined: 1 });
    const [arrival, ...others] = await world.arrivals();
    expect(others).toEqual([]);
    expect(arrival).toMatchObject({ name: 'bad.zip', state: 'quarantined', reason_code: code });
    expect(arrival!.object!.sha256).toBe(sha256(content));
    expect(await world.jobs()).toBe(0);
    expect(world.inQuarantine()).toEqual(['bad.zip']);
    await expectNoOrphans();
  });

  it('with two members of one name goes to quarantine', async () => {
    for (const names of [
      ['a.csv', 'a.csv'],
      ['x/a.csv', 'y/a.csv'],
    ]) {
      const answer = await world.upload({ name: 'bad.zip', content: zipArchive(names.map((name) => ({ name, content: name }))) });
      expect(answer).toMatchObject({ kind: 'quarantined', code: 'E_ARCHIVE_NAME' });
    }
  });

  it('in an archive is content, unless a step says so', async () => {
    const inner = zipArchive([{ name: 'a.csv', content: 'a,1.00\n' }]);
    const outer = zipArchive([
      { name: 'inner.zip', content: inner, isStored: true },
      { name: 'b.csv', content: 'b,1.00\n' },
    ]);
    await world.upload({ name: 'outer.zip', content: outer });
    expect((await world.files()).map(({ sha256: hash }) => hash)).toEqual([sha256(inner), sha256('b,1.00\n')]);
  });
});

describe('an archive that comes for hours', () => {
  /** `meanwhile`: between the last member and the end. */
  function upload(meanwhile: (stored: readonly string[]) => void) {
    set({ unpack: ['tar'] });
    let lateMs = 0;
    const clock = { ...systemPorts.clock, monotonicMs: () => systemPorts.clock.monotonicMs() + lateMs };
    async function* body() {
      yield tar.subarray(0, -1024);
      lateMs = 3 * 60 * 60_000;
      meanwhile(world.storedNames().filter((name) => name.includes('/raw/')));
      yield tar.subarray(-1024);
    }
    return world.upload({ name: 'day.tar', body: body(), parts: { ports: { ...systemPorts, clock } } });
  }

  it('is accepted with the members that were stored long before', async () => {
    expect(await upload((stored) => expect(stored).toHaveLength(1))).toMatchObject({ kind: 'unpacked' });
    expect(await world.content((await world.files())[1]!.object)).toBe(big);
  });

  it('is not acknowledged when a member was removed as an orphan, and may be sent again', async () => {
    const uploading = upload(([member]) => world.store.raw.remove(member!));
    await expect(uploading).rejects.toMatchObject({ code: 'E_STORAGE_IO', retryable: true });
    expect([await world.arrivals(), await world.files()]).toEqual([[], []]);
    expect(world.storedNames().filter((name) => name.includes('/raw/'))).toEqual([]);
    expect(await upload(() => {})).toMatchObject({ kind: 'unpacked' });
    expect(await world.content((await world.files())[1]!.object)).toBe(big);
  });
});

describe('steps', () => {
  const inner = zipArchive([
    { name: 'a.csv', content: 'a,1.00\n' },
    { name: 'b.csv', content: big },
  ]);

  it.each<[World['settings']['source']['unpack'], Buffer, string[]]>([
    [['tar'], tar, ['a.csv', 'b.csv', 'c.csv']],
    [['gzip', 'tar'], pack.gzip(tar), ['a.csv', 'b.csv', 'c.csv']],
    [['zstd', 'tar'], pack.zstd(tar), ['a.csv', 'b.csv', 'c.csv']],
    [['tar', 'zip'], tarArchive([{ name: 'inner.zip', content: archive }]), ['a.csv', 'b.csv', 'c.csv']],
    [['gzip', 'zip'], pack.gzip(archive), ['a.csv', 'b.csv', 'c.csv']],
    [['zstd', 'zip'], pack.zstd(archive), ['a.csv', 'b.csv', 'c.csv']],
    [
      ['zip', 'gzip'],
      zipArchive([
        { name: 'a.csv.gz', content: pack.gzip('a,1.00\n') },
        { name: 'b.csv.gz', content: pack.gzip(big) },
      ]),
      ['a.csv.gz', 'b.csv.gz'],
    ],
    [
      ['zip', 'zip'],
      zipArchive([
        { name: 'inner.zip', content: inner },
        { name: 'more.zip', content: zipArchive([{ name: 'c.csv', content: 'c' }]) },
      ]),
      ['a.csv', 'b.csv', 'c.csv'],
    ],
    [['gzip', 'zstd'], pack.gzip(pack.zstd('a,1.00\n')), ['day']],
  ])('%j are undone in their order', async (unpack, content, names) => {
    set({ unpack });
    expect(await world.upload({ name: 'day.zst.gz', content })).toMatchObject({ kind: 'unpacked' });
    const files = await world.files();
    expect(files.map(({ name }) => name)).toEqual(names);
    for (const file of files) expect(file.container_sha256).toBe(sha256(content));
    expect(await world.content(files[0]!.object)).toBe('a,1.00\n');
    await expectNoOrphans();
  });

  it('have limits each: a bomb ends in the step in which it goes off', async () => {
    set({ unpack: ['gzip', 'zip'] });
    const bomb = pack.gzip(Buffer.alloc(60 * 1024 * 1024));
    expect(await world.upload({ content: bomb })).toMatchObject({ kind: 'quarantined', code: 'E_BOMB' });
    const inside = pack.gzip(zipArchive([{ name: 'a', content: Buffer.alloc(60 * 1024 * 1024) }]));
    expect(await world.upload({ content: inside })).toMatchObject({ kind: 'quarantined', code: 'E_BOMB' });
    set({ unpack: ['zip', 'zip'], limits: { ...world.settings.source.limits, entriesMax: 3 } });
    const two = (name: string) => zipArchive(['1', '2'].map((number) => ({ name: name + number, content: name + number })));
    const four = zipArchive([
      { name: 'x.zip', content: two('x') },
      { name: 'y.zip', content: two('y') },
    ]);
    expect(await world.upload({ content: four })).toMatchObject({ kind: 'quarantined', code: 'E_ARCHIVE_MEMBERS' });
    expect(await world.files()).toEqual([]);
    await expectNoOrphans();
  });
});
