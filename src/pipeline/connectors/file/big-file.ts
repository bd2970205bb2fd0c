/**
 * Writes a file that is too big for memory. While a piece is written the next one is made, and what was written goes to the disk
 * while the rest comes, so that the last fsync finds little.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { freeBytes } from '../../../platform/base/freed-bytes.ts';

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const bufferBytes = 512 * 1024;
/** Bytes that may be in memory only, before the disk is told to begin. */
const syncBytes = 32 * 1024 * 1024;

/** Resolves when all bytes are durable. Each piece is only used until the next is asked for. Rejects with the system's error, and at the signal. */
export async function writeBigFile(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { mode, signal }: { readonly mode: number; readonly signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  const file = await open(path, flags, mode);
  const writing = new BehindWriting(file);
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await writing.take(piece);
    }
    await writing.end();
  } finally {
    await writing.settle();
    await file.close();
  }
}

/** Has one write under way, from the one of its buffers that is not being filled. */
class BehindWriting {
  readonly #file: FileHandle;
  #written = Buffer.allocUnsafeSlow(bufferBytes);
  #filled = Buffer.allocUnsafeSlow(bufferBytes);
  #write: Promise<void> = Promise.resolve();
  #sync: Promise<void> = Promise.resolve();
  #unsyncedBytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Copies it, and rejects with what the write before failed with. */
  async take(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; at += bufferBytes) {
      const part = piece.subarray(at, at + bufferBytes);
      this.#filled.set(part);
      await this.#write;
      [this.#written, this.#filled] = [this.#filled, this.#written];
      this.#write = kept(writeWhole(this.#file, this.#written.subarray(0, part.length)));
      this.#unsyncedBytes += part.length;
      if (this.#unsyncedBytes >= syncBytes) this.#beginSync();
    }
  }

  /** An fsync that fails is told once for a file: each of them is waited for in the end. */
  #beginSync(): void {
    this.#unsyncedBytes = 0;
    this.#sync = kept(this.#sync.then(() => this.#file.datasync()));
  }

  async end(): Promise<void> {
    await this.#write;
    await this.#sync;
    await this.#file.sync();
  }

  /** Nothing is under way any more, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#write, this.#sync]);
    freeBytes(this.#written);
    freeBytes(this.#filled);
  }
}

/** It may fail before it is waited for. */
function kept(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
}
