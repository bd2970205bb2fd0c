/**
 * Gauges of the queue, read from the database when metrics are asked for: at most once in five seconds, because anybody who
 * reaches the address may ask, and never twice at once. While the database is away, or does not answer within two seconds,
 * the last values stay; an answer that comes later is still taken.
 */
import type { Clock, Sleep } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

interface KindOfWork {
  readonly kind: string;
  readonly ready: number;
  readonly leased: number;
  readonly oldestSeconds: number;
}

const pauseMs = 5_000;
const waitMsMax = 2_000;
const kinds = ['chunks', 'check', 'deliver', 'close', 'breaker', 'acknowledge', 'collect', 'answer'];

const countWork = `/* count work */
  select kind, ready, leased, greatest(0, extract(epoch from headgate.clock() - oldest_due))::float8 as "oldestSeconds" from headgate.count_work()`;

export function measureWork(
  metrics: Pick<Metrics, 'onRender' | 'set'>,
  db: Db,
  ports: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly sleep: Sleep },
): void {
  const { clock, sleep } = ports;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  async function measure(): Promise<void> {
    const found = new Map((await db.query<KindOfWork>(countWork)).rows.map((row) => [row.kind, row]));
    for (const kind of kinds) {
      const { ready, leased, oldestSeconds } = found.get(kind) ?? { ready: 0, leased: 0, oldestSeconds: 0 };
      metrics.set('headgate_backlog', { kind }, ready);
      metrics.set('headgate_leased', { kind }, leased);
      metrics.set('headgate_backlog_oldest_seconds', { kind }, oldestSeconds);
    }
  }

  metrics.onRender(async () => {
    if (underWay === undefined) {
      if (clock.monotonicMs() - askedAtMs < pauseMs) return;
      askedAtMs = clock.monotonicMs();
      underWay = measure().finally(() => {
        underWay = undefined;
      });
    }
    const answered = new AbortController();
    await Promise.race([underWay, sleep.sleep(waitMsMax, answered.signal)]).finally(() => answered.abort());
  });
}
