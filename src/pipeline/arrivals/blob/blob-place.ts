/**
 * A folder of a bucket or container as a place to poll: the objects whose names begin with it and go on without a slash. An
 * object is there whole or not at all, and its ETag tells it from every other of its name. So each range that is read is asked
 * for with the ETag that was seen: bytes of two objects are never mixed, and a range that fails is asked for again.
 */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Sleep } from '../../../platform/base/ports.ts';
import { type Blob, type BlobContainer, isPlainName } from '../../../platform/blob/blob-container.ts';
import { BlobFailure } from '../../../platform/blob/blob-failure.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import type { OnTurn, SourceEntry, SourcePlace } from '../source-place.ts';
import { isFailure, withSourceFailures } from './blob-failures.ts';
import { takeAwayAll } from './blob-take-away.ts';

export interface BlobPlaceOptions {
  readonly container: BlobContainer;
  /** Empty, or ending with a slash. */
  readonly folder: string;
  readonly onTurn: OnTurn;
  readonly sleep: Sleep;
}

const namesMax = 100_000;
const readsAtOnce = 8;
const rangeBytes = 1024 * 1024;
/** Of one file; small ones are one range. */
const rangesAtOnce = 4;
/** Of one request, the first included, with growing pauses. */
const triesMax = 4;
/** Each takes long. */
const timeoutsMax = 2;
const pauseMs = 500;

export function createBlobPlace({ container, folder, onTurn, sleep }: BlobPlaceOptions): SourcePlace {
  /** What a service can't do now it may do in a moment; nothing that is asked for twice is done twice. */
  async function insisting<T>(ask: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await ask();
      } catch (error) {
        const isPassing = isFailure(error, 'lost', 'busy', 'unreachable') || (isFailure(error, 'timeout') && tried < timeoutsMax);
        if (!isPassing || tried >= triesMax) throw error;
        await onTurn();
        await sleep.sleep(pauseMs * tried);
      }
    }
  }

  /** Until an object has none. */
  let hasVersions = true;

  async function versionOf({ name, fingerprint }: SourceEntry): Promise<string | null> {
    const now = await insisting(() => container.look(folder + name));
    if (now?.etag !== fingerprint) throw replaced();
    return now.version;
  }

  /** A version that is there before and after all of its bytes is the one that was read: none comes back once another one is there. */
  async function* ofOneVersion(entry: SourceEntry, onVersion: (version: string) => void): AsyncGenerator<Buffer> {
    const version = hasVersions || entry.sizeBytes === 0 ? await versionOf(entry) : null;
    hasVersions &&= version !== null;
    yield* ranges(entry);
    if (version === null) return;
    if ((await versionOf(entry)) !== version) throw replaced();
    onVersion(version);
  }

  async function* ranges(entry: SourceEntry): AsyncGenerator<Buffer> {
    const blob = { name: folder + entry.name, etag: entry.fingerprint };
    const asked: Promise<Buffer>[] = [];
    for (let from = 0; from < entry.sizeBytes || asked.length > 0; ) {
      while (from < entry.sizeBytes && asked.length < rangesAtOnce) {
        const range = { from, bytes: Math.min(rangeBytes, entry.sizeBytes - from) };
        const read = insisting(() => container.read(blob, range));
        // Awaited in order; one that fails while an earlier one is awaited is not forgotten by that.
        read.catch(() => {});
        asked.push(read);
        from += range.bytes;
      }
      yield await asked.shift()!;
    }
  }

  async function* read(entry: SourceEntry, onVersion: (version: string) => void = () => {}): AsyncGenerator<Uint8Array> {
    const pieces = ofOneVersion(entry, onVersion);
    try {
      for (;;) {
        const next = await withSourceFailures('read a file', () => pieces.next());
        if (next.done) return;
        yield next.value;
      }
    } catch (error) {
      const { cause } = error as Error;
      if (isFailure(cause, 'changed', 'missing'))
        throw new HeadgateError(arrivalErrors.E_FILE_CHANGED, 'the file changed while it was read', { cause });
      throw error;
    } finally {
      await pieces.return(undefined);
    }
  }

  return {
    readsAtOnce,
    look: (isWanted) =>
      withSourceFailures('list a folder', async () => {
        const entries: SourceEntry[] = [];
        const names = new Set<string>();
        let passedOver = 0;
        for (const blob of await insisting(() => container.list(folder, { namesMax, onPage: onTurn }))) {
          const name = blob.name.slice(folder.length);
          if (!isPlainName(blob.name)) {
            // Not the folder's own object.
            if (name !== '' && isWanted(name)) passedOver += 1;
            continue;
          }
          names.add(name);
          if (isWanted(name)) entries.push(entryOf(folder, blob));
        }
        return { entries, names, passedOver };
      }),
    lookAgain: (entry) =>
      withSourceFailures('look at a file', async () => {
        const blob = await insisting(() => container.look(folder + entry.name));
        return blob && entryOf(folder, blob);
      }),
    read,
    readBeside: (name, bytesMax) =>
      withSourceFailures('read a manifest', async () => {
        const blob = await insisting(() => container.look(folder + name));
        if (blob === undefined) return 'missing';
        if (blob.bytes > bytesMax) return 'large';
        if (blob.bytes === 0) return Buffer.alloc(0);
        try {
          return await insisting(() => container.read(blob, { from: 0, bytes: blob.bytes }));
        } catch (error) {
          // It is being replaced: read again by the next poll.
          if (isFailure(error, 'changed', 'missing')) return 'changing';
          throw error;
        }
      }),
    takeAway: (works) => withSourceFailures('move or delete a file', () => takeAwayAll({ container, folder, onTurn, insisting }, works)),
    close: () => container.close(),
  };
}

function replaced(): BlobFailure {
  return new BlobFailure('changed', 'the object is not the one that was meant');
}

function entryOf(folder: string, { name, bytes, modifiedMs, etag }: Blob): SourceEntry {
  const own = name.slice(folder.length);
  return { bytes: Buffer.from(own), name: own, hasExactName: true, isPlain: true, sizeBytes: bytes, modifiedMs, fingerprint: etag };
}
