/**
 * A place where a serving process runs, is killed and is started again at once, until told to stop. Each life is planned
 * beforehand: to end at a named point, at some instant, after a stop that outlasts its leases by far, or by a plain SIGTERM.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from './seeded-random.ts';
import { type ServedProcess, startServing } from './served-process.ts';

export type Life =
  /** Rare: it was tried several times in vain. */
  | { readonly end: 'point'; readonly point: string; readonly count: number; readonly isRare: boolean }
  | { readonly end: 'instant' }
  /** Stopped at the named point, if it comes by it in time, else at some instant. */
  | { readonly end: 'pause'; readonly point?: string; readonly count?: number }
  | { readonly end: 'drain' };

export interface LifeOutcome {
  /** It ended by SIGKILL … */
  readonly wasKilled: boolean;
  /** … by its own hand at this point. */
  readonly point: string | undefined;
  /** It ended otherwise than it was told to: how. */
  readonly surprise: string | undefined;
}

export interface SlotOptions {
  readonly port: number;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFolder: string;
  readonly leaseMs: number;
  readonly random: SeededRandom;
  /** True while the traffic lags behind the kills: a kill at any instant waits for it, however slow the machine is. */
  isBehind(): boolean;
  /** Files acknowledged so far. */
  acked(): number;
  /** True when the database is being restarted, or was a moment ago: a process that starts then may give up. */
  isDatabaseAway(): boolean;
  /** Before the process that runs meanwhile is killed. */
  onStandstill(): Promise<void>;
  /** What the next life is to be; undefined ends the slot's work. */
  nextLife(): Life | undefined;
  onEnd(life: Life, outcome: LifeOutcome): void;
}

const readyMsMax = 60_000;
/** A process that does not come by its named point within this time is killed all the same. */
const pointMsMax = 5_000;
const rarePointMsMax = 20_000;
const stopMsMax = 2_000;
const stopLookMs = 20;
/** Traffic that stands still for so long is told, */
const stillMsTold = 60_000;
/** and, beside a process that runs, does not come back: it is more than the two minutes that a target is left alone (docs/breakers.md). */
const stillMsMax = 150_000;
const behindLookMs = 100;
/** Only a process that hangs needs more, also on a busy machine: it has 4 s for the work in hand. */
export const drainMsMax = 30_000;

/** Lives and dies until there is no next life; no process is left then. */
export async function runServerSlot(options: SlotOptions): Promise<void> {
  for (let life = options.nextLife(); life !== undefined; life = options.nextLife()) {
    const outcome = await live(options, life);
    options.onEnd(life, outcome);
  }
}

async function live(options: SlotOptions, life: Life): Promise<LifeOutcome> {
  const { port, name, env, logFolder } = options;
  const server = startServing({ port, env: { ...env, ...switchesOf(life) }, logPath: join(logFolder, `${name}.log`) });
  const isReady = await server.waitUntilReady(readyMsMax);
  const fault = isReady ? await spend(life, server, options) : undefined;
  const wasLate = !isReady && !server.hasEnded;
  server.signal('SIGKILL');
  const { code, signal } = await server.ended;
  const wasKilled = signal === 'SIGKILL';
  const point = wasKilled && life.end === 'point' && !server.wasKilledByUs ? life.point : undefined;
  return { wasKilled, point, surprise: surpriseOf() };

  function surpriseOf(): string | undefined {
    if (wasLate) return `${name} was not ready after ${readyMsMax} ms`;
    if (wasKilled) return life.end === 'drain' ? `${name} did not end within ${drainMsMax} ms of SIGTERM` : fault;
    if (life.end === 'drain' && code === 0) return undefined;
    if (!isReady && code === 1 && options.isDatabaseAway()) return undefined;
    return `${name} ended with ${signal ?? `code ${code}`} while ${isReady ? 'it ran' : 'it started'}`;
  }
}

function switchesOf(life: Life): Record<string, string> {
  if (life.end === 'point') return { HEADGATE_TEST_CRASH_AT: `${life.point}:${life.count}` };
  if (life.end === 'pause' && life.point !== undefined) return { HEADGATE_TEST_STOP_AT: `${life.point}:${life.count ?? 1}` };
  return {};
}

/** Resolves with what was wrong meanwhile, if anything was. */
async function spend(life: Life, server: ServedProcess, options: SlotOptions): Promise<string | undefined> {
  const { leaseMs, random } = options;
  const pass = (ms: number) => Promise.race([server.ended, sleep(ms)]);
  switch (life.end) {
    case 'point':
      await pass(life.isRare ? rarePointMsMax : pointMsMax);
      break;
    case 'instant':
      await pass(random.between(50, 1_500));
      return waitForTraffic(server, options);
    case 'pause':
      if (life.point === undefined) await pass(random.between(100, 800));
      else for (let ms = 0; !server.isStopped && !server.hasEnded && ms < stopMsMax; ms += stopLookMs) await pass(stopLookMs);
      server.signal('SIGSTOP');
      await sleep(leaseMs * 3);
      server.signal('SIGCONT');
      await pass(random.between(500, 1_500));
      break;
    case 'drain':
      await pass(random.between(100, 800));
      server.signal('SIGTERM');
      await pass(drainMsMax);
      break;
  }
  return undefined;
}

async function waitForTraffic(server: ServedProcess, { name, isBehind, acked, onStandstill }: SlotOptions): Promise<string | undefined> {
  let seen = acked();
  let movedMs = performance.now();
  let isTold = false;
  while (isBehind() && !server.hasEnded) {
    await Promise.race([server.ended, sleep(behindLookMs)]);
    if (acked() > seen) {
      seen = acked();
      movedMs = performance.now();
      isTold = false;
    }
    if (!isTold && performance.now() - movedMs > stillMsTold) {
      isTold = true;
      await onStandstill();
    }
    if (performance.now() - movedMs > stillMsMax) {
      return `no file was acknowledged in ${stillMsMax} ms while ${name} ran`;
    }
  }
  return undefined;
}
