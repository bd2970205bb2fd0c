/**
 * Housekeeping that one process of all does: every few minutes whoever has the lease of its name works, the others look again
 * later. Two at once would do no harm, so a lease that runs out in the middle needs no fence. The database's clock decides.
 */
import { createPollingLoop, type PollingLoop } from '../platform/base/polling-loop.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

export interface LeaderLoopOptions {
  readonly db: Db;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'set'>;
  readonly workerId: string;
}

const pauseMs = 10 * 60_000;
const leaseMs = 20 * 60_000;
const lead = '/* lead housekeeping */ select headgate.lead($1, $2, $3) as fence';

/** `role`: name of the lease, of the metric's label and in messages. */
export function createLeaderLoop(
  role: string,
  { db, ports, logger, metrics, workerId }: LeaderLoopOptions,
  work: (signal: AbortSignal) => Promise<void>,
): PollingLoop {
  return createPollingLoop({
    ports,
    onError: (error) => logger.error('housekeeping failed and goes on', { role, error }),
    idleMinMs: pauseMs,
    idleMaxMs: pauseMs,
    async work(signal) {
      const { rows } = await db.query<{ fence: number | null }>(lead, [role, workerId, leaseMs]);
      const isLeader = (rows[0]?.fence ?? null) !== null;
      metrics.set('headgate_is_leader', { role }, Number(isLeader));
      if (isLeader) await work(signal);
      return false;
    },
  });
}
