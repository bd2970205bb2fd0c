import { expect, it, onTestFinished } from 'vitest';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { recordEvents } from '../../src/platform/events/event-log.ts';
import { sequenceEvents } from '../../src/platform/events/event-sequencer.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { countLeft } from './ledger-check.ts';

it('something is left as long as an event has no number', { timeout: 60_000 }, async () => {
  const { db, adminDb, drop } = await createTestDatabase({ connectionsMax: 2 });
  onTestFinished(drop);
  expect(await countLeft(adminDb)).toBe(0);
  const { ids, sleep } = systemPorts;
  const tenantId = await ensureTenant(db, ids, { name: 'bank', cell: 'local', region: 'local' });
  const event = { type: 'job.held', objectId: ids.next(), from: 'running', to: 'held', actor: 'test' } as const;
  await withTenant(db, tenantId, (tx) => recordEvents(tx, ids, [event]));
  expect(await countLeft(adminDb)).toBeGreaterThan(0);
  while ((await countLeft(adminDb)) > 0) {
    await sequenceEvents(db);
    await sleep.sleep(5);
  }
});
