/**
 * Removes idempotency keys that are older than they are kept, tenant by tenant and a bounded number in one transaction, so
 * that no statement is long. Runs on the leader only.
 */
import { deleteExpiredKeys } from '../platform/access/idempotency-keys.ts';
import { listTenants } from '../platform/access/tenants.ts';
import type { PollingLoop } from '../platform/base/polling-loop.ts';
import type { Db } from '../platform/postgres/database.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { createLeaderLoop, type LeaderLoopOptions } from './leader-loop.ts';

/** Keys of one transaction. */
const rowsMax = 1_000;

export function createKeyPruner(options: LeaderLoopOptions): PollingLoop {
  const { db, logger } = options;
  return createLeaderLoop('key-pruner', options, async (signal) => {
    const removed = await pruneKeys(db, { signal, rowsMax });
    if (removed > 0) logger.info('expired idempotency keys removed', { removed });
  });
}

/** Of all tenants, until none is left or the signal fires. Returns how many were removed. */
export async function pruneKeys(db: Db, limits: { readonly signal: AbortSignal; readonly rowsMax: number }): Promise<number> {
  let removed = 0;
  for (const { tenantId } of await listTenants(db)) {
    for (let last = limits.rowsMax; last === limits.rowsMax && !limits.signal.aborted; removed += last)
      last = await withTenant(db, tenantId, (tx) => deleteExpiredKeys(tx, limits.rowsMax));
  }
  return removed;
}
