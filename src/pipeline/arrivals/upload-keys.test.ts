import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { openPool } from '../../platform/postgres/pool.ts';
import { createWorld, endAt, type World } from './arrivals.fixture.ts';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
});

const big = 'b,1.00\n'.repeat(20_000);

describe('idempotency keys', () => {
  const headers = { idempotencyKey: 'e1b9' };

  it('the same request has the same answer, and is one file', async () => {
    const first = await world.upload({ headers });
    expect(await world.upload({ headers })).toEqual(first);
    expect(await world.files()).toHaveLength(1);
    expect(await world.arrivals()).toHaveLength(1);
  });

  it('the answer stays the same though the limits are full by now', async () => {
    const first = await world.upload({ headers });
    world.settings.limits = { ...world.settings.limits, storedBytesMax: 0 };
    expect(await world.upload({ headers })).toEqual(first);
  });

  it.each<[string, (settings: typeof world.settings) => void]>([
    ['is disabled', (settings) => (settings.isEnabled = false)],
    ['takes no uploads', (settings) => (settings.hasUploads = false)],
    ['takes other names', (settings) => (settings.source = { ...settings.source, match: '*.txt' })],
    ['takes smaller files', (settings) => (settings.source = { ...settings.source, limits: { ...settings.source.limits, bytesMax: 1 } })],
  ])('the answer stays the same though the flow %s by now', async (_what, change) => {
    const first = await world.upload({ headers });
    change(world.settings);
    expect(await world.upload({ headers })).toEqual(first);
    await expect(world.upload({ headers, content: big })).rejects.toMatchObject({ code: 'E_KEY_REUSED' });
  });

  it.each([
    ['another body', { content: 'b,1.00\n' }],
    ['another name', { name: 'b.csv' }],
  ])('with %s it is refused, and nothing is kept', async (_what, other) => {
    await world.upload({ headers });
    const stored = world.storedNames();
    await expect(world.upload({ headers, ...other })).rejects.toMatchObject({ code: 'E_KEY_REUSED' });
    expect(world.storedNames()).toEqual(stored);
  });

  it('an answer of quarantine or duplicate is kept too', async () => {
    await world.upload();
    const duplicate = await world.upload({ headers });
    expect(duplicate.kind).toBe('duplicate');
    expect(await world.upload({ headers })).toEqual(duplicate);
    const bad = { content: 'no gzip', headers: { idempotencyKey: 'q', contentEncoding: 'gzip' } };
    const quarantined = await world.upload(bad);
    expect(quarantined).toMatchObject({ kind: 'quarantined', code: 'E_ARCHIVE' });
    expect(await world.upload(bad)).toEqual(quarantined);
    expect(await world.arrivals()).toHaveLength(3);
  });

  it('while the first still runs, in this process or another, the second gets its answer', async () => {
    // Each upload of the fixture has a queue of its own, as two processes have.
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.upload({ headers })));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await world.files()).toHaveLength(1);
    expect(await world.arrivals()).toHaveLength(1);
    const big6 = await Promise.all(Array.from({ length: 6 }, () => world.upload({ content: big, headers: { idempotencyKey: 'big' } })));
    for (const answer of big6) expect(answer).toEqual(big6[0]);
    expect(world.storedNames().filter((name) => name.includes('/raw/'))).toHaveLength(1);
  });

  it('a key is of its tenant', async () => {
    const other = await createWorld(database);
    await world.upload({ headers });
    expect((await other.upload({ headers, content: 'b,1.00\n' })).kind).toBe('accepted');
  });

  it.each(['', 'with space', 'ü', 'x'.repeat(256)])('the key %j is refused', async (idempotencyKey) => {
    await expect(world.upload({ headers: { idempotencyKey } })).rejects.toMatchObject({ code: 'E_IDEMPOTENCY_KEY' });
  });
});

describe('a process that ends', () => {
  it.each(['arrivals.before-pack', 'arrivals.before-commit'])('at %s has accepted nothing, and the sender sends again', async (point) => {
    await expect(world.upload({ parts: { crashPoints: endAt(point) }, headers: { idempotencyKey: 'k' } })).rejects.toThrow(point);
    expect(await world.arrivals()).toEqual([]);
    expect((await world.upload({ headers: { idempotencyKey: 'k' } })).kind).toBe('accepted');
  });

  it('after COMMIT and before its answer has accepted the file; sent again it is a duplicate, or the same by its key', async () => {
    await expect(
      world.upload({ parts: { crashPoints: endAt('arrivals.after-commit') }, headers: { idempotencyKey: 'k' } }),
    ).rejects.toThrow();
    expect((await world.upload({ headers: { idempotencyKey: 'k' } })).kind).toBe('accepted');
    expect((await world.upload()).kind).toBe('duplicate');
    expect(await world.jobs()).toBe(1);
  });
});

it.each([
  ['forward-and-drop-answer', 'a small file', 'a,1.00\n'],
  ['cut-before-forward', 'a small file', 'a,1.00\n'],
  ['forward-and-drop-answer', 'a big file', big],
  ['cut-before-forward', 'a big file', big],
] as const)('an answer to COMMIT that is lost (%s) is found out before %s is acknowledged', async (how, _what, content) => {
  const target = new URL(database.url);
  const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
  target.port = String(proxy.port);
  const db = openPool({ url: target.href, applicationName: 'arrivals test', connectionsMax: 3 });
  try {
    const crashPoints = {
      reach: (point: string) => (point === 'arrivals.before-commit' ? proxy.arm({ match: /commit \*\/ commit/, how }) : undefined),
    };
    expect(await world.upload({ content, parts: { db, crashPoints }, headers: { idempotencyKey: 'k' } })).toMatchObject({
      kind: 'accepted',
      acceptedNumber: 1,
    });
    expect(proxy.faultsUsed).toBe(1);
  } finally {
    await db.close();
    await proxy.close();
  }
  expect(await world.jobs()).toBe(1);
  expect(await world.content((await world.files())[0]!.object)).toBe(content);
});
