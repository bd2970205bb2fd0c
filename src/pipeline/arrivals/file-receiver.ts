/**
 * Takes in one file's bytes once, in order: hashes them as received, unpacks them within limits, hashes and splits what was
 * unpacked, and seals both. Small ones stay in memory, to be packed with others. Nothing names what was sealed until the
 * accepting transaction commits; `abort` and a crash leave at most an orphan for the sweep.
 */
import { createHash, type Hash } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import { Unpacker, type UnpackProblem } from '../../platform/packing/unpacker.ts';
import type { SealedObject, SealedStore, SealedWriter } from '../../platform/storage/object-store.ts';
import type { SplitResult, Splitter } from '../formats/format.ts';
import { type ArrivalErrorCode, arrivalErrors } from './arrival-errors.ts';

/** Files below this are packed (decisions 5). */
export const packedBytesMax = 64 * 1024;
/** The longest piece that is hashed, split and sealed without a pause. */
export const pieceBytesMax = 256 * 1024;

export interface ReceiverOptions {
  readonly tenantId: string;
  readonly store: SealedStore;
  /** For the file as received, and for the unpacked one. */
  readonly objectIds: { readonly container: string; readonly member: string };
  readonly unpack: Unpack;
  readonly limits: { readonly bytesMax: number; readonly unpackedBytesMax: number; readonly ratioMax: number };
  readonly createSplitter: () => Splitter;
}

/** Bytes that were taken in: in memory, or sealed and durable. */
export interface Content {
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly small: Uint8Array | null;
  readonly sealed: SealedObject | null;
}

export interface ReceiveProblem {
  readonly code: ArrivalErrorCode;
  readonly message: string;
}

export interface ReceivedFile {
  /** As received. */
  readonly container: Content;
  /** Unpacked; the container itself when nothing is packed; null with a problem. */
  readonly member: Content | null;
  readonly split: SplitResult | null;
  /** Why the file goes to quarantine. */
  readonly problem: ReceiveProblem | null;
}

export interface FileReceiver {
  /** At most `pieceBytesMax`. Fails with E_FILE_TOO_LARGE and with the codes of the store; then the receiver is aborted. */
  push(bytes: Uint8Array): Promise<void>;
  /** Seals, makes durable and reads back what is not small. */
  end(): Promise<ReceivedFile>;
  abort(): void;
}

export function createFileReceiver(options: ReceiverOptions): FileReceiver {
  const { limits, unpack } = options;
  const splitter = options.createSplitter();
  const container = new ContentSink(options, options.objectIds.container);
  const member = unpack === 'none' ? container : new ContentSink(options, options.objectIds.member);
  let problem: ReceiveProblem | null = null;
  const unpacker =
    unpack === 'none'
      ? null
      : new Unpacker(unpack, {
          unpackedBytesMax: limits.unpackedBytesMax,
          ratioMax: limits.ratioMax,
          onBytes(bytes) {
            member.write(bytes);
            splitter.push(bytes);
          },
        });

  function abort(): void {
    unpacker?.abort();
    container.abort();
    if (member !== container) member.abort();
  }
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      abort();
      throw error;
    }
  }
  return {
    push: (bytes) =>
      guarded(async () => {
        if (container.bytes + bytes.length > limits.bytesMax)
          throw new HeadgateError(arrivalErrors.E_FILE_TOO_LARGE, `the file is larger than ${limits.bytesMax} bytes`);
        container.write(bytes);
        if (unpacker === null) splitter.push(bytes);
        else if (problem === null) {
          problem = problemOf(await unpacker.push(bytes));
          if (problem) member.abort();
        }
      }),
    end: () =>
      guarded(async () => {
        if (unpacker !== null && problem === null) {
          problem = problemOf(await unpacker.end());
          if (problem) member.abort();
        }
        if (problem) return { container: container.end(), member: null, split: null, problem };
        const split = splitter.end();
        const received = container.end();
        return { container: received, member: member === container ? received : member.end(), split, problem: null };
      }),
    abort,
  };
}

const codeOf = { limits: 'E_BOMB', window: 'E_PACKED_WINDOW', packing: 'E_ARCHIVE' } as const satisfies Record<
  UnpackProblem['kind'],
  ArrivalErrorCode
>;

function problemOf(problem: UnpackProblem | undefined): ReceiveProblem | null {
  return problem === undefined ? null : { code: codeOf[problem.kind], message: problem.message };
}

/** Keeps a small content in memory and begins a sealed object when it outgrows a pack. */
class ContentSink {
  readonly #options: ReceiverOptions;
  readonly #objectId: string;
  readonly #hash: Hash = createHash('sha256');
  #pieces: Uint8Array[] = [];
  #writer: SealedWriter | null = null;
  bytes = 0;

  constructor(options: ReceiverOptions, objectId: string) {
    this.#options = options;
    this.#objectId = objectId;
  }

  write(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.#writer === null && this.bytes < packedBytesMax) {
      this.#hash.update(piece);
      this.#pieces.push(new Uint8Array(piece));
      return;
    }
    if (this.#writer === null) {
      const { store, tenantId } = this.#options;
      this.#writer = store.create({ tenantId, objectId: this.#objectId, kind: 'raw' });
      for (const kept of this.#pieces) this.#writer.write(kept);
      this.#pieces = [];
    }
    this.#writer.write(piece);
  }

  end(): Content {
    if (this.#writer === null) {
      const small = Buffer.concat(this.#pieces);
      return { bytes: small.length, sha256: this.#hash.digest('hex'), small, sealed: null };
    }
    const sealed = this.#writer.commit();
    this.#writer = null;
    return { bytes: sealed.bytes, sha256: sealed.sha256, small: null, sealed };
  }

  abort(): void {
    this.#writer?.abort();
    this.#writer = null;
    this.#pieces = [];
  }
}
