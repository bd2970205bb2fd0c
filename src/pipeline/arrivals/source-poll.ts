/**
 * One poll of one source, under its lease. Order matters: what was decided before is taken away first; what is seen is
 * written down before it is read; what is read is accepted in a transaction that proves the lease; only then is the file moved
 * at its source, durably, and the arrival released. A stop between any two steps is made good by the next poll anywhere.
 */
import { type CrashPoints, noCrashPoints } from '../../platform/base/crash-points.ts';
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import { givesMembers } from '../../platform/packing/packings.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { type Admission, type Refusal, readUsage } from './admission.ts';
import type { AdmissionLimits, ArrivalFlow, ArrivalPlans, PolledSourcePlan } from './arrival-plan.ts';
import { type ArrivalRow, countRecentlyAccepted, listKnownArrivals, moveArrivals, releaseArrivals } from './arrival-store.ts';
import type { ArrivalVerdict } from './file-acceptance.ts';
import { type FileIntake, filesPerTransactionMax } from './file-intake.ts';
import { openSourcePlace, type SourceWorld } from './open-source-place.ts';
import { isOfServer } from './source-failures.ts';
import { takeHints } from './source-hints.ts';
import { proveLease, renewLease, type SourceLease } from './source-lease.ts';
import { type KnownFile, type Look, type Observation, observe } from './source-observation.ts';
import { doneFolder, quarantineFolder, type SourceEntry, type SourcePlace, type TakeAway } from './source-place.ts';
import { type CompleteFile, cutIntoBatches, readFiles } from './source-reading.ts';
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
/** Looking at small files, reading and moving them is synchronous; the event loop gets its turn after so long. */
const turnMs = 10;
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
  readonly #verdicts = { accepted: 0, unpacked: 0, duplicate: 0, held: 0, quarantined: 0 };
  #place!: SourcePlace;
  #renewedAtMs: number;
  #pausedAtMs: number;

  constructor(parts: SourcePollParts, lease: SourceLease, context: PollContext) {
    this.#parts = parts;
    this.#lease = lease;
    this.#context = context;
    this.#crash = parts.crashPoints ?? noCrashPoints;
    this.#renewedAtMs = parts.ports.clock.monotonicMs();
    this.#pausedAtMs = this.#renewedAtMs;
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
    return openSourcePlace(this.#parts, { key, ...this.#context, onTurn: () => this.#keepLease() });
  }

  async #poll(known: KnownArrivals, signal: AbortSignal): Promise<PollResult> {
    const { source } = this.#context;
    const observation = observe(source, await this.#look(known));
    await this.#takeAway(observation.leftBehind, observation.released);
    const complete = await this.#writeDown(observation);
    let dueInMs = Math.min(source.pollMs, observation.restLeftMs === null ? source.pollMs : Math.max(20, observation.restLeftMs));
    for (const batch of cutIntoBatches(complete, givesMembers(source.unpack) ? 1 : filesPerTransactionMax)) {
      if (signal.aborted) return { isFound: true, verdicts: this.#verdicts, dueInMs: 0 };
      const retryAfterMs = await this.#takeIn(batch);
      if (retryAfterMs === undefined) continue;
      dueInMs = Math.max(dueInMs, retryAfterMs);
      break;
    }
    return { isFound: true, verdicts: this.#verdicts, dueInMs };
  }

  async #look(known: KnownArrivals): Promise<Look> {
    const { source } = this.#context;
    const names = this.#lease.isHinted ? await this.#inLease((tx) => takeHints(tx, this.#lease)) : [];
    if (this.#lease.isListing) {
      const sight = await lookAtAll(this.#place, source, known);
      this.#parts.onPassedOver?.(this.#lease, sight.passedOver);
      return { ...sight, ...known };
    }
    return await lookAtSome(this.#place, source, { names, known, onTurn: () => this.#keepLease() });
  }

  /** One transaction for all that was seen. Gives back what is complete now, in the order in which it was first seen. */
  async #writeDown(observation: Observation): Promise<readonly CompleteFile[]> {
    const { flowId, sourceId } = this.#lease;
    const record = recordOf(this.#parts.ports.ids, { flowId, sourceId, actor: this.#actor }, observation);
    if (!record.isEmpty) await this.#inLease((tx) => record.write(tx));
    this.#crash.reach('arrivals.after-seen');
    return record.complete;
  }

  /** Reads, accepts and takes away one batch. Gives back how long to wait when the tenant's limits let nothing in. */
  async #takeIn(batch: readonly CompleteFile[]): Promise<number | undefined> {
    const { admission, db, onRefused } = this.#parts;
    const { limits, source } = this.#context;
    const { tenantId } = this.#lease;
    const usage = await withTenant(db, tenantId, async (tx) => {
      await renewLease(tx, this.#lease, this.#parts.leaseMs);
      return {
        ...(await readUsage(tx)),
        sourceFilesInMinute: source.limits.filesPerMinute === null ? 0 : await countRecentlyAccepted(tx, this.#lease),
      };
    });
    this.#renewedAtMs = this.#parts.ports.clock.monotonicMs();
    const filesLeft = source.limits.filesPerMinute === null ? batch.length : source.limits.filesPerMinute - usage.sourceFilesInMinute;
    const bytes = batch.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
    const answer: ReturnType<Admission['admit']> =
      filesLeft < 1
        ? { kind: 'refused', code: 'E_FILE_RATE', limit: 'rate', reason: 'busy', retryAfterMs: 5_000 }
        : admission.admit({ tenantId, usage, limits, files: Math.min(batch.length, filesLeft), bytes });
    if (answer.kind === 'refused') {
      onRefused?.(this.#lease, answer);
      return answer.retryAfterMs;
    }
    try {
      await this.#acceptBatch(batch.slice(0, answer.files));
    } finally {
      answer.end();
    }
    return answer.files < batch.length ? Math.min(1_000, usage.minuteLeftMs) : undefined;
  }

  async #acceptBatch(batch: readonly CompleteFile[]): Promise<void> {
    const { intake, ports } = this.#parts;
    const { tenantId } = this.#lease;
    const { received, changed, failure } = await readFiles(
      {
        intake,
        context: { tenantId, ...this.#context },
        place: this.#place,
        actor: this.#actor,
        onPiece: () => this.#keepLease(),
        sleep: ports.sleep,
        onUnreadable: (error) => this.#parts.onUnreadable?.(this.#lease, error),
      },
      batch,
    );
    if (failure !== undefined && !isOfServer(failure)) {
      await intake.discard(received.map((each) => each.arrival));
      throw failure;
    }
    if (failure === undefined) await this.#lookAgain(changed);
    if (received.length === 0) {
      if (failure !== undefined) throw failure;
      return;
    }
    this.#crash.reach('arrivals.after-read');
    const verdicts = await intake.accept({
      tenantId,
      flow: this.#context.flow,
      arrivals: received.map((each) => each.arrival),
      before: (tx) => proveLease(tx, this.#lease),
    });
    for (const { state } of verdicts.flatMap((verdict) => [verdict, ...verdict.members])) this.#verdicts[state] += 1;
    // What was read before its place was lost is accepted, and taken away by the next poll.
    if (failure !== undefined) throw failure;
    await this.#takeAway(
      received.map(({ file }, index) => ({ entry: file.entry, row: rowOf(file, verdicts[index]!) })),
      [],
    );
  }

  /** Files that changed while they were read begin to rest anew; those that have gone are gone. */
  async #lookAgain(changed: readonly CompleteFile[]): Promise<void> {
    if (changed.length === 0) return;
    const { ids } = this.#parts.ports;
    const now: { readonly file: CompleteFile; readonly entry: SourceEntry | undefined }[] = [];
    for (const file of changed) now.push({ file, entry: await this.#place.lookAgain(file.entry) });
    await this.#inLease(async (tx) => {
      const move = { from: 'complete', actor: this.#actor } as const;
      await moveArrivals(
        tx,
        ids,
        'grow',
        now.flatMap(({ file, entry }) =>
          entry ? [{ ...move, arrivalId: file.arrivalId, sizeBytes: entry.sizeBytes, fingerprint: entry.fingerprint }] : [],
        ),
      );
      await moveArrivals(
        tx,
        ids,
        'vanish',
        now.flatMap(({ file, entry }) => (entry ? [] : [{ ...move, arrivalId: file.arrivalId, isReleased: true }])),
      );
    });
  }

  /** Moves decided files away, makes that durable, and releases their arrivals. A source that leaves files keeps them unreleased. */
  async #takeAway(decided: readonly KnownFile[], gone: readonly ArrivalRow[]): Promise<void> {
    const { source } = this.#context;
    const released = gone.map((row) => row.arrivalId);
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
    if (released.length > 0) await this.#inLease((tx) => releaseArrivals(tx, released));
  }

  async #keepLease(): Promise<void> {
    const { clock } = this.#parts.ports;
    await this.#pause();
    if (clock.monotonicMs() - this.#renewedAtMs < this.#parts.leaseMs / 3) return;
    await withTenant(this.#parts.db, this.#lease.tenantId, (tx) => renewLease(tx, this.#lease, this.#parts.leaseMs));
    this.#renewedAtMs = clock.monotonicMs();
  }

  async #inLease<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    return withTenant(this.#parts.db, this.#lease.tenantId, async (tx) => {
      await proveLease(tx, this.#lease);
      return work(tx);
    });
  }

  /** Gives the event loop a turn where the synchronous work has taken a while. */
  async #pause(): Promise<void> {
    const { clock, sleep } = this.#parts.ports;
    if (clock.monotonicMs() - this.#pausedAtMs < turnMs) return;
    await sleep.sleep(0);
    this.#pausedAtMs = clock.monotonicMs();
  }

  get #actor(): string {
    return `source:${this.#lease.sourceId}`;
  }
}

/** A file is removed only when its bytes are kept elsewhere. */
function placeFor({ afterwards, mark }: PolledSourcePlan, row: Pick<ArrivalRow, 'state' | 'hasObject'>): TakeAway['to'] {
  if (row.state === 'quarantined') return afterwards === 'delete' && row.hasObject ? 'nowhere' : quarantineFolder;
  if (mark !== null) return { mark };
  return afterwards === 'delete' ? 'nowhere' : doneFolder;
}

function rowOf(file: CompleteFile, verdict: ArrivalVerdict): ArrivalRow {
  const { entry, arrivalId } = file;
  return {
    arrivalId,
    name: entry.name,
    state: verdict.state,
    sizeBytes: entry.sizeBytes,
    fingerprint: entry.fingerprint,
    reasonCode: verdict.code,
    stableMs: 0,
    seenMs: 0,
    hasObject: verdict.sha256 !== '',
  };
}
