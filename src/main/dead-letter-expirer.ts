/**
 * Warns of dead letters that will expire and ends those that have, tenant by tenant and a bounded number in one transaction.
 * Runs on the leader only; two at once would do no harm. The database's clock decides.
 */
import { expireDeadLetters, expiryPolicy } from '../control/redrives/dead-letter-expiry.ts';
import { listTenants } from '../platform/access/tenants.ts';
import { createPollingLoop, type PollingLoop } from '../platform/base/polling-loop.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';

export interface DeadLetterExpirerOptions {
  readonly db: Db;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'set'>;
  readonly workerId: string;
}

const pauseMs = 10 * 60_000;
const leaseMs = 20 * 60_000;
/** Letters of one transaction. */
const rowsMax = 1_000;
const lead = '/* lead dead letter expirer */ select headgate.lead($1, $2, $3) as fence';

export function createDeadLetterExpirer({ db, ports, logger, metrics, workerId }: DeadLetterExpirerOptions): PollingLoop {
  return createPollingLoop({
    ports,
    onError: (error) => logger.error('the dead letter expirer failed and goes on', { error }),
    idleMinMs: pauseMs,
    idleMaxMs: pauseMs,
    async work(signal) {
      const { rows } = await db.query<{ fence: number | null }>(lead, ['dead-letter-expirer', workerId, leaseMs]);
      const isLeader = (rows[0]?.fence ?? null) !== null;
      metrics.set('headgate_is_leader', { role: 'dead-letter-expirer' }, Number(isLeader));
      if (!isLeader) return false;
      const { warned, expired } = await expireAll(db, ports, signal);
      if (warned > 0) logger.warn('dead letters will expire, and nobody has decided about them', { count: warned });
      if (expired > 0) logger.warn('dead letters expired', { count: expired });
      return false;
    },
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
