import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { createWorld, type World } from './arrivals.fixture.ts';
import { addHints, hintsMax, takeHints } from './source-hints.ts';
import { endLease, leaseDueSources, type SourceLease } from './source-lease.ts';

let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
});

const names = (count: number) => Array.from({ length: count }, (_, index) => `${index}.csv`);
const hint = (...told: string[]) =>
  withTenant(database.db, world.tenantId, (tx) => addHints(tx, { flowId: world.flow.flowId, sourceId: 'in' }, told));
const take = (lease: SourceLease) => withTenant(database.db, world.tenantId, (tx) => takeHints(tx, lease));
const end = (lease: SourceLease, dueInMs: number, isHeld = false) =>
  withTenant(database.db, world.tenantId, (tx) => endLease(tx, lease, dueInMs, isHeld));
async function lease(): Promise<SourceLease | undefined> {
  const found = await leaseDueSources(database.db, { workerId: systemPorts.ids.next(), limit: 1_000, leaseMs: 30_000 });
  return found.find(({ tenantId }) => tenantId === world.tenantId);
}
const passTime = (seconds: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);

/** Listed, and to be listed again in an hour. */
async function listed(): Promise<void> {
  const first = (await lease())!;
  expect(first).toMatchObject({ isHinted: false, isListing: true });
  await end(first, 3_600_000);
  expect(await lease()).toBeUndefined();
}

describe('a source that is told of names', () => {
  it('is due at once for these alone, and its listing is due when it was', async () => {
    await listed();
    await hint('b.csv', 'a.csv', 'a.csv');
    await hint('a.csv');
    const told = (await lease())!;
    expect(told).toMatchObject({ isHinted: true, isListing: false });
    expect((await take(told)).toSorted()).toEqual(['a.csv', 'b.csv']);
    await end(told, 3_600_000);
    expect(await lease()).toBeUndefined();
    await passTime(3_600);
    expect(await lease()).toMatchObject({ isHinted: false, isListing: true });
  });

  it('while it is polled is due again at once', async () => {
    await listed();
    await hint('a.csv');
    const first = (await lease())!;
    await take(first);
    await hint('b.csv');
    await end(first, 3_600_000);
    const second = (await lease())!;
    expect(second).toMatchObject({ isHinted: true, isListing: false });
    expect(await take(second)).toEqual(['b.csv']);
  });

  it('in the moment in which its poll ends is due again all the same', async () => {
    await listed();
    const { promise: isTold, resolve: tell } = Promise.withResolvers<void>();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    await hint('a.csv');
    const first = (await lease())!;
    await take(first);
    const telling = withTenant(database.db, world.tenantId, async (tx) => {
      await addHints(tx, { flowId: world.flow.flowId, sourceId: 'in' }, ['b.csv']);
      tell();
      await mayCommit;
    });
    await isTold;
    const ending = end(first, 3_600_000);
    const waits = `/* waits for a lock */ select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '/* end source lease */%'`;
    await vi.waitUntil(async () => (await database.adminDb.query(waits)).rowCount === 1, { timeout: 60_000, interval: 10 });
    commit();
    await Promise.all([telling, ending]);
    const second = (await lease())!;
    expect(second).toMatchObject({ isHinted: true, isListing: false });
    expect(await take(second)).toEqual(['b.csv']);
  });

  it('is listed all the same when it is told without end', async () => {
    await listed();
    for (let polls = 0; polls < 5; polls++) {
      await hint(`${polls}.csv`);
      const each = (await lease())!;
      expect(each.isListing).toBe(polls === 4);
      await take(each);
      await end(each, 3_600_000);
      await passTime(polls < 3 ? 600 : 3_600);
    }
  });

  it('is listed instead when these are too many, and keeps no more than it may', async () => {
    await listed();
    await hint(...names(hintsMax + 1));
    const flooded = (await lease())!;
    expect(flooded).toMatchObject({ isHinted: true, isListing: true });
    expect(await take(flooded)).toEqual([]);
    await end(flooded, 3_600_000);
    await hint(...names(hintsMax));
    await hint('one-more.csv');
    expect(await take((await lease())!)).toHaveLength(hintsMax);
  });

  it('and whose place can not be used is not tried earlier for that', async () => {
    await listed();
    await hint('a.csv');
    await end((await lease())!, 60_000, true);
    await hint('b.csv');
    expect(await lease()).toBeUndefined();
    await passTime(60);
    const again = (await lease())!;
    expect(again).toMatchObject({ isHinted: true, isListing: true });
    expect((await take(again)).toSorted()).toEqual(['a.csv', 'b.csv']);
  });

  it('has them once: who lost the lease gets none', async () => {
    await listed();
    await hint('a.csv');
    const lost = (await lease())!;
    await passTime(31);
    const now = (await lease())!;
    await expect(take(lost)).rejects.toMatchObject({ code: 'E_SOURCE_FENCED' });
    expect(await take(now)).toEqual(['a.csv']);
  });

  it('forgets them when it is no more', async () => {
    await hint('a.csv');
    await withTenant(database.db, world.tenantId, (tx) =>
      tx.query('/* remove source */ delete from headgate.source_schedules where tenant_id = $1', [tx.tenantId]),
    );
    await hint('b.csv');
    const { rows } = await database.adminDb.query('/* hints */ select 1 from headgate.source_hints where tenant_id = $1', [world.tenantId]);
    expect(rows).toEqual([]);
  });
});
