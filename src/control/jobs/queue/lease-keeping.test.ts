import { expect, it, vi } from 'vitest';
import { createTestDatabase } from '../../../../test/support/postgres.ts';
import { createLeaseKeeper } from '../../../pipeline/deliveries/attempts/lease-keeper.ts';
import { createLeases } from '../../../pipeline/deliveries/attempts/leases.ts';
import { ensureTenant } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { createWorkQueue } from './work-queue.ts';

it('leases of many are renewed in one transaction although some of them are lost', async () => {
  const database = await createTestDatabase();
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  const queue = createWorkQueue(systemPorts.ids);
  const work = Array.from({ length: 60 }, () => ({ kind: 'deliver', referenceId: systemPorts.ids.next() }) as const);
  await withTenant(database.db, tenantId, (tx) => queue.addWork(tx, work));
  const claimed = await queue.claimWork(database.db, 'deliver', { limit: 60, workerId: systemPorts.ids.next(), leaseMs: 30_000 });
  const [lost, kept] = [claimed.slice(0, 7), claimed.slice(7)];
  // Added again: whoever has it loses it.
  await withTenant(database.db, tenantId, (tx) =>
    queue.addWork(
      tx,
      lost.map(({ referenceId }) => ({ kind: 'deliver', referenceId })),
    ),
  );
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const leases = createLeases(clock, 30_000);
  for (const item of claimed) leases.add(item, 0);
  nowMs = 15_000;
  let transactions = 0;
  const counted: Db = {
    ...database.db,
    query: (sql, params) => database.db.query(sql, params),
    transaction: (run, options) => {
      transactions += 1;
      return database.db.transaction(run, options);
    },
  };
  const keeper = createLeaseKeeper({
    leases,
    db: counted,
    queue,
    leaseMs: 30_000,
    ports: { ...systemPorts, clock },
    onError(error) {
      throw error;
    },
  });
  keeper.start();
  await vi.waitFor(() => expect(leases.byTenant().get(tenantId)).toHaveLength(kept.length), 60_000);
  expect(transactions).toBe(1);
  expect(kept.every((item) => leases.isCertain(item))).toBe(true);
  expect(lost.some((item) => leases.isCertain(item))).toBe(false);
  await keeper.stop();
  await database.drop();
});

it('leases are renewed although the work of one is locked by a transaction that takes long, and that one is not lost', async () => {
  const database = await createTestDatabase();
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  const queue = createWorkQueue(systemPorts.ids);
  const work = Array.from({ length: 3 }, () => ({ kind: 'deliver', referenceId: systemPorts.ids.next() }) as const);
  await withTenant(database.db, tenantId, (tx) => queue.addWork(tx, work));
  const claimed = await queue.claimWork(database.db, 'deliver', { limit: 3, workerId: systemPorts.ids.next(), leaseMs: 30_000 });
  const [ending, lost, other] = claimed;
  await withTenant(database.db, tenantId, (tx) => queue.addWork(tx, [{ kind: 'deliver', referenceId: lost!.referenceId }]));
  const locked = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const end = withTenant(database.db, tenantId, async (tx) => {
    await queue.endWork(tx, [{ ...ending!, delayMs: null }]);
    locked.resolve();
    await letGo.promise;
  });
  await locked.promise;
  const renewed = await withTenant(database.db, tenantId, (tx) => queue.renewOurs(tx, claimed, 60_000));
  expect(renewed).toEqual({ renewed: new Set([other!.workId]), locked: new Set([ending!.workId]) });
  letGo.resolve();
  await end;
  const after = await withTenant(database.db, tenantId, (tx) => queue.renewOurs(tx, claimed, 60_000));
  expect(after).toEqual({ renewed: new Set([other!.workId]), locked: new Set() });
  await database.drop();
});
