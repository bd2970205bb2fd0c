/**
 * One poll of one source folder, under its lease. Order matters: what was decided before is taken away first; what is seen is
 * written down before it is read; what is read is accepted in a transaction that proves the lease; only then is the file moved
 * at its source, durably, and the arrival released. A stop between any two steps is made good by the next poll anywhere.
 */
import { type CrashPoints, noCrashPoints } from '../../platform/base/crash-points.ts';
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { type Admission, type Refusal, readUsage } from './admission.ts';
import type { AdmissionLimits, ArrivalFlow, ArrivalPlans, FolderSourcePlan } from './arrival-plan.ts';
import { type ArrivalRow, countRecentlyAccepted, listKnownArrivals, moveArrivals, releaseArrivals } from './arrival-store.ts';
import type { ArrivalVerdict } from './file-acceptance.ts';
import type { FileIntake, ReceivedArrival } from './file-intake.ts';
import { createNameMatcher } from './file-name.ts';
import { type CompleteFile, cutIntoBatches, readComplete } from './folder-reading.ts';
import {
  doneFolder,
  type FolderEntry,
  listFolder,
  lookAt,
  openSourceFolder,
  quarantineFolder,
  syncFolders,
  type TakeAway,
  takeAway,
  takeAwayBeside,
} from './folder-source.ts';
import { proveLease, renewLease, type SourceLease } from './source-lease.ts';
import { type KnownFile, type Observation, observe } from './source-observation.ts';
import { recordOf } from './source-record.ts';

export interface SourcePollParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly intake: FileIntake;
  readonly admission: Admission;
  readonly plans: ArrivalPlans;
  readonly folders: FolderFence;
  readonly leaseMs: number;
  readonly crashPoints?: CrashPoints;
  /** First thing of a poll whose flow and source are in force. These three must not throw. */
  readonly onFound?: (lease: SourceLease, flow: ArrivalFlow) => void;
  readonly onRefused?: (lease: SourceLease, refusal: Refusal) => void;
  /** A file that can not be read now; it is tried again. */
  readonly onUnreadable?: (lease: SourceLease, error: HeadgateError) => void;
}

export interface PollResult {
  /** False: the source is no more, or its flow is disabled. */
  readonly isFound: boolean;
  readonly verdicts: { readonly accepted: number; readonly duplicate: number; readonly held: number; readonly quarantined: number };
  /** When to poll again. */
  readonly dueInMs: number;
}

/** Where a source is no more, or its flow is disabled, until it is scheduled anew. */
const idleSourceMs = 60_000;
/** Looking at small files, reading and moving them is synchronous; the event loop gets its turn after so long. */
const turnMs = 10;
/** How many are looked at between two looks at the clock. */
const looksPerTurn = 50;

/** Fails with E_SOURCE_FENCED when another process has the source, with E_SOURCE when the folder can not be used, with E_FOLDER_NOT_ALLOWED when it may not. */
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
  if (!found) return { isFound: false, verdicts: { accepted: 0, duplicate: 0, held: 0, quarantined: 0 }, dueInMs: idleSourceMs };
  parts.onFound?.(lease, found.flow);
  return new SourcePoll(parts, lease, found).run(found.known, signal);
}

interface PollContext {
  readonly flow: ArrivalFlow;
  readonly source: FolderSourcePlan;
  readonly limits: AdmissionLimits;
}

class SourcePoll {
  readonly #parts: SourcePollParts;
  readonly #lease: SourceLease;
  readonly #context: PollContext;
  readonly #folder: string;
  readonly #crash: CrashPoints;
  readonly #verdicts = { accepted: 0, duplicate: 0, held: 0, quarantined: 0 };
  #renewedAtMs: number;
  #pausedAtMs: number;

  constructor(parts: SourcePollParts, lease: SourceLease, context: PollContext) {
    this.#parts = parts;
    this.#lease = lease;
    this.#context = context;
    const tenant = context.flow.plan.flow.tenant;
    parts.folders.assertAllowed({ tenant, path: context.source.root });
    this.#folder = openSourceFolder(context.source);
    // Again with the real path that is used from here on: a link may have been put in meanwhile.
    parts.folders.assertAllowed({ tenant, path: this.#folder });
    this.#crash = parts.crashPoints ?? noCrashPoints;
    this.#renewedAtMs = parts.ports.clock.monotonicMs();
    this.#pausedAtMs = this.#renewedAtMs;
  }

  async run(
    known: { readonly open: readonly ArrivalRow[]; readonly unreleased: readonly ArrivalRow[] },
    signal: AbortSignal,
  ): Promise<PollResult> {
    const { source } = this.#context;
    const observation = observe(source, { ...(await this.#look()), ...known });
    await this.#takeAway(observation.leftBehind, observation.released);
    const complete = await this.#writeDown(observation);
    let dueInMs = Math.min(source.pollMs, observation.restLeftMs === null ? source.pollMs : Math.max(20, observation.restLeftMs));
    for (const batch of cutIntoBatches(complete)) {
      if (signal.aborted) return { isFound: true, verdicts: this.#verdicts, dueInMs: 0 };
      const retryAfterMs = await this.#takeIn(batch);
      if (retryAfterMs === undefined) continue;
      dueInMs = Math.max(dueInMs, retryAfterMs);
      break;
    }
    return { isFound: true, verdicts: this.#verdicts, dueInMs };
  }

  async #look(): Promise<{ entries: FolderEntry[]; names: Set<string> }> {
    const { match, ready } = this.#context.source;
    const isWanted = createNameMatcher(match);
    const companions = [ready.marker, ready.manifest].filter((suffix) => suffix !== null);
    const listed = listFolder(this.#folder);
    const entries: FolderEntry[] = [];
    for (const [index, found] of listed.entries()) {
      if (index % looksPerTurn === looksPerTurn - 1) await this.#pause();
      if (!isWanted(found.name) || companions.some((suffix) => found.name.endsWith(suffix))) continue;
      const entry = lookAt(this.#folder, found);
      if (entry) entries.push(entry);
    }
    return { entries, names: new Set(listed.map((found) => found.name)) };
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
    const { intake } = this.#parts;
    const { tenantId } = this.#lease;
    const reading = {
      intake,
      context: { tenantId, ...this.#context },
      folder: this.#folder,
      actor: this.#actor,
      onPiece: () => this.#keepLease(),
    };
    const received: { readonly arrival: ReceivedArrival; readonly file: CompleteFile }[] = [];
    const changed: CompleteFile[] = [];
    try {
      for (const file of batch) {
        const outcome = await readComplete(reading, file);
        if (outcome.kind === 'received') received.push({ arrival: outcome.arrival, file });
        else if (outcome.kind === 'changed') changed.push(file);
        else this.#parts.onUnreadable?.(this.#lease, outcome.error);
      }
    } catch (error) {
      await intake.discard(received.map((each) => each.arrival));
      throw error;
    }
    await this.#lookAgain(changed);
    if (received.length === 0) return;
    this.#crash.reach('arrivals.after-read');
    const verdicts = await intake.accept({
      tenantId,
      flow: this.#context.flow,
      arrivals: received.map((each) => each.arrival),
      before: (tx) => proveLease(tx, this.#lease),
    });
    for (const { state } of verdicts) this.#verdicts[state] += 1;
    await this.#takeAway(
      received.map(({ file }, index) => ({ entry: file.entry, row: rowOf(file, verdicts[index]!) })),
      [],
    );
  }

  /** Files that changed while they were read begin to rest anew; those that have gone are gone. */
  async #lookAgain(changed: readonly CompleteFile[]): Promise<void> {
    if (changed.length === 0) return;
    const { ids } = this.#parts.ports;
    const now = changed.map((file) => ({ file, entry: lookAt(this.#folder, nameOf(file.entry)) }));
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
    const { afterwards } = this.#context.source;
    const released = gone.map((row) => row.arrivalId);
    if (afterwards !== 'leave' && decided.length > 0) {
      this.#crash.reach('arrivals.before-move');
      for (const [index, { entry, row }] of decided.entries()) {
        if (index % looksPerTurn === looksPerTurn - 1) await this.#keepLease();
        const to = placeFor(afterwards, row);
        const work = { name: entry.name, arrivalId: row.arrivalId, fingerprint: entry.fingerprint, to };
        this.#takeCompanions(entry, work);
        takeAway(this.#folder, nameOf(entry), work);
        released.push(row.arrivalId);
      }
      syncFolders(this.#folder);
      this.#crash.reach('arrivals.after-move');
    }
    if (released.length > 0) await this.#inLease((tx) => releaseArrivals(tx, released));
  }

  /** Before the file: a marker that stayed behind would make the next file of the name look complete. */
  #takeCompanions(entry: FolderEntry, work: TakeAway): void {
    const { marker, manifest } = this.#context.source.ready;
    const companions = [marker, manifest].filter((suffix) => suffix !== null);
    if (companions.length === 0 || lookAt(this.#folder, nameOf(entry))?.fingerprint !== work.fingerprint) return;
    for (const suffix of companions) takeAwayBeside(this.#folder, entry.name + suffix, work);
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

function nameOf(entry: FolderEntry): { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean } {
  return { bytes: entry.path.subarray(entry.path.lastIndexOf(47) + 1), name: entry.name, isExact: entry.hasExactName };
}

/** A file is removed only when its bytes are kept elsewhere. */
function placeFor(afterwards: 'move' | 'delete', row: Pick<ArrivalRow, 'state' | 'hasObject'>): TakeAway['to'] {
  if (row.state === 'quarantined') return afterwards === 'delete' && row.hasObject ? 'nowhere' : quarantineFolder;
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
