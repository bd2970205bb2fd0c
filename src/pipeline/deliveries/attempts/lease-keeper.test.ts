import { expect, it } from 'vitest';
import { createTestDatabase } from '../../../../test/support/postgres.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { WorkItem } from '../work-queue-port.ts';
import { createLeaseKeeper } from './lease-keeper.ts';
import { createLeases } from './leases.ts';

it('a lease that went to another is lost alone: the others of its tenant are renewed', async () => {
  const database = await createTestDatabase();
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const leases = createLeases(clock, 900);
  const tenantId = systemPorts.ids.next();
  const itemOf = (workId: string): WorkItem => ({
    tenantId,
    kind: 'deliver',
    workId,
    referenceId: workId,
    laneKey: '',
    fence: 1,
    attempts: 1,
    cost: 1,
  });
  const [kept, lost] = [itemOf(systemPorts.ids.next()), itemOf(systemPorts.ids.next())];
  for (const item of [kept, lost]) leases.add(item, nowMs);
  const asked: number[] = [];
  let renewed!: () => void;
  const isRenewed = new Promise<void>((resolve) => (renewed = resolve));
  const keeper = createLeaseKeeper({
    leases,
    db: database.db,
    leaseMs: 900,
    ports: { ...systemPorts, clock },
    onError(error) {
      throw error;
    },
    queue: {
      async renewOurs(_tx, items) {
        asked.push(items.length);
        if (asked.length === 2) renewed();
        return { renewed: new Set(items.map(({ workId }) => workId).filter((workId) => workId !== lost!.workId)), locked: new Set() };
      },
    },
  });
  nowMs = 500;
  expect([leases.isCertain(kept!), leases.isCertain(lost!)]).toEqual([true, true]);
  nowMs = 650;
  expect(leases.isCertain(kept!)).toBe(false);
  keeper.start();
  await isRenewed;
  await keeper.stop();
  // Both, and in the next round only what is still ours.
  expect(asked.slice(0, 2)).toEqual([2, 1]);
  expect([leases.isCertain(kept!), leases.isCertain(lost!)]).toEqual([true, false]);
  await database.drop();
});
