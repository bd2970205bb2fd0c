/**
 * The raw store in a bucket or container. An object is there whole or not at all: small ones are sent at once, big ones in
 * parts that the service puts together at the end, and the name is taken only if it is free. What is there already counts
 * as ours only if it holds the same bytes: an answer that was lost is found out so. Calls are synchronous, as those of a disk,
 * and hold up their thread until the service answers or the time is over.
 */
import { createHash } from 'node:crypto';
import type { BlockingWriter, Operator } from 'opendal';
import { HeadgateError } from '../base/errors.ts';
import { type BlobFailure, blobFailureOf } from '../blob/blob-failure.ts';
import { openBlobOperator } from '../blob/blob-operator.ts';
import { type BlobCredentials, type BlobService, destinationsOf } from '../blob/blob-service.ts';
import { assertObjectName, assertObjectPrefix } from './object-name.ts';
import type { RawReader, RawStore, RawWriter, StoredName } from './object-store.ts';
import { storageErrors } from './storage-errors.ts';

/** Plain data: threads open the store for themselves. */
export interface RemoteStorePlan {
  readonly service: BlobService;
  readonly credentials: BlobCredentials;
  /** What all names begin with: empty, or folders with a slash at the end. */
  readonly folder: string;
}

const timeoutMs = 10_000;
const retries = 1;
const reachMs = 2_000;
/** The least that S3 takes for a part is 5 MiB. */
const partBytes = 8 * 1024 * 1024;
/** A reader that goes on where it was asks for more at once, up to so much. */
const aheadBytesMax = 4 * 1024 * 1024;

export function createRemoteStore({ service, credentials, folder }: RemoteStorePlan): RawStore {
  const operator = withBlobFailures('open the store', () => openBlobOperator({ service, credentials, timeoutMs, retries }));
  const pathOf = (name: string): string => {
    assertObjectName(name);
    return folder + name;
  };
  return {
    create: (name) => createWriter(operator, pathOf(name)),
    open: (name) => openReader(operator, pathOf(name)),
    exists: (name) => withBlobFailures('look for an object', () => operator.existsSync(pathOf(name))),
    remove: (name) => withBlobFailures('remove an object', () => operator.deleteSync(pathOf(name))),
    list(prefix) {
      assertObjectPrefix(prefix);
      return listAll(operator, folder, prefix);
    },
    // Parts that were never put together have no name; the service removes them by a rule of the bucket.
    *listUnfinished() {},
    removeUnfinished(name) {
      throw new HeadgateError(storageErrors.E_OBJECT_NAME, `not the name of an unfinished object: ${name.length} characters`);
    },
  };
}

/** Every host that is connected to for the store. */
export function hostsOfStore({ service, credentials }: RemoteStorePlan): readonly string[] {
  return destinationsOf(service, credentials).map(({ host }) => host);
}

/** Says in words why the store can't be used now; undefined when it answers. Holds up no thread. */
export async function reachRemoteStore({ service, credentials, folder }: RemoteStorePlan): Promise<string | undefined> {
  try {
    await openBlobOperator({ service, credentials, timeoutMs: reachMs }).exists(`${folder}none`);
    return undefined;
  } catch (error) {
    return blobFailureOf(error).message;
  }
}

function createWriter(operator: Operator, path: string): RawWriter {
  const hash = createHash('sha256');
  let bytes = 0;
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  let parts: BlockingWriter | undefined;
  let isFinished = false;

  const assertUnfinished = (): void => {
    if (isFinished) throw new Error('this object was committed or aborted before');
  };
  function sendKept(): void {
    parts ??= operator.writerSync(path, { chunk: BigInt(partBytes), ifNotExists: true });
    parts.write(takeKept());
  }
  function takeKept(): Buffer {
    const taken = Buffer.concat(kept);
    kept = [];
    keptBytes = 0;
    return taken;
  }
  function send(): void {
    if (parts === undefined) {
      operator.writeSync(path, takeKept(), { ifNotExists: true });
      return;
    }
    if (keptBytes > 0) sendKept();
    parts.close();
  }
  return {
    write(given) {
      assertUnfinished();
      hash.update(given);
      bytes += given.length;
      // The caller uses its buffer again.
      kept.push(new Uint8Array(given));
      keptBytes += given.length;
      if (keptBytes >= partBytes) withBlobFailures('write an object', sendKept);
    },
    commit(check) {
      assertUnfinished();
      isFinished = true;
      const sha256 = hash.digest('hex');
      try {
        send();
      } catch (error) {
        const failure = blobFailureOf(error, true);
        if (failure.kind !== 'exists' || !isSame(operator, path, { bytes, sha256 })) throw storageFailureOf(failure, 'write an object');
      }
      try {
        check?.(() => openReader(operator, path));
      } catch (error) {
        withBlobFailures('remove an object', () => operator.deleteSync(path));
        throw error;
      }
    },
    abort() {
      isFinished = true;
      kept = [];
      parts = undefined;
    },
  };
}

/** An earlier try may have written it, and its answer been lost. */
function isSame(operator: Operator, path: string, written: { readonly bytes: number; readonly sha256: string }): boolean {
  const reader = openReader(operator, path);
  if (reader.size !== written.bytes) return false;
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(reader.size, aheadBytesMax));
  for (let at = 0; at < reader.size; ) {
    const count = reader.read(piece, 0, Math.min(piece.length, reader.size - at), at);
    hash.update(piece.subarray(0, count));
    at += count;
  }
  return hash.digest('hex') === written.sha256;
}

function openReader(operator: Operator, path: string): RawReader {
  const { size, etag } = withBlobFailures('open an object', () => {
    const metadata = operator.statSync(path);
    return { size: Number(metadata.contentLength ?? 0n), etag: metadata.etag };
  });
  let ahead: Buffer = Buffer.alloc(0);
  let aheadFrom = 0;
  /** Where the last read ended: who goes on there reads in order. */
  let end = -1;
  let asked = 0;

  function fetchFrom(position: number, length: number): void {
    asked = position === end ? Math.min(asked * 2, aheadBytesMax) : 0;
    const wanted = Math.min(Math.max(length, asked), size - position);
    asked = wanted;
    ahead = operator.readSync(path, { offset: BigInt(position), size: BigInt(wanted), ...(etag === null ? {} : { ifMatch: etag }) });
    aheadFrom = position;
  }
  return {
    size,
    read: (into, at, length, position) =>
      withBlobFailures('read an object', () => {
        const wanted = Math.max(0, Math.min(length, size - position));
        for (let done = 0; done < wanted; ) {
          const from = position + done;
          if (from < aheadFrom || from >= aheadFrom + ahead.length) fetchFrom(from, wanted - done);
          const piece = ahead.subarray(from - aheadFrom, from - aheadFrom + wanted - done);
          into.set(piece, at + done);
          done += piece.length;
          end = from + piece.length;
        }
        return wanted;
      }),
    close() {
      ahead = Buffer.alloc(0);
    },
  };
}

function* listAll(operator: Operator, folder: string, prefix: string): Generator<StoredName> {
  const below = prefix === '' ? folder : `${folder}${prefix}/`;
  const lister = withBlobFailures('list objects', () => operator.listerSync(below === '' ? '/' : below, { recursive: true }));
  for (;;) {
    const entry = withBlobFailures('list objects', () => lister.next());
    if (entry === null) return;
    const metadata = entry.metadata();
    if (!metadata.isFile()) continue;
    const { contentLength, lastModified } = metadata;
    const name = entry.path().slice(folder.length);
    yield { name, bytes: Number(contentLength ?? 0n), modifiedMs: lastModified === null ? 0 : Date.parse(lastModified) };
  }
}

function withBlobFailures<T>(action: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof HeadgateError) throw cause;
    throw storageFailureOf(blobFailureOf(cause), action);
  }
}

function storageFailureOf(failure: BlobFailure, action: string): HeadgateError {
  const why = `cannot ${action}: ${failure.message}`;
  switch (failure.kind) {
    case 'missing':
      return new HeadgateError(storageErrors.E_OBJECT_MISSING, 'the store does not have an object that is named', { cause: failure });
    case 'exists':
      return new HeadgateError(storageErrors.E_OBJECT_EXISTS, why, { cause: failure });
    case 'changed':
      return new HeadgateError(storageErrors.E_OBJECT_DAMAGED, 'an object was exchanged while it was read', { cause: failure });
    // Credentials, rights and containers are mended by an operator, and work waits for that.
    case 'failed':
      return new HeadgateError(storageErrors.E_STORAGE_IO, why, { cause: failure, retryable: false });
    default:
      return new HeadgateError(storageErrors.E_STORAGE_IO, why, { cause: failure });
  }
}
