/**
 * An intake store whose work happens in threads of its own: hashing, splitting, sealing, fsync and reading back of big files
 * in one, packs of small ones in another, each started when it is first needed. Small files stay in memory here until they
 * are packed. A thread that ends fails what it had in hand, retryable, and is started anew.
 */
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { packedBytesMax } from './content-sink.ts';
import { pieceBytesMax, type ReceivedFile } from './file-receiver.ts';
import {
  createDirectIntakeStore,
  type IncomingFile,
  type IntakeStore,
  type IntakeStoreParts,
  type ReceiveRequest,
} from './intake-store.ts';
import type { IntakeAnswer, IntakeCall, IntakeThreadData } from './intake-thread-messages.ts';

export interface ThreadedIntakeStore extends IntakeStore {
  /** Ends the threads; what they have in hand fails. */
  close(): Promise<void>;
}

/** The parts are for what stays on this thread: small files, reading, removing. */
export interface ThreadedIntakeOptions extends IntakeThreadData, IntakeStoreParts {}

export function createThreadedIntakeStore(options: ThreadedIntakeOptions): ThreadedIntakeStore {
  const { root, remote, cell, masterKeys, formatsUrl } = options;
  const direct = createDirectIntakeStore(options);
  const data: IntakeThreadData = { root, remote, cell, masterKeys, formatsUrl };
  const files = new IntakeThread(data);
  const packs = new IntakeThread(data);
  return {
    open: (request) => new LazyFile(direct, files, request),
    pack: (tenantId, packId, members) => packs.running.call<SealedObject[]>({ kind: 'pack', tenantId, packId, members }),
    read: direct.read,
    isStored: direct.isStored,
    remove: direct.remove,
    close: async () => {
      await Promise.all([files.close(), packs.close()]);
    },
  };
}

/** Goes to the thread when it outgrows a pack; packed files go there at once, because they may unpack to anything. */
class LazyFile implements IncomingFile {
  readonly #direct: IntakeStore;
  readonly #thread: IntakeThread;
  readonly #request: ReceiveRequest;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #incoming: IncomingFile | undefined;

  constructor(direct: IntakeStore, thread: IntakeThread, request: ReceiveRequest) {
    this.#direct = direct;
    this.#thread = thread;
    this.#request = request;
  }

  async push(bytes: Uint8Array): Promise<void> {
    const isSmall = this.#request.unpack.length === 0 && this.#keptBytes + bytes.length < packedBytesMax;
    if (this.#incoming === undefined && isSmall) {
      this.#kept.push(new Uint8Array(bytes));
      this.#keptBytes += bytes.length;
      return;
    }
    this.#incoming ??= await this.#start(new ThreadFile(this.#thread.running, this.#request));
    await this.#incoming.push(bytes);
  }

  async end(): Promise<ReceivedFile> {
    this.#incoming ??= await this.#start(this.#direct.open(this.#request));
    return this.#incoming.end();
  }

  async abort(): Promise<void> {
    await this.#incoming?.abort();
  }

  async #start(incoming: IncomingFile): Promise<IncomingFile> {
    for (const bytes of this.#kept) await incoming.push(bytes);
    this.#kept = [];
    return incoming;
  }
}

/** Bytes are in buffers; what is left to the heap is short-lived and little. `bin/headgate` may give more. */
const youngMbMax = 4;

let lastFile = 0;

/** Full buffers on their way while the next one is filled: with fewer, each side waits for the other. */
const inFlightMax = 4;

/**
 * Bytes travel in full buffers, because a message costs more than the bytes of a network packet, and the buffers go to and fro, so that a
 * file of any size costs no more memory. It stays with the thread that it began in.
 */
class ThreadFile implements IncomingFile {
  readonly #thread: StartedThread;
  readonly #file = ++lastFile;
  readonly #spare: ArrayBuffer[] = [];
  #filling: ArrayBuffer | undefined;
  #filledBytes = 0;
  /** The oldest first, which is waited for first: what comes after one that failed fails because of it. */
  readonly #inFlight: Promise<unknown>[] = [];

  constructor(thread: StartedThread, request: ReceiveRequest) {
    this.#thread = thread;
    this.#began(thread.call({ kind: 'open', file: this.#file, request }));
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#filling ??= this.#spare.pop() ?? new ArrayBuffer(pieceBytesMax);
      const piece = bytes.subarray(at, at + pieceBytesMax - this.#filledBytes);
      new Uint8Array(this.#filling, this.#filledBytes).set(piece);
      this.#filledBytes += piece.length;
      at += piece.length;
      if (this.#filledBytes === pieceBytesMax) await this.#send();
    }
  }

  async end(): Promise<ReceivedFile> {
    await this.#send();
    for (const each of this.#inFlight) await each;
    return this.#thread.call<ReceivedFile>({ kind: 'end', file: this.#file });
  }

  async abort(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await this.#thread.call({ kind: 'abort', file: this.#file }).catch(() => undefined);
  }

  async #send(): Promise<void> {
    if (this.#filling === undefined) return;
    const bytes = new Uint8Array(this.#filling, 0, this.#filledBytes);
    this.#filling = undefined;
    this.#filledBytes = 0;
    if (this.#inFlight.length === inFlightMax) await this.#inFlight.shift();
    const pushed = this.#thread.call<Uint8Array<ArrayBuffer>>({ kind: 'push', file: this.#file, bytes }, [bytes.buffer]);
    this.#began(pushed.then((used) => this.#spare.push(used.buffer)));
  }

  /** Its failure is that of a later call. */
  #began(call: Promise<unknown>): void {
    call.catch(() => undefined);
    this.#inFlight.push(call);
  }
}

class IntakeThread {
  readonly #data: IntakeThreadData;
  #started: StartedThread | undefined;

  constructor(data: IntakeThreadData) {
    this.#data = data;
  }

  get running(): StartedThread {
    if (this.#started === undefined || this.#started.isEnded) this.#started = new StartedThread(this.#data);
    return this.#started;
  }

  async close(): Promise<void> {
    await this.#started?.terminate();
  }
}

class StartedThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  #lastId = 0;
  isEnded = false;

  /** Fails with E_INTAKE_ENDED where the machine gives no thread. */
  constructor(data: IntakeThreadData) {
    this.#worker = startWorker(data);
    this.#worker.on('message', (said: IntakeAnswer) => {
      const call = this.#pending.get(said.id);
      this.#pending.delete(said.id);
      if (this.#pending.size === 0) this.#worker.unref();
      if ('value' in said) call?.resolve(said.value);
      else call?.reject(failureOf(said.failure));
    });
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
    // The process may end while the thread waits for work, and not while it is asked for something.
    this.#worker.unref();
  }

  call<Value>(call: IntakeCall, givenAway: readonly ArrayBuffer[] = []): Promise<Value> {
    if (this.isEnded) return Promise.reject(ended());
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (this.#pending.size === 0) this.#worker.ref();
    this.#pending.set(id, { resolve, reject });
    this.#worker.postMessage({ id, call }, givenAway);
    return promise as Promise<Value>;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(): void {
    this.isEnded = true;
    for (const { reject } of this.#pending.values()) reject(ended());
    this.#pending.clear();
  }
}

function startWorker(data: IntakeThreadData): Worker {
  try {
    return new Worker(new URL('./intake-thread-entry.ts', import.meta.url), {
      workerData: data,
      name: 'intake',
      resourceLimits: { maxYoungGenerationSizeMb: youngMbMax },
    });
  } catch (cause) {
    throw new HeadgateError(arrivalErrors.E_INTAKE_ENDED, 'a thread that takes bytes in could not be started', { cause });
  }
}

function ended(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_INTAKE_ENDED, 'the thread that takes bytes in ended');
}

function failureOf(failure: { readonly code: string | null; readonly message: string; readonly isRetryable: boolean }): Error {
  return failure.code === null
    ? new Error(failure.message)
    : new HeadgateError(failure.code, failure.message, { retryable: failure.isRetryable });
}
