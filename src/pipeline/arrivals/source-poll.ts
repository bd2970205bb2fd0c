/**
 * One poll of one source, under its lease. Order matters: what was decided before is taken away first; what is seen is
 * written down before it is read; what is read is accepted in a transaction that proves the lease; only then is the file moved
 * at its source, durably, and the arrival released. A stop between any two steps is made good by the next poll anywhere.
 */
import { type CrashPoints, noCrashPoints } from '../../platform/base/crash-points.ts';
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { Admission, Refusal } from './admission.ts';
import type { AdmissionLimits, ArrivalFlow, ArrivalPlans, PolledSourcePlan } from './arrival-plan.ts';
import { type ArrivalRow, listKnownArrivals, releaseArrivals } from './arrival-store.ts';
import type { FileIntake } from './file-intake.ts';
import { HeldLease } from './held-lease.ts';
import { rememberLeft, withoutLeft } from './left-files.ts';
import { openSourcePlace, type SourceWorld } from './open-source-place.ts';
import { type AcceptedFile, takeInBatches } from './source-batches.ts';
import { takeHints } from './source-hints.ts';
import type { SourceLease } from './source-lease.ts';
import { type KnownFile, type Look, type Observation, observe } from './source-observation.ts';
import { doneFolder, quarantineFolder, type SourcePlace, type TakeAway } from './source-place.ts';
import type { CompleteFile } from './source-reading.ts';
import { recordOf } from './source-record.ts';
import { companionsOf, type KnownArrivals, lookAtAll, lookAtSome } from './source-sight.ts';

export interface SourcePollParts extends SourceWorld {
  readonly db: Db;
  readonly ports: Ports;
  readonly intake: FileIntake;
  readonly admission: Admission;
  readonly plans: ArrivalPlans;
  readonly leaseMs: number;
  readonly crashPoints?: CrashPoints;
  /** Called before a server is connected to. False: as many polls of servers are under way as may be, so not now. */
  readonly beginRemote?: () => boolean;
  /** First thing of a poll whose flow and source are in force. These five must not throw. */
  readonly onFound?: (lease: SourceLease, flow: ArrivalFlow) => void;
  readonly onRefused?: (lease: SourceLease, refusal: Refusal) => void;
  /** A file that can not be read now; it is tried again. */
  readonly onUnreadable?: (lease: SourceLease, error: HeadgateError) => void;
  /** Of each listing: how many files of the source's stay where they are for their names; 0 too. */
  readonly onPassedOver?: (lease: SourceLease, files: number) => void;
  /** A file that was never taken lies where this arrival's should. */
  readonly onMisplaced?: (lease: SourceLease, arrivalId: string) => void;
}

export interface PollResult {
  /** False: nothing was looked at. The source is no more, its flow is disabled, or it has to wait for its turn. */
  readonly isFound: boolean;
  readonly verdicts: {
    readonly accepted: number;
    readonly unpacked: number;
    readonly duplicate: number;
    readonly held: number;
    readonly quarantined: number;
  };
  /** When to poll again. */
  readonly dueInMs: number;
}

/** Where a source is no more, or its flow is disabled, until it is scheduled anew. */
const idleSourceMs = 60_000;
/** Until a source is tried again that had to wait for its turn. */
const postponedMs = 500;

/** Fails with E_SOURCE_FENCED when another process has the source, and with what its place says when that can not be used. */
export async function pollSource(parts: SourcePollParts, lease: SourceLease, signal: AbortSignal): Promise<PollResult> {
  const found = await withTenant(
    parts.db,
    lease.tenantId,
    async (tx) => {
      const plan = await parts.plans.bySource(tx, lease.flowId, lease.sourceId);
      return plan && { ...plan, limits: await parts.plans.limits(tx), known: await listKnownArrivals(tx, lease) };
    },
    { readOnly: true },
  );
  const nothing = { isFound: false, verdicts: { accepted: 0, unpacked: 0, duplicate: 0, held: 0, quarantined: 0 } };
  if (!found) return { ...nothing, dueInMs: idleSourceMs };
  if (found.source.type !== 'folder' && parts.beginRemote?.() === false) return { ...nothing, dueInMs: postponedMs };
  parts.onFound?.(lease, found.flow);
  return new SourcePoll(parts, lease, found).run(found.known, signal);
}

interface PollContext {
  readonly flow: ArrivalFlow;
  readonly source: PolledSourcePlan;
  readonly limits: AdmissionLimits;
}

class SourcePoll {
  readonly #parts: SourcePollParts;
  readonly #lease: SourceLease;
  readonly #context: PollContext;
  readonly #crash: CrashPoints;
  readonly #held: HeldLease;
  readonly #verdicts = { accepted: 0, unpacked: 0, duplicate: 0, held: 0, quarantined: 0 };
  #place!: SourcePlace;

  constructor(parts: SourcePollParts, lease: SourceLease, context: PollContext) {
    this.#parts = parts;
    this.#lease = lease;
    this.#context = context;
    this.#crash = parts.crashPoints ?? noCrashPoints;
    this.#held = new HeldLease({ db: parts.db, clock: parts.ports.clock, leaseMs: parts.leaseMs }, lease);
  }

  async run(known: KnownArrivals, signal: AbortSignal): Promise<PollResult> {
    this.#place = await this.#openPlace();
    try {
      return await this.#poll(known, signal);
    } finally {
      this.#place.close();
    }
  }

  #openPlace(): Promise<SourcePlace> {
    const { tenantId, flowId, sourceId } = this.#lease;
    const key = `${tenantId}/${flowId}/${sourceId}`;
    return openSourcePlace(this.#parts, { key, ...this.#context, onTurn: () => this.#held.keep() });
  }

  async #poll(known: KnownArrivals, signal: AbortSignal): Promise<PollResult> {
    const { source } = this.#context;
    const observation = await this.#recognise(observe(source, await this.#look(known)));
    await this.#takeAway(observation.leftBehind, observation.released);
    const complete = await this.#writeDown(observation);
    const restedInMs = observation.restLeftMs === null ? source.pollMs : Math.max(20, observation.restLeftMs);
    const taken = await this.#takeIn(complete, signal);
    const waitMs = taken.kind === 'refused' ? taken.waitMs : 0;
    const dueInMs = taken.kind === 'stopped' ? 0 : Math.max(waitMs, Math.min(source.pollMs, restedInMs));
    return { isFound: true, verdicts: this.#verdicts, dueInMs };
  }

  #takeIn(complete: readonly CompleteFile[], signal: AbortSignal) {
    const { ports, intake, admission, crashPoints, onRefused, onUnreadable } = this.#parts;
    const world = {
      ...{ ports, intake, admission, crashPoints: crashPoints ?? noCrashPoints, held: this.#held, place: this.#place, ...this.#context },
      onRefused: (refusal: Refusal) => onRefused?.(this.#lease, refusal),
      onUnreadable: (error: HeadgateError) => onUnreadable?.(this.#lease, error),
      takeAway: (accepted: readonly AcceptedFile[]) => this.#takeAwayAccepted(accepted),
    };
    return takeInBatches(world, complete, signal);
  }

  async #look(known: KnownArrivals): Promise<Look> {
    const { source } = this.#context;
    const names = this.#lease.isHinted ? await this.#held.proveIn((tx) => takeHints(tx, this.#lease)) : [];
    if (this.#lease.isListing) {
      const sight = await lookAtAll(this.#place, source, known);
      this.#parts.onPassedOver?.(this.#lease, sight.passedOver);
      return { ...sight, ...known };
    }
    return await lookAtSome(this.#place, source, { names, known, onTurn: () => this.#held.keep() });
  }

  get #remembersLeft(): boolean {
    const { type, afterwards } = this.#context.source;
    return type === 'folder' && afterwards === 'leave';
  }

  /** What was left here, was gone, and is back is not seen for the first time. */
  async #recognise(observation: Observation): Promise<Observation> {
    const { seen } = observation;
    if (!this.#remembersLeft || seen.length === 0) return observation;
    return { ...observation, seen: await this.#held.proveIn((tx) => withoutLeft(tx, this.#lease, seen, ({ entry }) => entry)) };
  }

  /** One transaction for all that was seen. Gives back what is complete now, in the order in which it was first seen. */
  async #writeDown(observation: Observation): Promise<readonly CompleteFile[]> {
    const { flowId, sourceId } = this.#lease;
    const record = recordOf(this.#parts.ports.ids, { flowId, sourceId, actor: this.#held.actor }, observation);
    if (!record.isEmpty) await this.#held.proveIn((tx) => record.write(tx));
    this.#crash.reach('arrivals.after-seen');
    return record.complete;
  }

  #takeAwayAccepted(accepted: readonly AcceptedFile[]): Promise<void> {
    for (const { state } of accepted.flatMap(({ verdict }) => [verdict, ...verdict.members])) this.#verdicts[state] += 1;
    return this.#takeAway(
      accepted.map((each) => ({ entry: each.file.entry, row: rowOf(each) })),
      [],
    );
  }

  /** Moves decided files away, makes that durable, and releases their arrivals. A source that leaves files keeps them unreleased. */
  async #takeAway(decided: readonly KnownFile[], gone: readonly ArrivalRow[]): Promise<void> {
    const { source } = this.#context;
    const released = gone.map((row) => row.arrivalId);
    const moved = gone.filter((row) => placeFor(source, row) === 'nowhere');
    if (moved.length > 0) await this.#place.endTakeAway?.(moved);
    if (source.afterwards !== 'leave' && decided.length > 0) {
      this.#crash.reach('arrivals.before-move');
      const companions = companionsOf(source);
      const misplaced = await this.#place.takeAway(
        decided.map(({ entry, row }) => ({
          entry,
          arrivalId: row.arrivalId,
          to: placeFor(source, row),
          companions: companions.map((suffix) => entry.name + suffix),
        })),
      );
      for (const arrivalId of misplaced) this.#parts.onMisplaced?.(this.#lease, arrivalId);
      released.push(...decided.map(({ row }) => row.arrivalId));
      this.#crash.reach('arrivals.after-move');
    }
    if (released.length === 0) return;
    await this.#held.proveIn(async (tx) => {
      if (this.#remembersLeft) await rememberLeft(tx, this.#lease, gone);
      await releaseArrivals(tx, released);
    });
  }
}

/** A file is removed only when its bytes are kept elsewhere. */
function placeFor({ afterwards, mark }: PolledSourcePlan, row: Pick<ArrivalRow, 'state' | 'hasObject'>): TakeAway['to'] {
  if (row.state === 'quarantined') return afterwards === 'delete' && row.hasObject ? 'nowhere' : quarantineFolder;
  if (mark !== null) return { mark };
  return afterwards === 'delete' ? 'nowhere' : doneFolder;
}

function rowOf({ file, verdict }: AcceptedFile): ArrivalRow {
  const { entry, arrivalId } = file;
  return {
    arrivalId,
    name: entry.name,
    state: verdict.state,
    sizeBytes: entry.sizeBytes,
    fingerprint: entry.fingerprint,
    reasonCode: verdict.code,
    reason: null,
    stableMs: 0,
    seenMs: 0,
    hasObject: verdict.sha256 !== '',
  };
}
