/**
 * Warns of dead letters that will expire and ends those that have, tenant by tenant and a bounded number in one transaction.
 * Runs on the leader only.
 */
import { expireDeadLetters, expiryPolicy } from '../control/redrives/dead-letter-expiry.ts';
import { listTenants } from '../platform/access/tenants.ts';
import type { PollingLoop } from '../platform/base/polling-loop.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { createLeaderLoop, type LeaderLoopOptions } from './leader-loop.ts';

/** Letters of one transaction. */
const rowsMax = 1_000;

export function createDeadLetterExpirer(options: LeaderLoopOptions): PollingLoop {
  const { db, ports, logger } = options;
  return createLeaderLoop('dead-letter-expirer', options, async (signal) => {
    const { warned, expired } = await expireAll(db, ports, signal);
    if (warned > 0) logger.warn('dead letters will expire, and nobody has decided about them', { count: warned });
    if (expired > 0) logger.warn('dead letters expired', { count: expired });
  });
}

/** Of all tenants, until none is left or the signal fires. */
export async function expireAll(db: Db, { ids }: Pick<Ports, 'ids'>, signal: AbortSignal): Promise<{ warned: number; expired: number }> {
  const sum = { warned: 0, expired: 0 };
  for (const { tenantId } of await listTenants(db)) {
    for (let isFull = true; isFull && !signal.aborted; ) {
      const done = await withTenant(db, tenantId, async (tx) => expireDeadLetters(tx, ids, await expiryPolicy(tx), rowsMax));
      sum.warned += done.warned;
      sum.expired += done.expired;
      isFull = Math.max(done.warned, done.expired) === rowsMax;
    }
  }
  return sum;
}
