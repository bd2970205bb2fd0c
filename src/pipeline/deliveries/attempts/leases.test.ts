import { expect, it } from 'vitest';
import type { WorkItem } from '../work-queue-port.ts';
import { createLeases } from './leases.ts';

const item: WorkItem = { tenantId: 't', kind: 'deliver', workId: 'w', referenceId: 'w', laneKey: '', fence: 1, attempts: 1, cost: 1 };

it.each([
  ['its process was stopped', { risingMs: 21_000, wallMs: 21_000 }, false],
  ['its machine slept, and the rising clock with it', { risingMs: 10, wallMs: 21_000 }, false],
  ['the wall clock was set back', { risingMs: 19_000, wallMs: -3_600_000 }, true],
  ['the wall clock was set back and time went by', { risingMs: 21_000, wallMs: -3_600_000 }, false],
])('a lease is certain for two thirds of its time, also where %s', (_, { risingMs, wallMs }, isCertain) => {
  const at = { rising: 5_000, wall: 1_800_000_000_000 };
  const leases = createLeases({ monotonicMs: () => at.rising, nowMs: () => at.wall }, 30_000);
  leases.add(item, at.rising - 100);
  expect(leases.isCertain(item)).toBe(true);
  at.rising += risingMs;
  at.wall += wallMs;
  expect(leases.isCertain(item)).toBe(isCertain);
  // Whatever clocks did, one that was renewed is certain again.
  leases.extend(item, at.rising);
  expect(leases.isCertain(item)).toBe(true);
});
