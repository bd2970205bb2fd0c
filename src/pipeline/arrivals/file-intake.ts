/**
 * From bytes to verdicts, for every way in: takes bytes in once, packs the small ones, and runs the accepting transaction.
 * A verdict that it returns is committed. An answer to COMMIT that was lost is looked up by the arrival's key before
 * anything is said or done again; stored objects that no row names are removed, or swept later.
 */
import { type CrashPoints, noCrashPoints } from '../../platform/base/crash-points.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ids, Ports } from '../../platform/base/ports.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { PgpReadingKeys } from '../../platform/packing/pgp-reading.ts';
import { pgpReadingErrors } from '../../platform/packing/pgp-reading-errors.ts';
import { type CommitOutcome, resolveCommit } from '../../platform/postgres/commit-outcome.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { CommitUnknownError } from '../../platform/postgres/postgres-errors.ts';
import { retryTransient } from '../../platform/postgres/transient-retry.ts';
import type { ConnectionSecrets } from '../../platform/secrets/connection-secrets.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { SplitResult } from '../formats/format.ts';
import type { CreateJobs } from './accepted-file.ts';
import type { AdmissionLimits, ArrivalFlow, PgpKeysPlan, SourcePlan } from './arrival-plan.ts';
import { type ArchiveOfMember, isArrivalDecided } from './arrival-store.ts';
import type { Candidate, StoredContent } from './candidate.ts';
import type { Content } from './content-sink.ts';
import { evenChunkBytes } from './even-chunks.ts';
import { type ArrivalVerdict, acceptCandidates } from './file-acceptance.ts';
import { nameOfUnpacked } from './file-name.ts';
import { pieceBytesMax, type ReceivedFile, type ReceivedMember, type ReceiveProblem } from './file-receiver.ts';
import { findKnownDuplicates, hashesOf, type JudgedFile } from './file-verdicts.ts';
import type { IntakeStore } from './intake-store.ts';
import { proveStored } from './late-rows.ts';

export interface IntakeParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly store: IntakeStore;
  readonly createJobs: CreateJobs;
  /** Of the keys to decrypt with. */
  readonly secrets: ConnectionSecrets;
  /** At most. */
  readonly chunkBytes: number;
  readonly crashPoints?: CrashPoints;
  /** Told of each committed batch; must not throw. */
  readonly onVerdicts?: (tenantId: string, flow: ArrivalFlow, verdicts: readonly ArrivalVerdict[]) => void;
}

export interface ReceiveContext {
  readonly tenantId: string;
  readonly flow: ArrivalFlow;
  readonly source: SourcePlan;
  readonly limits: AdmissionLimits;
}

/** An arrival whose bytes were taken in, or could not be. */
export interface ReceivedArrival {
  readonly arrivalId: string;
  readonly sourceId: string;
  readonly name: string;
  readonly actor: string;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  readonly isReleased: boolean;
  readonly unpack: Unpack;
  /** Of the file at its source, where that keeps versions. */
  readonly sourceVersion: string | null;
  readonly received: ReceivedFile;
}

export interface AcceptRequest {
  readonly tenantId: string;
  readonly flow: ArrivalFlow;
  /** At most 256, their small contents at most 16 MiB together. */
  readonly arrivals: readonly ReceivedArrival[];
  /** First thing in the transaction: makes the arrivals `complete`, proves the lease. May run more than once. */
  readonly before?: (tx: TenantTx) => Promise<void>;
  /** Last thing in the transaction. */
  readonly after?: (tx: TenantTx, verdicts: readonly ArrivalVerdict[]) => Promise<void>;
}

export interface FileIntake {
  /**
   * Reads the body to its end. `announcedBytes`: how long it is said to be, if that is known. Fails with E_FILE_TOO_LARGE, the store's codes
   * and the body's own; nothing is left then.
   */
  receive(context: ReceiveContext, body: AsyncIterable<Uint8Array>, announcedBytes?: number): Promise<ReceivedFile>;
  /** Fails when nothing was committed, and with E_COMMIT_UNKNOWN when that can not be found out. */
  accept(request: AcceptRequest): Promise<ArrivalVerdict[]>;
  /** Removes what was sealed of files that will not be accepted. */
  discard(arrivals: readonly Pick<ReceivedArrival, 'received'>[]): Promise<void>;
}

export const filesPerTransactionMax = 256;
export const smallBytesPerPackMax = 16 * 1024 * 1024;
const lostAnswersMax = 5;

export function createFileIntake(parts: IntakeParts): FileIntake {
  const { ports, store } = parts;
  return {
    async receive({ tenantId, flow, source, limits }, body, announcedBytes) {
      const { format, records } = flow.plan;
      const begunMs = ports.clock.monotonicMs();
      const incoming = store.open({
        tenantId,
        unpack: source.unpack,
        pgpKeys: source.pgp && readPgpKeys(parts.secrets, source.pgp, ports.clock.nowMs()),
        limits: source.limits,
        plan: { format, records },
        chunkBytes: source.unpack.length > 0 ? parts.chunkBytes : evenChunkBytes(parts.chunkBytes, announcedBytes),
        recordBytesMax: limits.recordBytesMax,
        hashesRecords: flow.duplicates.keys.includes('records'),
      });
      try {
        for await (const bytes of body) {
          for (let at = 0; at < bytes.length; at += pieceBytesMax) {
            if (at > 0) await ports.sleep.sleep(0);
            await incoming.push(bytes.subarray(at, at + pieceBytesMax));
          }
        }
        return { ...(await incoming.end()), begunMs };
      } catch (error) {
        await incoming.abort();
        throw error;
      }
    },
    accept: (request) => accept(parts, request),
    discard: (arrivals) => discardAll(store, arrivals),
  };
}

/** Fails with E_PGP_READING_KEYS: it is no fault of the file, and passes. */
function readPgpKeys(secrets: ConnectionSecrets, plan: PgpKeysPlan, atMs: number): PgpReadingKeys {
  const { tenant, privateKey, passphrase, signers, isSignatureRequired } = plan;
  const resolve = (reference: string) => {
    try {
      return secrets.of(tenant).resolve(reference).reveal();
    } catch (cause) {
      if (!(cause instanceof HeadgateError)) throw cause;
      throw new HeadgateError(pgpReadingErrors.E_PGP_READING_KEYS, `a key of the source can not be read: ${cause.message}`, { cause });
    }
  };
  return {
    privateKey: resolve(privateKey),
    passphrase: passphrase === null ? null : resolve(passphrase),
    signers: signers.map(resolve),
    isSignatureRequired,
    atMs,
  };
}

async function accept(parts: IntakeParts, request: AcceptRequest): Promise<ArrivalVerdict[]> {
  const { db, ports } = parts;
  const crash = parts.crashPoints ?? noCrashPoints;
  const { tenantId, flow } = request;
  const arrivals = request.arrivals.map((arrival) => withMembers(ports.ids, arrival));
  const sinceMs = Math.min(ports.clock.monotonicMs(), ...request.arrivals.flatMap(({ received }) => received.begunMs ?? []));
  let verdicts: ArrivalVerdict[];
  try {
    const known = await withTenant(db, tenantId, (tx) => findKnownDuplicates(tx, flow, arrivals.map(judgedOf)), { readOnly: true });
    crash.reach('arrivals.before-pack');
    const candidates = await storeSmall(parts, tenantId, arrivals, known);
    crash.reach('arrivals.before-commit');
    verdicts = await commitResolved(parts, { tenantId, arrivalId: arrivals[0]!.arrivalId }, async (tx) => {
      await request.before?.(tx);
      await proveStored(tx, { clock: ports.clock, store: parts.store, sinceMs, candidates });
      const judged = await acceptCandidates(tx, { ids: ports.ids, createJobs: parts.createJobs }, flow, candidates);
      await request.after?.(tx, judged);
      return judged;
    });
  } catch (error) {
    if (!(error instanceof CommitUnknownError)) await discardAll(parts.store, request.arrivals);
    throw error;
  }
  crash.reach('arrivals.after-commit');
  await discardUnnamed(parts.store, arrivals, verdicts);
  parts.onVerdicts?.(
    tenantId,
    flow,
    verdicts.flatMap((verdict) => [verdict, ...verdict.members]),
  );
  return verdicts;
}

/** What is judged and stored: an arrival, or a member of one, whose arrival is made with the verdict. */
type TakenFile = Omit<ReceivedArrival, 'received'> & {
  readonly container: Content;
  readonly member: Content | null;
  readonly split: SplitResult | null;
  readonly givenSha256: string | null;
  readonly problem: ReceiveProblem | null;
  readonly archive: ArchiveOfMember | null;
  readonly members: readonly TakenFile[] | null;
};

function withMembers(ids: Ids, { received, ...arrival }: ReceivedArrival): TakenFile {
  const { container, member, split, givenSha256 = null, problem } = received;
  const { bytes, sha256 } = container;
  const archive = { arrivalId: arrival.arrivalId, name: arrival.name, bytes, sha256, unpack: arrival.unpack };
  const memberOf = ({ name, content, split: own, givenSha256 }: ReceivedMember): TakenFile => ({
    ...arrival,
    arrivalId: ids.next(),
    name: name ?? nameOfUnpacked(arrival.name),
    isReleased: true,
    unpack: [],
    // That of what it came in.
    sourceVersion: null,
    container: content,
    member: content,
    split: own,
    givenSha256,
    problem: null,
    archive,
    members: null,
  });
  return { ...arrival, container, member, split, givenSha256, problem, archive: null, members: received.members?.map(memberOf) ?? null };
}

interface ArrivalKey {
  readonly tenantId: string;
  readonly arrivalId: string;
}

/** Runs the transaction until its outcome is certain. The result is that of the run that was committed. */
async function commitResolved<T>(parts: IntakeParts, key: ArrivalKey, work: (tx: TenantTx) => Promise<T>): Promise<T> {
  const { db, ports } = parts;
  const attempt = async (): Promise<T> => {
    for (let lostAnswers = 0; ; lostAnswers++) {
      let computed: { readonly value: T } | undefined;
      try {
        return await withTenant(db, key.tenantId, async (tx) => {
          const value = await work(tx);
          computed = { value };
          return value;
        });
      } catch (error) {
        if (!(error instanceof CommitUnknownError) || computed === undefined) throw error;
        const outcome = await outcomeByKey(db, ports, key, error);
        if (outcome === 'committed') return computed.value;
        if (outcome === 'unknown' || lostAnswers >= lostAnswersMax) throw error;
      }
    }
  };
  return retryTransient(attempt, { ports });
}

/** The arrival's row first, then the server's memory of the transaction; "unknown" while neither can be asked. */
async function outcomeByKey(db: Db, ports: Ports, key: ArrivalKey, error: CommitUnknownError): Promise<CommitOutcome> {
  const isDecided = () => withTenant(db, key.tenantId, (tx) => isArrivalDecided(tx, key.arrivalId), { readOnly: true });
  try {
    if (await retryTransient(isDecided, { ports })) return 'committed';
    const outcome = await resolveCommit(db, error.xid, { ports });
    if (outcome !== 'committed') return outcome;
    return (await retryTransient(isDecided, { ports })) ? 'committed' : 'unknown';
  } catch {
    // What could not be asked stays open: the caller fails with the COMMIT's own error, and nothing is removed.
    return 'unknown';
  }
}

/** Puts the small contents into one pack, those of known duplicates left out. */
async function storeSmall(
  { ports, store }: IntakeParts,
  tenantId: string,
  arrivals: readonly TakenFile[],
  known: ReadonlyMap<string, string>,
): Promise<Candidate[]> {
  const members: { readonly objectId: string; readonly bytes: Uint8Array }[] = [];
  const places = new Map<Content, number>();
  for (const file of arrivals.flatMap((arrival) => (known.has(arrival.arrivalId) ? [] : [arrival, ...(arrival.members ?? [])]))) {
    if (known.has(file.arrivalId)) continue;
    for (const content of contentsOf(file)) {
      if (content.small === null || places.has(content)) continue;
      places.set(content, members.length);
      members.push({ objectId: ports.ids.next(), bytes: content.small });
    }
  }
  const packed = members.length === 0 ? [] : await store.pack(tenantId, ports.ids.next(), members);
  const stored = (content: Content): StoredContent => {
    const place = places.get(content);
    return { bytes: content.bytes, sha256: content.sha256, object: content.sealed ?? (place === undefined ? null : packed[place]!) };
  };
  const candidateOf = (file: TakenFile): Candidate => ({
    ...file,
    fileId: ports.ids.next(),
    container: stored(file.container),
    member: file.member && stored(file.member),
    knownDuplicateOf: known.get(file.arrivalId) ?? null,
    members: file.members?.map(candidateOf) ?? null,
  });
  return arrivals.map(candidateOf);
}

/** Of the file itself. */
function contentsOf({ container, member }: Pick<TakenFile, 'container' | 'member'>): Content[] {
  return member === null || member === container ? [container] : [container, member];
}

/** Before the file's id exists, the arrival's stands for it. */
function judgedOf(file: TakenFile): JudgedFile {
  const { arrivalId, name, problem, members } = file;
  return {
    fileId: arrivalId,
    name,
    ...hashesOf(file),
    problem,
    knownDuplicateOf: null,
    members: members?.map(judgedOf) ?? null,
  };
}

async function discardAll(store: IntakeStore, arrivals: readonly Pick<ReceivedArrival, 'received'>[]): Promise<void> {
  await removeObjects(
    store,
    arrivals.flatMap(({ received }) => [...contentsOf(received), ...(received.members ?? []).map((member) => member.content)]),
  );
}

/** Accepted files need all that was sealed; what is held, in quarantine or unpacked keeps the file as received; a duplicate nothing. */
async function discardUnnamed(store: IntakeStore, arrivals: readonly TakenFile[], verdicts: readonly ArrivalVerdict[]): Promise<void> {
  await removeObjects(
    store,
    arrivals.flatMap((file, index) => unnamedOf(file, verdicts[index]!)),
  );
}

function unnamedOf(file: TakenFile, { state, members }: ArrivalVerdict): Content[] {
  if (state === 'accepted') return [];
  if (state === 'unpacked') return file.members!.flatMap((member, index) => unnamedOf(member, members[index]!));
  const own = contentsOf(file).filter((content) => state === 'duplicate' || content !== file.container);
  return [...own, ...(file.members ?? []).map((member) => member.container)];
}

/** A failure leaves an orphan for the sweep, and must not hide the verdict. */
export async function removeObjects(store: IntakeStore, contents: readonly Content[]): Promise<void> {
  for (const { sealed } of contents) {
    if (sealed === null) continue;
    try {
      await store.remove(sealed.name);
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
    }
  }
}
