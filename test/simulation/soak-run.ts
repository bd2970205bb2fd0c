/**
 * One soak from set-up to verdict: two serving processes that are killed and started again under traffic and faults, then
 * peace, in which everything must come to its end, then the questions to the journals and to the product's own books.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { checkEndToEnd, type EndToEndResult } from './end-to-end-check.ts';
import { type FaultSchedule, startFaults } from './fault-schedule.ts';
import type { Traffic } from './generated-files.ts';
import { checkLedger, countLeft, countOpenJobs, type LedgerResult } from './ledger-check.ts';
import { acksPerKill, createLifePlan, type LifeShares } from './life-plan.ts';
import { seededRandom } from './seeded-random.ts';
import { type Senders, startSenders } from './senders.ts';
import { freePort, startServing } from './served-process.ts';
import { drainMsMax, runServerSlot } from './server-slot.ts';
import { flowsOf, type TargetScope } from './soak-flows.ts';
import { describeStandstill } from './standstill.ts';
import { openSurroundings, type Surroundings } from './surroundings.ts';

export interface SoakOptions {
  readonly folder: string;
  readonly cluster: EmbeddedPostgres;
  readonly name: string;
  /** `usual` when left out. */
  readonly scope?: TargetScope;
  readonly seed: number;
  readonly kills: number;
  readonly points: readonly string[];
  readonly shares: LifeShares;
  readonly pausePoints: readonly string[];
  /** See `LifePlanOptions`. */
  readonly isAimed?: boolean;
  readonly traffic?: Traffic;
  readonly faults: FaultSchedule;
  /** Senders wait while so many jobs are open; as many as suit the scope when left out. */
  readonly openJobsMax?: number;
  /** The second server is left alone, so that somebody takes over what the first one leaves. */
  readonly isSecondSteady?: boolean;
  /** HEADGATE_TEST_PLANT of the serving processes. */
  readonly plant?: string;
  /** What is still open is stuck when nothing disturbs it and nothing has come to its end for so long. */
  readonly stillMsMax: number;
  readonly say: (line: string) => void;
}

export interface SoakResult extends Omit<EndToEndResult, 'examples'>, Omit<LedgerResult, 'examples'> {
  readonly scope: TargetScope;
  readonly kills: number;
  /** Mean over the kills: files on their way in and jobs not closed at that moment. */
  readonly inFlightAtKill: number;
  readonly points: Readonly<Record<string, number>>;
  /** Files by the way they came. */
  readonly acknowledgedBy: Senders['acknowledgedBy'];
  /** Pauses, drains, broken connections and restarts, by what was broken; null for what can't be made to break here, as a real broker. */
  readonly faults: Readonly<Record<string, number | null>>;
  /** Ends of processes that nobody asked for. */
  readonly surprises: readonly string[];
  readonly examples: readonly string[];
}

/** Sessions of MySQL end after a third of a lease, in whole seconds. */
const leasesMs: Readonly<Record<TargetScope, number>> = { usual: 1_000, all: 3_000 };
const partnersCount = 6;
/** Lanes wait a lease at each kill: with long leases files come faster than they are delivered, until there is peace. */
const usualOpenJobs: Readonly<Record<TargetScope, number>> = { usual: 150, all: 500 };
const lookMs = 200;
/** Something is wrong with the set-up, not with the product's endurance. */
const surprisesMax = 20;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const random = seededRandom(options.seed);
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const { scope = 'usual' } = options;
  const surroundings = await openSurroundings({ ...options, scope, leaseMs: leasesMs[scope] });
  try {
    const ports = [await freePort(), await freePort()];
    const watch = watchOpenJobs(surroundings);
    const senders = startSenders({
      surroundings,
      ports,
      random: random.fork(),
      traffic: { flows: flowsOf(scope), ...options.traffic },
      uploadersCount: 6,
      droppersCount: 2,
      partnersCount: scope === 'all' ? partnersCount : 0,
      openJobsMax: options.openJobsMax ?? usualOpenJobs[scope],
      openJobs: () => watch.openJobs,
    });
    const disturbed = await disturb(options, { surroundings, ports, senders, openJobs: () => watch.openJobs, random });
    const surprises = [...disturbed.surprises, ...(await makePeace(options, { surroundings, ports, senders }))];
    await watch.stop();
    await surroundings.wide?.finishConsumers();
    const endToEnd = await checkEndToEnd(surroundings, senders.files);
    const ledger = await checkLedger(surroundings, senders.files);
    const { acknowledgedBy } = senders;
    const examples = [...endToEnd.examples, ...ledger.examples];
    return { scope, ...endToEnd, acknowledgedBy, ...ledger, ...disturbed, surprises, examples };
  } finally {
    await surroundings.close();
  }
}

interface Scene {
  readonly surroundings: Surroundings;
  readonly ports: readonly number[];
  readonly senders: Senders;
}

/** The time of kills and faults. */
async function disturb(
  { scope = 'usual', kills, points, shares, pausePoints, isAimed, faults, isSecondSteady, plant, cluster, say }: SoakOptions,
  { surroundings, ports, senders, openJobs, random }: Scene & { openJobs(): number; random: ReturnType<typeof seededRandom> },
): Promise<Pick<SoakResult, 'kills' | 'inFlightAtKill' | 'points' | 'faults' | 'surprises'>> {
  const isBehind = () => senders.acked < acksPerKill * (plan.kills + 2);
  const plan = createLifePlan({ kills, points, shares, pausePoints, isAimed, random: random.fork(), isBehind });
  const running = startFaults(surroundings, cluster, faults, random.fork());
  const startedMs = performance.now();
  const surprises: string[] = [];
  let inFlight = 0;
  const counts = { pauses: 0, drains: 0 };
  const environment = (at: number) => ({ ...surroundings.serveEnvironment(at === 0), ...plantOf(plant) });
  const slot = (at: number) =>
    runServerSlot({
      port: ports[at]!,
      name: `server-${at}`,
      env: environment(at),
      logFolder: surroundings.logFolder,
      leaseMs: leasesMs[scope],
      random: random.fork(),
      isBehind,
      acked: () => senders.acked,
      isDatabaseAway: () => running.isDatabaseAway,
      async onStandstill() {
        for (const line of await describeStandstill(surroundings)) say(`nothing is acknowledged: ${line}`);
      },
      nextLife: () => (surprises.length < surprisesMax ? plan.next() : undefined),
      onEnd(life, outcome) {
        plan.end(life, outcome);
        if (life.end === 'pause') counts.pauses += 1;
        if (life.end === 'drain' && !outcome.wasKilled) counts.drains += 1;
        if (outcome.surprise !== undefined) surprises.push(outcome.surprise);
        if (!outcome.wasKilled) return;
        inFlight += openJobs() + senders.inFlight;
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
        if (plan.kills % 10 === 0)
          say(`${plan.kills} of ${kills} kills, ${senders.acked} files acknowledged, ${openJobs()} jobs open, ${seconds} s`);
      },
    });
  const steady = isSecondSteady
    ? startServing({ port: ports[1]!, env: environment(1), logPath: `${surroundings.logFolder}/server-1.log` })
    : undefined;
  const disturbed = ports.map((_, at) => at).slice(0, steady ? 1 : undefined);
  while (plan.kills < kills && surprises.length < surprisesMax) await Promise.all(disturbed.map(slot));
  steady?.signal('SIGKILL');
  await steady?.ended;
  await running.stop();
  const { database, httpSink, tableSink, ...wide } = surroundings.proxies;
  return {
    kills: plan.kills,
    inFlightAtKill: Math.round((inFlight / Math.max(1, plan.kills)) * 10) / 10,
    points: plan.hits,
    faults: {
      ...counts,
      databaseRestarts: running.databaseRestarts,
      lostCommits: database.faultsUsed + tableSink.faultsUsed,
      lostRequests: httpSink.faultsUsed,
      ...Object.fromEntries(Object.entries(wide).map(([name, proxy]) => [`${name}Lost`, proxy.faultsUsed])),
      ...running.serverFaults,
    },
    surprises,
  };
}

function plantOf(plant: string | undefined): Record<string, string> {
  return plant === undefined ? {} : { HEADGATE_TEST_PLANT: plant };
}

/** Nothing is broken any more: two processes that stay, until nothing is left to do or nothing moves. */
async function makePeace({ stillMsMax, plant, say }: SoakOptions, { surroundings, ports, senders }: Scene): Promise<string[]> {
  const servers = ports.map((port, at) =>
    startServing({
      port,
      env: { ...surroundings.serveEnvironment(false), ...plantOf(plant) },
      logPath: `${surroundings.logFolder}/server-${at}.log`,
    }),
  );
  const finished = senders.finish();
  finished.catch(() => {});
  await waitWhileLess(async () => senders.inFlight, stillMsMax);
  if (senders.inFlight > 0) senders.abort();
  await finished;
  say(`${senders.acked} files acknowledged; waiting until everything has ended`);
  await waitWhileLess(() => countLeft(surroundings.inspection), stillMsMax);
  const surprises: string[] = [];
  await Promise.all(
    servers.map(async (server, at) => {
      if (server.hasEnded) surprises.push(`server-${at} ended in peace`);
      server.signal('SIGTERM');
      await Promise.race([server.ended, sleep(drainMsMax)]);
      if (!server.hasEnded) surprises.push(`server-${at} did not end after SIGTERM`);
      server.signal('SIGKILL');
      const { code, signal } = await server.ended;
      if (code !== 0) surprises.push(`server-${at} ended with ${signal ?? `code ${code}`} after SIGTERM`);
    }),
  );
  return surprises;
}

/** Resolves when nothing is left, or when what is left has not become less than it ever was for `stillMsMax`. */
async function waitWhileLess(countLeft: () => Promise<number>, stillMsMax: number): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let movedMs = performance.now();
  for (;;) {
    const left = await countLeft();
    if (left === 0) return;
    if (left < least) {
      least = left;
      movedMs = performance.now();
    } else if (performance.now() - movedMs > stillMsMax) return;
    await sleep(lookMs);
  }
}

/** Looks at the number of open jobs again and again; keeps the last one while the database is away. */
function watchOpenJobs({ inspection }: Surroundings): { readonly openJobs: number; stop(): Promise<void> } {
  let openJobs = 0;
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) {
      openJobs = await countOpenJobs(inspection).catch(() => openJobs);
      await sleep(lookMs);
    }
  })();
  return {
    get openJobs() {
      return openJobs;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}
