import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pack, zstdOfWindow } from '../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { packingNames } from '../../platform/packing/packings.ts';
import { bodyOf, createWorld, type World } from './arrivals.fixture.ts';

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
const digestOf = (content: string | Uint8Array) => `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;
const big = 'b,1.00\n'.repeat(20_000);

/** Nothing of the upload is to be found anywhere. */
async function expectNothing(): Promise<void> {
  await expectNoRows();
  expect(world.storedNames()).toEqual([]);
}

/** What small files were packed into may be left to the sweep. */
async function expectNoRows(): Promise<void> {
  expect(await world.arrivals()).toEqual([]);
  expect(await world.files()).toEqual([]);
  expect(await world.jobs()).toBe(0);
  const { rows } = await database.adminDb.query('/* keys */ select key from headgate.idempotency_keys where tenant_id = $1', [
    world.tenantId,
  ]);
  expect(rows).toEqual([]);
}

it.each([
  ['a small file', 'a,1.00\n'],
  ['a big file', big],
  ['an empty file', ''],
])('%s is accepted with its bytes and its events', async (_what, content) => {
  const answer = await world.upload({ content });
  expect(answer).toMatchObject({
    kind: 'accepted',
    acceptedNumber: 1,
    sha256: sha256(content),
    bytes: content.length,
    duplicateOf: null,
    sameNameAs: null,
  });
  expect(await world.content((await world.files())[0]!.object)).toBe(content);
  expect(await world.arrivals()).toMatchObject([{ state: 'accepted', released: true, name: 'a.csv' }]);
  expect(await world.events()).toEqual([
    'arrival.seen >seen',
    'arrival.complete seen>complete',
    'arrival.verified complete>verified',
    'arrival.accepted verified>accepted',
  ]);
});

it("the sender's trace goes on in the job", async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await world.upload({ traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  expect(world.settings.accepted[0]).toMatchObject({ traceId, actor: 'key:test' });
  expect(world.settings.accepted[0]!.traceParent).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
});

it('a resent file is a duplicate of the first', async () => {
  const first = await world.upload();
  const second = await world.upload({ name: 'b.csv' });
  expect(second).toMatchObject({ kind: 'duplicate', of: (first as { fileId: string }).fileId });
  expect(await world.jobs()).toBe(1);
});

it('a big duplicate leaves no object behind', async () => {
  await world.upload({ content: big });
  const stored = world.storedNames();
  expect((await world.upload({ content: big })).kind).toBe('duplicate');
  expect(world.storedNames()).toEqual(stored);
});

it.each([
  ['hold', 'held', 'E_DUPLICATE'],
  ['accept', 'accepted', undefined],
] as const)('a duplicate where the flow says %s is %s', async (onDuplicate, kind, code) => {
  world.settings.duplicates = { ...world.settings.duplicates, onDuplicate };
  const first = await world.upload();
  const second = await world.upload();
  expect(second.kind).toBe(kind);
  expect((second as { code?: string }).code).toBe(code);
  const fileId = (first as { fileId: string }).fileId;
  expect((await world.arrivals())[1]).toMatchObject({ duplicate_of: fileId });
});

it.each([
  ['accept', 'accepted', undefined],
  ['hold', 'held', 'E_SAME_NAME'],
  ['reject', 'quarantined', 'E_SAME_NAME'],
] as const)('another content under a known name, where the flow says %s, is %s', async (onSameName, kind, code) => {
  world.settings.duplicates = { ...world.settings.duplicates, onSameName };
  const first = await world.upload();
  const second = await world.upload({ content: 'b,1.00\n' });
  expect(second).toMatchObject({ kind });
  expect((second as { code?: string }).code).toBe(code);
  if (kind === 'accepted') expect(second).toMatchObject({ sameNameAs: (first as { fileId: string }).fileId });
  // What was not accepted owns nothing: the same content under a free name is no duplicate.
  else expect((await world.upload({ content: 'b,1.00\n', name: 'free.csv' })).kind).toBe('accepted');
});

it('with the name as a key, a known name is a duplicate', async () => {
  world.settings.duplicates = { ...world.settings.duplicates, keys: ['name'] };
  await world.upload();
  expect((await world.upload({ content: 'b,1.00\n' })).kind).toBe('duplicate');
  expect((await world.upload({ name: 'b.csv' })).kind).toBe('accepted');
});

it('of many files at once no more are accepted than their source takes a minute', async () => {
  world.settings.source = { ...world.settings.source, limits: { ...world.settings.source.limits, filesPerMinute: 3 } };
  const many = Array.from({ length: 8 }, (_, index) => world.upload({ content: `m${index},1.00\n`, name: `${index}.csv` }));
  const kinds = (await Promise.all(many)).map((answer) => (answer.kind === 'refused' ? answer.code : answer.kind));
  expect(kinds.toSorted()).toEqual([...Array<string>(5).fill('E_FILE_RATE'), ...Array<string>(3).fill('accepted')]);
  expect(await world.files()).toHaveLength(3);
});

it('a file is forgotten after the window of its flow', async () => {
  await world.upload();
  await database.adminDb.query("/* later */ update headgate.clock_offset set by = by + interval '25 hours'");
  expect((await world.upload()).kind).toBe('accepted');
  expect((await world.upload()).kind).toBe('duplicate');
});

it.each(packingNames)('the same bytes packed with %s and plain are one file', async (packing) => {
  world.settings.source = { ...world.settings.source, unpack: [packing] };
  const packed = pack[packing]('a,1.00\n');
  expect((await world.upload({ content: packed, name: 'a.packed' })).kind).toBe('accepted');
  world.settings.source = { ...world.settings.source, unpack: [] };
  expect((await world.upload({ name: 'b.csv' })).kind).toBe('duplicate');
  for (const contentEncoding of packingNames)
    expect((await world.upload({ content: pack[contentEncoding]('a,1.00\n'), headers: { contentEncoding } })).kind).toBe('duplicate');
});

describe('at once', () => {
  it('of the same file by two ways in, one is accepted and one a duplicate', async () => {
    for (let round = 0; round < 5; round++) {
      const content = `${round},1.00\n`;
      world.put('a.csv', content);
      const [answer] = await Promise.all([world.upload({ content, name: 'a.csv' }), world.poll()]);
      const arrivals = (await world.arrivals()).slice(-2);
      expect(arrivals.map((arrival) => arrival.state).sort()).toEqual(['accepted', 'duplicate']);
      const accepted = arrivals.find((arrival) => arrival.state === 'accepted')!;
      expect(arrivals.find((arrival) => arrival.state === 'duplicate')!.duplicate_of).toBe(accepted.file_id);
      if (answer.kind === 'duplicate') expect(answer.of).toBe(accepted.file_id);
      expect(await world.jobs()).toBe(round + 1);
    }
  });

  it('of one file many times, one is accepted, and the numbers of different ones have no gaps', async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => world.upload({ content: `${index % 4},1.00\n`, name: `${index}.csv` })),
    );
    expect(answers.filter((answer) => answer.kind === 'accepted')).toHaveLength(4);
    expect((await world.files()).map((file) => file.accepted_number)).toEqual([1, 2, 3, 4]);
  });
});

describe('refused before anything is kept', () => {
  it.each(['../../etc/passwd', 'a\u0000b', 'CON', '', 'x'.repeat(256)])('the name %j', async (name) => {
    await expect(world.upload({ name })).rejects.toMatchObject({ code: 'E_NAME' });
    await expectNothing();
  });

  it.each([
    ['a full store', { storedBytesMax: 6 }, { code: 'E_QUOTA_STORED', reason: 'full' }],
    ['too much held', { heldBytesMax: 0 }, { code: 'E_QUOTA_HELD', reason: 'full' }],
    ['too much waiting', { chunksInFlightMax: 0 }, { code: 'E_BACKLOG', reason: 'busy' }],
    ['too many files a minute', { filesPerMinute: 0 }, { code: 'E_FILE_RATE', reason: 'busy' }],
  ])('%s', async (_what, limits, refusal) => {
    world.settings.limits = { ...world.settings.limits, ...limits };
    const answer = await world.upload({ headers: { contentLength: 7 } });
    expect(answer).toMatchObject({ kind: 'refused', ...refusal });
    expect((answer as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    await expectNothing();
  });

  it('a body of unknown length, as soon as it is more than there is room for', async () => {
    world.settings.limits = { ...world.settings.limits, storedBytesMax: 10 * 1024 * 1024 };
    let sentBytes = 0;
    const endless = (async function* () {
      for (;;) {
        sentBytes += 65_536;
        yield Buffer.alloc(65_536, 'a,1.00\n');
      }
    })();
    expect(await world.upload({ body: endless })).toMatchObject({ kind: 'refused', code: 'E_QUOTA_STORED' });
    expect(sentBytes).toBeLessThan(11 * 1024 * 1024);
    await expectNothing();
  });

  it('a body of unknown length, once what others had accepted meanwhile has taken the room', async () => {
    await world.upload();
    world.settings.limits = { ...world.settings.limits, storedBytesMax: 20 * 1024 * 1024 };
    const accepted = '/* accept elsewhere */ update headgate.tenant_usage set stored_bytes = 8 * 1024 * 1024 where tenant_id = $1';
    async function* body() {
      yield Buffer.alloc(65_536, 'b,1.00\n');
      await database.adminDb.query(accepted, [world.tenantId]);
      yield Buffer.alloc(8 * 1024 * 1024, 'b,1.00\n');
    }
    expect(await world.upload({ body: body() })).toMatchObject({ kind: 'refused', code: 'E_QUOTA_STORED' });
    expect(await world.files()).toHaveLength(1);
  });

  it('a body that is longer than its source allows, announced or not', async () => {
    world.settings.source = { ...world.settings.source, limits: { ...world.settings.source.limits, bytesMax: 100_000 } };
    await expect(world.upload({ content: big })).rejects.toMatchObject({ code: 'E_UPLOAD_TOO_LARGE' });
    await expect(world.upload({ headers: { contentLength: 100 * 1024 ** 3 } })).rejects.toMatchObject({ code: 'E_UPLOAD_TOO_LARGE' });
    await expectNothing();
  });

  it.each(['gzip, gzip', 'gzip, gzip, gzip', 'br', 'deflate', 'gzip;q=1', 'zstd, gzip', 'zstd;q=1', 'x-zstd'])(
    'the content encoding %s',
    async (contentEncoding) => {
      await expect(world.upload({ headers: { contentEncoding } })).rejects.toMatchObject({ code: 'E_CONTENT_ENCODING' });
      await expectNothing();
    },
  );

  it('an encoding on top of a packed file', async () => {
    for (const unpack of packingNames) {
      world.settings.source = { ...world.settings.source, unpack: [unpack] };
      for (const contentEncoding of packingNames)
        await expect(world.upload({ headers: { contentEncoding } })).rejects.toMatchObject({ code: 'E_CONTENT_ENCODING' });
    }
  });

  it('a flow without a source for uploads, a disabled one, and a name that it does not take', async () => {
    world.settings.source = { ...world.settings.source, match: '*.txt' };
    await expect(world.upload()).rejects.toMatchObject({ code: 'E_NAME_MATCH' });
    world.settings.hasUploads = false;
    await expect(world.upload()).rejects.toMatchObject({ code: 'E_UPLOAD_SOURCE' });
    world.settings.isEnabled = false;
    await expect(world.upload()).rejects.toMatchObject({ code: 'E_FLOW_DISABLED' });
    await expectNothing();
  });

  it.each([
    ['a small one', 'a,1.00\n'],
    ['a big one', big],
  ])('a body that comes while its flow is disabled: %s', async (_what, content) => {
    const enable = (isEnabled: boolean) =>
      database.adminDb.query('/* switch */ update headgate.flows set enabled = $2 where tenant_id = $1', [world.tenantId, isEnabled]);
    async function* body() {
      yield Buffer.from(content.slice(0, 3));
      await enable(false);
      yield Buffer.from(content.slice(3));
    }
    const headers = { idempotencyKey: 'the-same' };
    await expect(world.upload({ body: body(), headers })).rejects.toMatchObject({ code: 'E_FLOW_DISABLED' });
    await expectNoRows();
    await enable(true);
    expect((await world.upload({ content, headers })).kind).toBe('accepted');
  });

  it.each([
    ['a small one', 'a,1.00\n'],
    ['a big one', big],
  ])('a body that is not what its digest says: %s', async (_what, content) => {
    for (const headers of [
      { reprDigest: digestOf('other') },
      { contentDigest: digestOf('other') },
      { reprDigest: digestOf(content), contentDigest: digestOf('other') },
    ])
      await expect(world.upload({ content, headers })).rejects.toMatchObject({ code: 'E_DIGEST' });
    await expectNothing();
    expect((await world.upload({ content, headers: { reprDigest: digestOf(content), contentDigest: digestOf(content) } })).kind).toBe(
      'accepted',
    );
  });

  it.each([1, 7, 60_000, 139_999])('an upload that is cut after %i bytes', async (sentBytes) => {
    const cut = (async function* () {
      yield* bodyOf(big.slice(0, sentBytes));
      throw new Error('aborted');
    })();
    await expect(world.upload({ body: cut, headers: { idempotencyKey: 'k' } })).rejects.toMatchObject({ code: 'E_UPLOAD_ABORTED' });
    await expect(
      world.upload({ content: big.slice(0, sentBytes), headers: { contentLength: big.length, idempotencyKey: 'k' } }),
    ).rejects.toMatchObject({ code: 'E_UPLOAD_ABORTED' });
    await expectNothing();
    expect((await world.upload({ content: big, headers: { contentLength: big.length, idempotencyKey: 'k' } })).kind).toBe('accepted');
  });
});

it.each(packingNames)(
  'an upload packed with %s is unpacked within limits, and a bomb is kept in quarantine as it came',
  async (packing) => {
    const content = pack[packing]('a,1.00\n');
    expect(await world.upload({ content, headers: { contentEncoding: packing, reprDigest: digestOf(content) } })).toMatchObject({
      kind: 'accepted',
      sha256: sha256(content),
    });
    expect((await world.files())[0]!.sha256).toBe(sha256('a,1.00\n'));
    const bomb = pack[packing](Buffer.alloc(30 * 1024 * 1024));
    expect(await world.upload({ content: bomb, headers: { contentEncoding: packing } })).toMatchObject({
      kind: 'quarantined',
      code: 'E_BOMB',
    });
    const [, kept] = await world.arrivals();
    expect(kept!.object!.sha256).toBe(sha256(bomb));
  },
);

it('an upload that needs a large window to be unpacked is kept in quarantine as it came', async () => {
  const content = await zstdOfWindow('a,1.00\n', 27);
  expect(await world.upload({ content, headers: { contentEncoding: 'zstd' } })).toMatchObject({
    kind: 'quarantined',
    code: 'E_PACKED_WINDOW',
  });
  expect((await world.arrivals())[0]!.object!.sha256).toBe(sha256(content));
});
