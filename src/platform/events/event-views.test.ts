import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../base/system-ports.ts';
import { withTenant } from '../tenancy/tenant-scope.ts';
import type { StoredEvent } from './event-cursor.ts';
import { recordEvents } from './event-log.ts';
import { sequenceEvents } from './event-sequencer.ts';
import { type EventsWanted, findEvents } from './event-views.ts';

const { ids, sleep } = systemPorts;
const [job, other] = [ids.next(), ids.next()];
const types = ['job.created', 'job.started', 'job.completed'] as const;
/** In transactions of one to four. */
const written = Array.from({ length: 60 }, (_, at) => ({ type: types[at % 3]!, objectId: at % 7 === 0 ? job : other }));
let database: TestDatabase;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = ids.next();
  await database.db.query('/* plant tenant */ select headgate.ensure_tenant($1, $2, $3, $4, $5)', [
    tenantId,
    'acme',
    'silver',
    'local',
    'here',
  ]);
  for (let at = 0, size = 1; at < written.length; at += size, size = (size % 4) + 1) {
    const events = written.slice(at, at + size).map((event) => ({ ...event, from: '', to: '', actor: 'system' }));
    await withTenant(database.db, tenantId, (tx) => recordEvents(tx, ids, events));
  }
  // Transactions of other tests hold the numbers back too.
  const deadlineMs = performance.now() + 60_000;
  while ((await find({ after: 0, limit: 1_000 })).items.length < written.length) {
    if (performance.now() > deadlineMs) throw new Error('events stay without a number');
    await sequenceEvents(database.db);
    await sleep.sleep(5);
  }
});
afterAll(() => database.drop());

const find = (wanted: EventsWanted) => withTenant(database.db, tenantId, (tx) => findEvents(tx, wanted), { readOnly: true });

const fits = ({ about, type, after }: Partial<EventsWanted>) =>
  written
    .map((event, at) => ({ ...event, seq: at + 1 }))
    .filter(({ seq, type: own, objectId }) => seq > (after ?? 0) && (type ?? own) === own && (about ?? objectId) === objectId);

/** Page by page, as long as there is somewhere to go on from. */
async function findAll(wanted: EventsWanted): Promise<{ readonly found: StoredEvent[]; readonly pages: number }> {
  const found: StoredEvent[] = [];
  let place = wanted;
  for (let pages = 1; ; pages++) {
    const { items, next } = await find(place);
    found.push(...items);
    if (next === null) return { found, pages };
    place = wanted.latest === undefined ? { ...place, after: next } : { ...place, latest: { before: next } };
  }
}

const wants = [
  {},
  { type: 'job.started' },
  { type: 'job.none' },
  { about: job },
  { about: job, type: 'job.completed' },
  { about: ids.next() },
];
const places = [0, 1, 17, 59, 60, 99];

it.each(wants)('events of %j are found in order, and from the latest back, wherever the pages end', async (wanted) => {
  for (const after of places)
    for (const limit of [1, 7, 1_000]) {
      const expected = fits({ ...wanted, after }).map(({ seq, type, objectId }) => [seq, type, objectId]);
      const seen = async (more: object) =>
        (await findAll({ ...wanted, after, limit, lookedAtMax: 10, ...more })).found.map(({ seq, type, objectId }) => [
          seq,
          type,
          objectId,
        ]);
      expect(await seen({})).toEqual(expected);
      expect(await seen({ latest: { before: Number.MAX_SAFE_INTEGER } })).toEqual(expected.toReversed());
    }
});

it('a look for a rare type ends after so many events, and says where to go on', async () => {
  const wanted = { type: 'job.none', limit: 5, lookedAtMax: 20 };
  expect(await find({ ...wanted, after: 0 })).toEqual({ items: [], next: 20 });
  expect((await findAll({ ...wanted, after: 0 })).pages).toBe(3);
  expect(await find({ ...wanted, after: 0, latest: { before: 51 } })).toEqual({ items: [], next: 31 });
});

it('no event of another tenant is found, by its id either', async () => {
  const foreign = ids.next();
  await database.db.query('/* plant tenant */ select headgate.ensure_tenant($1, $2, $3, $4, $5)', [
    foreign,
    'other',
    'silver',
    'local',
    'here',
  ]);
  const seen = await withTenant(database.db, foreign, (tx) => findEvents(tx, { about: job, after: 0, limit: 10 }), { readOnly: true });
  expect(seen).toEqual({ items: [], next: null });
});
