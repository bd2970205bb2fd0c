import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import type { ClaimedWork, WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import { ensureTenant } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import * as workQueue from './work-queue.ts';

const { ids } = systemPorts;
let database: TestDatabase;
let tenantId: string;
/** Claimed, in descending order of their ids. */
let items: readonly WorkItem[];

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 10 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.adminDb.query('/* clear */ delete from headgate.work_items');
  tenantId = await ensureTenant(database.db, ids, { cell: 'local', region: 'local', name: 'bank', tier: 'gold' });
  await inTenant((tx) =>
    workQueue.addWork(
      tx,
      ids,
      Array.from({ length: 40 }, () => ({ kind: 'deliver', referenceId: ids.next() })),
    ),
  );
  const claimed = await workQueue.claimWork(database.db, 'deliver', { limit: 40, workerId: ids.next(), leaseMs: 60_000 });
  items = claimed.toSorted((a, b) => (a.referenceId < b.referenceId ? 1 : -1));
});

const inTenant = <T>(work: (tx: TenantTx) => Promise<T>): Promise<T> => withTenant(database.db, tenantId, work);
const withDelay = (given: readonly ClaimedWork[]) => given.map((item) => ({ ...item, delayMs: 0 }));

const isWaiting = async (): Promise<boolean> =>
  (await database.adminDb.query("/* waits */ select from pg_locks where not granted and locktype in ('transactionid', 'tuple')")).rowCount >
  0;
const isFree = async (item: WorkItem): Promise<boolean> =>
  (
    await database.adminDb.query('/* try to lock */ select from headgate.work_items where work_id = $1 for update skip locked', [
      item.workId,
    ])
  ).rowCount === 1;

describe('a statement on many claimed items', () => {
  it.each<[string, (tx: TenantTx) => Promise<void>]>([
    ['a renewal', (tx) => workQueue.renewWork(tx, items, 60_000)],
    ['an end', (tx) => workQueue.finishWork(tx, items)],
    ['a return', (tx) => workQueue.releaseWork(tx, withDelay(items))],
    [
      'an end of some with a return of others',
      (tx) =>
        workQueue.endWork(
          tx,
          items.map((item, at) => ({ ...item, delayMs: at < 20 ? null : 0 })),
        ),
    ],
  ])('locks them in the order of their ids: %s', async (_what, act) => {
    const first = items.at(-1)!;
    const last = items[0]!;
    const held = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const holding = inTenant(async (tx) => {
      await tx.query('/* hold */ select from headgate.work_items where work_id = $1 for update', [first.workId]);
      held.resolve();
      await letGo.promise;
    });
    await held.promise;
    const acting = inTenant(act);
    try {
      await vi.waitUntil(isWaiting, { timeout: 60_000, interval: 10 });
      expect(await isFree(last)).toBe(true);
    } finally {
      letGo.resolve();
      await Promise.all([holding, acting]);
    }
  });

  it('never meets another one in a deadlock', async () => {
    const shuffled = (seed: number) =>
      items
        .map((item, at) => ({ item, place: (at * 7_919 * (seed + 1) + seed * 13) % 41 }))
        .sort((a, b) => a.place - b.place)
        .map(({ item }) => item);
    const renew = async (seed: number) => {
      for (let round = 0; round < 15; round++) await inTenant((tx) => workQueue.renewWork(tx, shuffled(seed + round), 60_000));
    };
    await expect(Promise.all([0, 5, 9, 14, 20, 27].map(renew))).resolves.toHaveLength(6);
  });
});
