/**
 * Gauges of the queue, read from the database when metrics are asked for: at most once in five seconds, because anybody who
 * reaches the address may ask. While the database is away the last values stay.
 */
import type { Clock } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

interface KindOfWork {
  readonly kind: string;
  readonly ready: number;
  readonly leased: number;
  readonly oldestSeconds: number;
}

const pauseMs = 5_000;
const kinds = ['chunks', 'check', 'deliver', 'close', 'breaker', 'acknowledge', 'collect', 'answer'];

const countWork = `/* count work */
  select kind, ready, leased, greatest(0, extract(epoch from headgate.clock() - oldest_due))::float8 as "oldestSeconds" from headgate.count_work()`;

export function measureWork(metrics: Pick<Metrics, 'onRender' | 'set'>, db: Db, clock: Clock): void {
  let readAtMs = Number.NEGATIVE_INFINITY;
  metrics.onRender(async () => {
    if (clock.monotonicMs() - readAtMs < pauseMs) return;
    readAtMs = clock.monotonicMs();
    const found = new Map((await db.query<KindOfWork>(countWork)).rows.map((row) => [row.kind, row]));
    for (const kind of kinds) {
      const { ready, leased, oldestSeconds } = found.get(kind) ?? { ready: 0, leased: 0, oldestSeconds: 0 };
      metrics.set('headgate_backlog', { kind }, ready);
      metrics.set('headgate_leased', { kind }, leased);
      metrics.set('headgate_backlog_oldest_seconds', { kind }, oldestSeconds);
    }
  });
}
