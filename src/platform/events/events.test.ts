import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createNotifier } from '../base/notifier.ts';
import { systemPorts } from '../base/system-ports.ts';
import { withTenant } from '../tenancy/tenant-scope.ts';
import { advanceCursor, readEvents, type StoredEvent, takeCursor } from './event-cursor.ts';
import { type NewEvent, recordEvents } from './event-log.ts';
import { createEventSequencer, sequenceEvents } from './event-sequencer.ts';

const { ids } = systemPorts;
const heldBackMsMax = 60_000;
vi.setConfig({ testTimeout: heldBackMsMax + 30_000 });
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function newTenant(): Promise<string> {
  const tenantId = ids.next();
  await database.db.query('/* plant tenant */ select headgate.ensure_tenant($1, $2, $3, $4, $5)', [
    tenantId,
    `t-${tenantId}`,
    'silver',
    'local',
    'here',
  ]);
  return tenantId;
}

const event = (name: string, ordinal = 0): NewEvent => ({
  type: 'arrival.seen',
  objectId: ids.next(),
  from: '',
  to: 'seen',
  actor: 'system',
  detail: { name, ordinal },
});

const write = (tenantId: string, events: readonly NewEvent[]) => withTenant(database.db, tenantId, (tx) => recordEvents(tx, ids, events));

/** Other tests' transactions hold the numbers back too, in whatever database of this server; one in a deadlock for a second or more. */
async function sequenceAll(): Promise<void> {
  const deadlineMs = performance.now() + heldBackMsMax;
  for (;;) {
    await sequenceEvents(database.db);
    const { rows } = await database.adminDb.query<{ open: number }>(
      '/* unnumbered */ select count(*) as open from headgate.event_transactions where first_seq is null',
    );
    if (rows[0]!.open === 0) return;
    if (performance.now() > deadlineMs) break;
    await systemPorts.sleep.sleep(5);
  }
  const { rows } = await database.adminDb.query<{ who: string }>(
    `/* who holds back */ select datname || ': ' || left(query, 80) as who from pg_stat_activity where backend_xid is not null`,
  );
  throw new Error(`events stay without a number; open transactions: ${rows.map(({ who }) => who).join('; ') || 'none'}`);
}

async function readAll(tenantId: string, limit = 1_000): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const page = await withTenant(database.db, tenantId, (tx) => readEvents(tx, { after: all.at(-1)?.seq ?? 0, limit }), {
      readOnly: true,
    });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

it('events of concurrent writers, half of them rolled back, are numbered without gaps while they write', async () => {
  const tenants = await Promise.all([newTenant(), newTenant()]);
  let isWriting = true;
  const seen = new Map<string, number[]>(tenants.map((tenantId) => [tenantId, []]));
  const sequencing = (async () => {
    while (isWriting) {
      await sequenceEvents(database.db);
      for (const tenantId of tenants) {
        const known = seen.get(tenantId)!;
        const page = await withTenant(database.db, tenantId, (tx) => readEvents(tx, { after: known.at(-1) ?? 0, limit: 1_000 }));
        known.push(...page.map((each) => each.seq));
      }
    }
  })();
  let kept = 0;
  await Promise.all(
    Array.from({ length: 6 }, async (_, writer) => {
      for (let round = 0; round < 12; round++) {
        const isKept = (writer + round) % 2 === 0;
        const events = Array.from({ length: 1 + (round % 3) }, (_each, ordinal) => event(`w${writer}-${round}`, ordinal));
        const written = withTenant(database.db, tenants[writer % 2]!, async (tx) => {
          await recordEvents(tx, ids, events);
          if (!isKept) throw new Error('rolled back on purpose');
        });
        if (isKept) kept += events.length;
        await (isKept ? written : written.catch(() => {}));
      }
    }),
  );
  isWriting = false;
  await sequencing;
  await sequenceAll();
  let total = 0;
  for (const tenantId of tenants) {
    const events = await readAll(tenantId, 7);
    expect(events.map((each) => each.seq)).toEqual(events.map((_, index) => index + 1));
    // What a reader saw while writers were at work stays a prefix: nothing ever appears before it.
    expect(seen.get(tenantId)).toEqual(events.slice(0, seen.get(tenantId)!.length).map((each) => each.seq));
    total += events.length;
  }
  expect(total).toBe(kept);
});

it('an event is not numbered while an older transaction is still open', async () => {
  const tenantId = await newTenant();
  const older = Promise.withResolvers<void>();
  const isOpen = Promise.withResolvers<void>();
  const slow = withTenant(database.db, tenantId, async (tx) => {
    await recordEvents(tx, ids, [event('older')]);
    isOpen.resolve();
    await older.promise;
  });
  await isOpen.promise;
  await write(tenantId, [event('younger')]);
  await sequenceEvents(database.db);
  expect(await readAll(tenantId)).toEqual([]);
  older.resolve();
  await slow;
  await sequenceAll();
  expect((await readAll(tenantId)).map((each) => each.detail?.['name'])).toEqual(['older', 'younger']);
});

it('an event is not numbered while an older transaction of another database of the server is open, but when it has ended', async () => {
  const other = await createTestDatabase({ isEmpty: true });
  try {
    const tenantId = await newTenant();
    await other.adminDb.transaction(async () => {
      await write(tenantId, [event('younger')]);
      await sequenceEvents(database.db);
      expect(await readAll(tenantId)).toEqual([]);
    });
    await sequenceAll();
    expect(await readAll(tenantId)).toHaveLength(1);
  } finally {
    await other.drop();
  }
});

it('any page size gives the same events in the same order', async () => {
  const tenantId = await newTenant();
  for (const size of [3, 1, 5, 2]) {
    await write(
      tenantId,
      Array.from({ length: size }, (_, ordinal) => event(`s${size}`, ordinal)),
    );
  }
  await sequenceAll();
  const whole = await readAll(tenantId);
  expect(whole).toHaveLength(11);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), async (limit) => {
      expect(await readAll(tenantId, limit)).toEqual(whole);
    }),
    { numRuns: 12 },
  );
});

it('events keep what they were given', async () => {
  const tenantId = await newTenant();
  const given: NewEvent = {
    type: 'job.held',
    objectId: ids.next(),
    from: 'running',
    to: 'held',
    actor: 'key:1',
    traceId: 'a'.repeat(32),
    detail: { records: 3 },
  };
  await write(tenantId, [given]);
  await sequenceAll();
  const { objectId, from, to, actor, traceId, detail, type } = (await readAll(tenantId))[0]!;
  expect({ objectId, from, to, actor, traceId, detail, type }).toEqual(given);
});

it.each([
  ['update', "update headgate.events set actor = 'nobody'"],
  ['delete', 'delete from headgate.events'],
  ['truncate', 'truncate headgate.events'],
  ['number', 'update headgate.event_transactions set first_seq = 1'],
  [
    'take a place in the order',
    'insert into headgate.event_transactions (tenant_id, transaction_id, events, first_seq) select tenant_id, tenant_id, 1, 1 from headgate.tenants',
  ],
  [
    'come before others',
    "insert into headgate.event_transactions (tenant_id, transaction_id, events, xid) select tenant_id, tenant_id, 1, '3' from headgate.tenants",
  ],
  ['remove a transaction', 'delete from headgate.event_transactions'],
  ['count again', 'update headgate.event_counters set last_seq = 0'],
  ['switch the trigger off', 'alter table headgate.events disable trigger all'],
  ['another partition', 'delete from headgate.events_other'],
])('the application can not %s events', async (_name, statement) => {
  const tenantId = await newTenant();
  await write(tenantId, [event('kept')]);
  const attack = withTenant(database.db, tenantId, (tx) => tx.query(`/* attack */ ${statement}`));
  await expect(attack).rejects.toMatchObject({ code: expect.stringMatching(/^E_DATABASE_(FORBIDDEN|STATEMENT|REFUSED)$/) });
});

it.each(["update headgate.events set actor = 'nobody'", 'delete from headgate.events'])(
  'not even a superuser gets past the trigger: %s',
  async (statement) => {
    await write(await newTenant(), [event('kept')]);
    await expect(database.adminDb.query(`/* attack */ ${statement}`)).rejects.toMatchObject({ code: 'E_DATABASE_REFUSED' });
  },
);

it("another tenant's events are not there", async () => {
  const [mine, theirs] = [await newTenant(), await newTenant()];
  await write(theirs, [event('theirs')]);
  await sequenceAll();
  expect(await readAll(mine)).toEqual([]);
  const forged = withTenant(database.db, mine, (tx) => recordEvents({ ...tx, tenantId: theirs }, ids, [event('forged')]));
  await expect(forged).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
});

it('a subscriber goes on where it was, at least once, and who was fenced off can not move its place', async () => {
  const tenantId = await newTenant();
  await write(tenantId, [event('1'), event('2'), event('3')]);
  await sequenceAll();
  const inTenant = <T>(work: Parameters<typeof withTenant<T>>[2]) => withTenant(database.db, tenantId, work);
  const first = await inTenant((tx) => takeCursor(tx, 'audit'));
  expect(first.seq).toBe(0);
  const kept = await inTenant((tx) => advanceCursor(tx, first, 2));
  // A restart between handling and keeping the place: the third event is handled again.
  const second = await inTenant((tx) => takeCursor(tx, 'audit'));
  expect(second.seq).toBe(2);
  expect((await inTenant((tx) => readEvents(tx, { after: second.seq, limit: 10 }))).map((each) => each.detail?.['name'])).toEqual(['3']);
  await expect(inTenant((tx) => advanceCursor(tx, kept, 3))).rejects.toMatchObject({ code: 'E_CURSOR_FENCED' });
  await inTenant((tx) => advanceCursor(tx, second, 3));
  await expect(inTenant((tx) => advanceCursor(tx, second, 1))).rejects.toMatchObject({ code: 'E_CURSOR_FENCED' });
});

it('of two sequencers one leads, and the other takes over when it has stopped', async () => {
  const tenantId = await newTenant();
  const rounds = { first: Promise.withResolvers<void>(), second: Promise.withResolvers<void>() };
  const follower: boolean[] = [];
  const notifier = createNotifier();
  const start = (onRound: (round: { isLeader: boolean }) => void) => {
    const loop = createEventSequencer({
      db: database.db,
      ports: systemPorts,
      leaseMs: 2_000,
      onRound,
      onError: () => {},
      waiter: notifier.waiter(systemPorts.sleep),
    });
    loop.start();
    return loop;
  };
  const first = start(({ isLeader }) => isLeader && rounds.first.resolve());
  await rounds.first.promise;
  const second = start(({ isLeader }) => {
    follower.push(isLeader);
    if (isLeader) rounds.second.resolve();
  });
  await write(tenantId, [event('numbered')]);
  notifier.notify();
  expect(await first.stop()).toBe(true);
  await rounds.second.promise;
  expect(await second.stop()).toBe(true);
  expect(follower[0]).toBe(false);
  await sequenceAll();
  expect(await readAll(tenantId)).toHaveLength(1);
});
