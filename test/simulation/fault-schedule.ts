/** Breaks what stands around the serving processes, again and again: COMMITs, requests to sinks, the database server itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import type { EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { stopPostmaster } from '../../src/platform/postgres/postmaster.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Surroundings } from './surroundings.ts';
import { deliveryMessages, type WideProxies } from './wide-surroundings.ts';

export interface FaultSchedule {
  /** Means of the pauses between two faults of a kind; 0 for none. */
  readonly databaseRestartMs: number;
  readonly lostCommitMs: number;
  readonly lostRequestMs: number;
  /** Which requests to the HTTP sink are broken; all when left out. */
  readonly requests?: RegExp;
  /**
   * The same for the connections to the servers of the wide surroundings, and for each kind of fault of these. Long beside the pauses
   * between batches of one target, or every probe of its breaker meets one.
   */
  readonly wide?: { readonly lostRequestMs: number; readonly serverFaultMs: number };
}

export interface RunningFaults {
  readonly databaseRestarts: number;
  /** Of the servers of the wide surroundings, by name of the fault; null for one that can't be made here. */
  readonly serverFaults: Readonly<Record<string, number | null>>;
  /** The database is being restarted, or was within the last seconds. */
  readonly isDatabaseAway: boolean;
  /** Ends when the database runs and no fault is armed. */
  stop(): Promise<void>;
}

/** A process that found no database may take a moment to give up. */
const awayAfterMs = 3_000;

const commit = /\/\* commit \*\/|\bcommit\b/i;
const post = /^POST /;

export function startFaults(
  { proxies, wide }: Pick<Surroundings, 'proxies' | 'wide'>,
  cluster: EmbeddedPostgres,
  schedule: FaultSchedule,
  random: SeededRandom,
): RunningFaults {
  const ended = new AbortController();
  const { signal } = ended;
  let databaseRestarts = 0;
  const serverFaults: Record<string, number | null> = {};
  let awayUntilMs = 0;

  async function every(meanMs: number, fault: () => Promise<void> | void): Promise<void> {
    if (meanMs === 0) return;
    for (;;) {
      await sleep(random.between(meanMs / 2, meanMs * 1.5), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await fault();
    }
  }
  const breakOne = (proxy: TcpProxy, match: RegExp) => () =>
    proxy.arm({ match, how: random.isTrue(0.65) ? 'forward-and-drop-answer' : 'cut-before-forward' });

  const running = [
    every(schedule.lostCommitMs, breakOne(proxies.database, commit)),
    every(schedule.lostCommitMs, breakOne(proxies.tableSink, commit)),
    every(schedule.lostRequestMs, breakOne(proxies.httpSink, schedule.requests ?? post)),
    every(schedule.databaseRestartMs, async () => {
      awayUntilMs = Number.POSITIVE_INFINITY;
      await stopPostmaster(cluster.folder, systemPorts, 'immediate');
      await cluster.revive();
      awayUntilMs = performance.now() + awayAfterMs;
      databaseRestarts += 1;
    }),
    ...(Object.entries(wide?.proxies ?? {}) as [keyof WideProxies, TcpProxy][]).map(([name, proxy]) =>
      every(schedule.wide?.lostRequestMs ?? 0, breakOne(proxy, deliveryMessages[name])),
    ),
    ...Object.entries(wide?.serverFaults ?? {}).map(async ([name, fault]) => {
      serverFaults[name] = null;
      if (fault === null) return;
      let made = 0;
      serverFaults[name] = made;
      await every(schedule.wide?.serverFaultMs ?? 0, async () => {
        if (await fault(random)) serverFaults[name] = ++made;
      });
    }),
  ];
  return {
    get databaseRestarts() {
      return databaseRestarts;
    },
    serverFaults,
    get isDatabaseAway() {
      return performance.now() < awayUntilMs;
    },
    async stop() {
      ended.abort();
      await Promise.all(running);
      for (const proxy of Object.values(proxies)) proxy.disarm();
    },
  };
}
