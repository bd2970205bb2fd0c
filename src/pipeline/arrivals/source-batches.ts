/**
 * Takes in what is complete at a source, batch after batch: admission, reading, acceptance, and away with it. A batch is
 * admitted once the one before it is counted, and batches are accepted in the order of their files. Where the source is a
 * folder of this machine, small files of the next batch are read into memory while one is accepted, and those that were
 * accepted are taken away while the next one is.
 */
import { type CrashPoints, noCrashPoints } from '../../platform/base/crash-points.ts';
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import { givesMembers } from '../../platform/packing/packings.ts';
import { type Admission, type Refusal, type Reservation, readUsage } from './admission.ts';
import type { AdmissionLimits, ArrivalFlow, PolledSourcePlan } from './arrival-plan.ts';
import { countRecentlyAccepted, explainArrivals, moveArrivals } from './arrival-store.ts';
import { packedBytesMax } from './content-sink.ts';
import type { ArrivalVerdict } from './file-acceptance.ts';
import { type FileIntake, filesPerTransactionMax } from './file-intake.ts';
import type { HeldLease } from './held-lease.ts';
import { isOfServer } from './source-failures.ts';
import { proveLease } from './source-lease.ts';
import type { SourceEntry, SourcePlace } from './source-place.ts';
import { type CompleteFile, cutIntoBatches, keptBytesOf, type ReadFiles, readFiles } from './source-reading.ts';

export interface AcceptedFile {
  readonly file: CompleteFile;
  readonly verdict: ArrivalVerdict;
}

export interface BatchWorld {
  readonly ports: Ports;
  readonly intake: FileIntake;
  readonly admission: Admission;
  readonly flow: ArrivalFlow;
  readonly source: PolledSourcePlan;
  readonly limits: AdmissionLimits;
  readonly held: HeldLease;
  readonly place: SourcePlace;
  readonly crashPoints?: CrashPoints;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onUnreadable: (error: HeadgateError) => void;
  /** Of each batch, once it is accepted. Called in order, one at a time. */
  readonly takeAway: (accepted: readonly AcceptedFile[]) => Promise<void>;
}

/** `stopped`: by the signal. `waitMs`: the tenant's limits let nothing more in for so long. */
export type TakenIn = { readonly kind: 'all' | 'stopped' } | { readonly kind: 'refused'; readonly waitMs: number };

/** Fails with E_SOURCE_FENCED, with what the place says when it can not be used, and as the store and the database do. */
export async function takeInBatches(world: BatchWorld, complete: readonly CompleteFile[], signal: AbortSignal): Promise<TakenIn> {
  const batches = cutIntoBatches(complete, givesMembers(world.source.unpack) ? 1 : filesPerTransactionMax);
  return new BatchIntake(world).run(batches, signal);
}

/** Of each source that is polled, beside the batch that is being accepted. */
const aheadBytesMax = 4 * 1024 * 1024;

class BatchIntake {
  readonly #world: BatchWorld;
  readonly #crash: CrashPoints;
  /** The next batch, read before it is admitted. */
  #ahead: Promise<ReadFiles> | undefined;
  /** What was accepted is on its way. */
  #clearing: Promise<void> = Promise.resolve();

  constructor(world: BatchWorld) {
    this.#world = world;
    this.#crash = world.crashPoints ?? noCrashPoints;
  }

  async run(batches: readonly (readonly CompleteFile[])[], signal: AbortSignal): Promise<TakenIn> {
    let result: TakenIn;
    try {
      result = await this.#takeInAll(batches, signal);
    } catch (error) {
      await this.#end().catch(() => undefined);
      throw error;
    }
    await this.#end();
    return result;
  }

  async #takeInAll(batches: readonly (readonly CompleteFile[])[], signal: AbortSignal): Promise<TakenIn> {
    for (const [index, batch] of batches.entries()) {
      if (signal.aborted) return { kind: 'stopped' };
      const waitMs = await this.#takeIn(batch, batches[index + 1]);
      if (waitMs !== undefined) return { kind: 'refused', waitMs };
    }
    return { kind: 'all' };
  }

  /** What was read and is not admitted stays at its place: another poll reads it again. */
  async #end(): Promise<void> {
    const ahead = await this.#ahead;
    if (ahead !== undefined) await this.#discard(ahead);
    await this.#clearing;
  }

  /** Gives back how long to wait when the tenant's limits let not all of it in. */
  async #takeIn(batch: readonly CompleteFile[], next: readonly CompleteFile[] | undefined): Promise<number | undefined> {
    const { answer, waitMs } = await this.#admit(batch);
    if (answer.kind === 'refused') {
      this.#world.onRefused(answer);
      return answer.retryAfterMs;
    }
    try {
      const isWhole = answer.files === batch.length;
      await this.#accept(await this.#read(batch, answer.files), isWhole ? next : undefined);
      return isWhole ? undefined : waitMs;
    } finally {
      answer.end();
    }
  }

  async #admit(batch: readonly CompleteFile[]): Promise<{ readonly answer: Reservation | Refusal; readonly waitMs: number }> {
    const { admission, limits, source, held } = this.#world;
    const { filesPerMinute } = source.limits;
    const { usage, taken } = await held.renewIn(async (tx) => ({
      usage: await readUsage(tx),
      taken: filesPerMinute === null ? 0 : await countRecentlyAccepted(tx, held.lease),
    }));
    const waitMs = Math.min(1_000, usage.minuteLeftMs);
    const filesLeft = filesPerMinute === null ? batch.length : filesPerMinute - taken;
    if (filesLeft < 1) {
      return { answer: { kind: 'refused', code: 'E_FILE_RATE', limit: 'rate', reason: 'busy', retryAfterMs: 5_000 }, waitMs };
    }
    const { tenantId } = held.lease;
    const bytes = keptBytesOf(batch, source.limits);
    return { answer: admission.admit({ tenantId, usage, limits, files: Math.min(batch.length, filesLeft), bytes }), waitMs };
  }

  /** The first so many of the batch. */
  async #read(batch: readonly CompleteFile[], files: number): Promise<ReadFiles> {
    const ahead = await this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined) return this.#readFiles(batch.slice(0, files));
    if (files === batch.length) return ahead;
    const admitted = new Set(batch.slice(0, files));
    await this.#discard({ received: ahead.received.filter(({ file }) => !admitted.has(file)) });
    return {
      received: ahead.received.filter(({ file }) => admitted.has(file)),
      changed: ahead.changed.filter((file) => admitted.has(file)),
      waiting: ahead.waiting.filter(({ file }) => admitted.has(file)),
      failure: ahead.failure,
    };
  }

  #readFiles(files: readonly CompleteFile[]): Promise<ReadFiles> {
    const { intake, flow, source, limits, place, held, ports, onUnreadable } = this.#world;
    const context = { tenantId: held.lease.tenantId, flow, source, limits };
    const onPiece = () => held.keep();
    return readFiles({ intake, context, place, actor: held.actor, onPiece, sleep: ports.sleep, onUnreadable }, files);
  }

  /** Reads some of the next batch meanwhile, where all of that stays in memory. */
  async #accept({ received, changed, waiting, failure }: ReadFiles, next: readonly CompleteFile[] | undefined): Promise<void> {
    const { intake, held, flow } = this.#world;
    if (failure !== undefined && !isOfServer(failure)) {
      await this.#discard({ received });
      throw failure;
    }
    if (failure === undefined) await this.#lookAgain(changed);
    await this.#explain(waiting);
    if (received.length === 0) {
      if (failure !== undefined) throw failure;
      return;
    }
    this.#crash.reach('arrivals.after-read');
    if (failure === undefined && next !== undefined && this.#isReadAhead(next)) this.#ahead = this.#readFiles(next);
    const verdicts = await intake.accept({
      tenantId: held.lease.tenantId,
      flow,
      arrivals: received.map((each) => each.arrival),
      before: (tx) => proveLease(tx, held.lease),
    });
    // What was read before its place was lost is accepted, and taken away by the next poll.
    if (failure !== undefined) throw failure;
    await this.#clearing;
    this.#clearing = this.#world.takeAway(received.map(({ file }, index) => ({ file, verdict: verdicts[index]! })));
    if (this.#isFolder) this.#clearing.catch(() => undefined);
    else await this.#clearing;
  }

  get #isFolder(): boolean {
    return this.#world.source.type === 'folder';
  }

  /** Nothing is kept before it is admitted: what is not packed or has to be unpacked is read in its turn. */
  #isReadAhead(batch: readonly CompleteFile[]): boolean {
    if (!this.#isFolder || this.#world.source.unpack.length > 0 || keptBytesOf(batch, this.#world.source.limits) > aheadBytesMax)
      return false;
    return batch.every(({ entry }) => entry.sizeBytes < packedBytesMax);
  }

  #discard({ received }: Pick<ReadFiles, 'received'>): Promise<void> {
    return this.#world.intake.discard(received.map((each) => each.arrival));
  }

  /** What a manifest that can't be read lacks; written when that is another thing than before. */
  async #explain(waiting: ReadFiles['waiting']): Promise<void> {
    const reasons = waiting.flatMap(({ file, reason }) =>
      reason === (file.reason ?? null) ? [] : [{ arrivalId: file.arrivalId, reason }],
    );
    if (reasons.length > 0) await this.#world.held.proveIn((tx) => explainArrivals(tx, reasons));
  }

  /** Files that changed while they were read begin to rest anew; those that have gone are gone. */
  async #lookAgain(changed: readonly CompleteFile[]): Promise<void> {
    if (changed.length === 0) return;
    const { ports, place, held } = this.#world;
    const now: { readonly file: CompleteFile; readonly entry: SourceEntry | undefined }[] = [];
    for (const file of changed) now.push({ file, entry: await place.lookAgain(file.entry) });
    await held.proveIn(async (tx) => {
      const move = { from: 'complete', actor: held.actor } as const;
      await moveArrivals(
        tx,
        ports.ids,
        'grow',
        now.flatMap(({ file, entry }) =>
          entry ? [{ ...move, arrivalId: file.arrivalId, sizeBytes: entry.sizeBytes, fingerprint: entry.fingerprint }] : [],
        ),
      );
      await moveArrivals(
        tx,
        ports.ids,
        'vanish',
        now.flatMap(({ file, entry }) => (entry ? [] : [{ ...move, arrivalId: file.arrivalId, isReleased: true }])),
      );
    });
  }
}
