/**
 * Removes idempotency keys that are older than they are kept, tenant by tenant and a bounded number in one transaction, so
 * that no statement is long. Runs on the leader only; two at once would do no harm. The database's clock decides.
 */
import { deleteExpiredKeys } from '../platform/access/idempotency-keys.ts';
import { listTenants } from '../platform/access/tenants.ts';
import { createPollingLoop, type PollingLoop } from '../platform/base/polling-loop.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';

export interface KeyPrunerOptions {
  readonly db: Db;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'set'>;
  readonly workerId: string;
}

const pauseMs = 10 * 60_000;
const leaseMs = 20 * 60_000;
/** Keys of one transaction. */
const rowsMax = 1_000;
const lead = '/* lead key pruner */ select headgate.lead($1, $2, $3) as fence';

export function createKeyPruner({ db, ports, logger, metrics, workerId }: KeyPrunerOptions): PollingLoop {
  return createPollingLoop({
    ports,
    onError: (error) => logger.error('the key pruner failed and goes on', { error }),
    idleMinMs: pauseMs,
    idleMaxMs: pauseMs,
    async work(signal) {
      const { rows } = await db.query<{ fence: number | null }>(lead, ['key-pruner', workerId, leaseMs]);
      const isLeader = (rows[0]?.fence ?? null) !== null;
      metrics.set('headgate_is_leader', { role: 'key-pruner' }, Number(isLeader));
      if (!isLeader) return false;
      const removed = await pruneKeys(db, { signal, rowsMax });
      if (removed > 0) logger.info('expired idempotency keys removed', { removed });
      return false;
    },
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
