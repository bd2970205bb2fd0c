/**
 * Reads complete files of a source for acceptance: refuses what is no plain file without opening it, and finds what sends a
 * file to quarantine: its kind, size, name or manifest.
 */

import { forEachAtOnce } from '../../platform/base/at-once.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Sleep } from '../../platform/base/ports.ts';
import { formatTraceparent } from '../../platform/telemetry/trace-context.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { arrivalErrors } from './arrival-errors.ts';
import type { FileLimits, PolledSourcePlan } from './arrival-plan.ts';
import { packedBytesMax } from './content-sink.ts';
import { type FileIntake, type ReceiveContext, type ReceivedArrival, smallBytesPerPackMax } from './file-intake.ts';
import { problemOfName } from './file-name.ts';
import type { ReceivedFile, ReceiveProblem } from './file-receiver.ts';
import { type Manifest, manifestBytesMax, problemOfManifest, readManifest } from './manifest.ts';
import type { NotRead, SourceEntry, SourcePlace } from './source-place.ts';

export interface CompleteFile {
  readonly arrivalId: string;
  /** Why it was not read before, as its arrival says. */
  readonly reason?: string | null;
  readonly entry: SourceEntry;
}

type ReadOutcome =
  | { readonly kind: 'received'; readonly arrival: ReceivedArrival }
  /** It is not what it was when it was seen. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'unreadable'; readonly error: HeadgateError }
  /** Its manifest can't be read, as it is or yet. */
  | { readonly kind: 'waiting'; readonly reason: string };

export interface SourceReading {
  readonly intake: FileIntake;
  readonly context: ReceiveContext & { readonly source: PolledSourcePlan };
  readonly place: Pick<SourcePlace, 'readsAtOnce' | 'read' | 'readBeside'>;
  readonly actor: string;
  /** Called for each piece that was read, and again and again while a file is unpacked. */
  readonly onPiece: () => Promise<void>;
  readonly sleep: Sleep;
  /** A file that can not be read now. */
  readonly onUnreadable: (error: HeadgateError) => void;
}

export interface ReadFiles {
  /** In the order of the files. */
  readonly received: readonly { readonly arrival: ReceivedArrival; readonly file: CompleteFile }[];
  readonly changed: readonly CompleteFile[];
  /** Not received, and why: null where that is said elsewhere. */
  readonly waiting: readonly { readonly file: CompleteFile; readonly reason: string | null }[];
  /** What ended the reading before the last file. */
  readonly failure: unknown;
}

/** Bigger files are read alone, whatever their place: they take the room of many. */
const smallFileBytesMax = 255 * 1024;

/** Reads a batch, small files so many at once as their place wants. Never rejects: what was received is the caller's to accept or discard. */
export async function readFiles(reading: SourceReading, files: readonly CompleteFile[]): Promise<ReadFiles> {
  const outcomes: (ReadOutcome | undefined)[] = [];
  const { readsAtOnce } = reading.place;
  let failure: unknown;
  try {
    for (let from = 0; from < files.length; ) {
      let to = from + 1;
      while (to < files.length && (readsAtOnce === 1 || (isSmall(files[to - 1]!) && isSmall(files[to]!)))) to += 1;
      const run = files.slice(from, to);
      await forEachAtOnce(run, readsAtOnce, async (file, index) => {
        outcomes[from + index] = await readComplete(reading, file);
      });
      from = to;
    }
  } catch (error) {
    failure = error;
  }
  const received: { arrival: ReceivedArrival; file: CompleteFile }[] = [];
  const changed: CompleteFile[] = [];
  const waiting: ReadFiles['waiting'][number][] = [];
  for (const [index, file] of files.entries()) {
    const outcome = outcomes[index];
    if (outcome?.kind === 'received') received.push({ arrival: outcome.arrival, file });
    else if (outcome?.kind === 'changed') changed.push(file);
    else if (outcome !== undefined) {
      reading.onUnreadable(outcome.kind === 'unreadable' ? outcome.error : unreadableManifest(outcome.reason));
      waiting.push({ file, reason: outcome.kind === 'waiting' ? outcome.reason : null });
    }
  }
  return { received, changed, waiting, failure };
}

function isSmall({ entry }: CompleteFile): boolean {
  return entry.sizeBytes <= smallFileBytesMax;
}

const notReadWords: Readonly<Record<NotRead, string>> = {
  missing: 'it is not there any more',
  special: 'it is a link, a file with several names, a pipe or a device',
  large: `it is larger than ${manifestBytesMax} bytes`,
  changing: 'it changes while it is read',
  closed: 'it may not be opened',
};

/** Fails only with what is not about this file: the store, the database, a fault of the product. */
async function readComplete(reading: SourceReading, file: CompleteFile): Promise<ReadOutcome> {
  const { context, actor } = reading;
  const work = { flow: context.flow.flowName, arrivalId: file.arrivalId };
  return withSpan('arrival', { parent: null, work, attributes: { bytes: file.entry.sizeBytes } }, async (span) => {
    try {
      let sourceVersion: string | null = null;
      const received = await receive(reading, file.entry, (version) => {
        sourceVersion = version;
      });
      if (typeof received === 'string') return { kind: 'waiting', reason: received };
      const { traceId } = span.context;
      const arrival = {
        arrivalId: file.arrivalId,
        sourceId: context.source.sourceId,
        name: file.entry.name,
        actor,
        traceId,
        traceParent: formatTraceparent(span.context),
        isReleased: false,
        unpack: context.source.unpack,
        sourceVersion,
        received,
      };
      return { kind: 'received', arrival };
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      if (error.code === arrivalErrors.E_FILE_CHANGED) return { kind: 'changed' };
      if (error.code === arrivalErrors.E_SOURCE || error.code === arrivalErrors.E_SOURCE_PERMISSION) return { kind: 'unreadable', error };
      throw error;
    }
  });
}

/** Why it goes to quarantine without being read. */
function problemUnread({ isPlain, sizeBytes }: SourceEntry, { bytesMax }: Pick<FileLimits, 'bytesMax'>): ReceiveProblem | null {
  if (!isPlain) return { code: 'E_FILE_KIND', message: 'this is a link, a file with several names, a pipe or a device' };
  return sizeBytes > bytesMax ? { code: 'E_FILE_TOO_LARGE', message: `the file is larger than ${bytesMax} bytes` } : null;
}

/** How much of them may be kept. */
export function keptBytesOf(files: readonly CompleteFile[], limits: Pick<FileLimits, 'bytesMax'>): number {
  return files.reduce((sum, { entry }) => sum + (problemUnread(entry, limits) === null ? entry.sizeBytes : 0), 0);
}

/** Or why its manifest can't be read. */
async function receive(reading: SourceReading, entry: SourceEntry, onVersion: (version: string) => void): Promise<ReceivedFile | string> {
  const { intake, context, place, onPiece } = reading;
  const { source } = context;
  const refused = problemUnread(entry, source.limits);
  if (refused !== null) return withoutBytes(entry, refused);
  const manifest = source.ready.manifest === null ? null : await manifestBeside(place, entry.name + source.ready.manifest);
  if (typeof manifest === 'string') return manifest;
  const nameProblem = entry.hasExactName ? problemOfName(entry.name) : 'the name is not valid UTF-8';
  // What is quarantined for its name is kept as it came.
  const pieces = withPauses(place.read(entry, onVersion), onPiece);
  const received = await (nameProblem === null && source.unpack.length > 0
    ? receiveWhileKept(reading, pieces)
    : intake.receive({ ...context, source: { ...source, unpack: [] } }, pieces, entry.sizeBytes));
  if (nameProblem !== null) return { ...received, problem: { code: 'E_NAME', message: nameProblem } };
  const { sha256, bytes } = received.container;
  const manifestProblem = manifest && problemOfManifest(manifest, { sha256, bytes, name: entry.name });
  return manifestProblem ? { ...received, problem: { code: 'E_MANIFEST', message: manifestProblem } } : received;
}

async function manifestBeside(place: SourceReading['place'], name: string): Promise<Manifest | string> {
  const content = await place.readBeside(name, manifestBytesMax);
  return typeof content === 'string' ? notReadWords[content] : readManifest(content);
}

/** How often the lease is looked at while nothing is read. */
const keepMs = 1_000;

/** Unpacking goes on when all is read, and may take longer than a lease lasts. */
async function receiveWhileKept(
  { intake, context, sleep, onPiece }: SourceReading,
  pieces: AsyncIterable<Uint8Array>,
): Promise<ReceivedFile> {
  const over = new AbortController();
  const receiving = intake.receive(context, pieces).finally(() => over.abort());
  receiving.catch(() => undefined);
  try {
    while (!over.signal.aborted) {
      await sleep.sleep(keepMs, over.signal);
      if (!over.signal.aborted) await onPiece();
    }
  } catch (error) {
    const received = await receiving.catch(() => undefined);
    if (received !== undefined) await intake.discard([{ received }]);
    throw error;
  }
  return receiving;
}

async function* withPauses(pieces: AsyncIterable<Uint8Array>, onPiece: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    await onPiece();
    yield piece;
  }
}

function withoutBytes(entry: SourceEntry, problem: ReceiveProblem): ReceivedFile {
  return {
    container: { bytes: entry.sizeBytes, sha256: '', small: null, sealed: null },
    member: null,
    split: null,
    members: null,
    problem,
  };
}

function unreadableManifest(reason: string): HeadgateError {
  return new HeadgateError(arrivalErrors.E_SOURCE, `a manifest can't be read: ${reason}`);
}

/** Bytes of one batch beside a first file of any size: what is read before anything of it is acknowledged. */
const batchBytesMax = 64 * 1024 * 1024;

/** Cuts files, in order, into batches for one transaction each, of at most so many files. */
export function cutIntoBatches(files: readonly CompleteFile[], filesMax: number): CompleteFile[][] {
  const batches: CompleteFile[][] = [];
  let batch: CompleteFile[] = [];
  let bytes = 0;
  let smallBytes = 0;
  for (const file of files) {
    const { sizeBytes } = file.entry;
    const small = sizeBytes < packedBytesMax ? sizeBytes : 0;
    const isFull = batch.length >= filesMax || bytes + sizeBytes > batchBytesMax || smallBytes + small > smallBytesPerPackMax;
    if (batch.length > 0 && isFull) {
      batches.push(batch);
      [batch, bytes, smallBytes] = [[], 0, 0];
    }
    batch.push(file);
    bytes += sizeBytes;
    smallBytes += small;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
