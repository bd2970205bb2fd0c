/**
 * The bytes of one file as they are written at their places, given on in order. Clients have many writes under way, which may
 * come in another order: within a window those that are ahead are kept until what is before them has come. A byte that was
 * given on can not be written again. With the first failure the file is lost as a whole.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { sftpServerErrors } from './sftp-server-errors.ts';

/** Room for what is ahead, shared by all files of a process. */
export interface AheadRoom {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createAheadRoom(bytesMax: number): AheadRoom {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > bytesMax) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const aheadBytesMax = 4 * 1024 * 1024;
const aheadPiecesMax = 256;

export class OrderedBytes implements AsyncIterable<Uint8Array> {
  readonly #room: AheadRoom;
  readonly #ready: Piece[] = [];
  readonly #ahead = new Map<number, Uint8Array>();
  readonly #begun = Promise.withResolvers<void>();
  #aheadBytes = 0;
  #nextOffset = 0;
  #size = 0;
  #isEnded = false;
  #failure: Error | null = null;
  #wake: (() => void) | undefined;

  constructor(room: AheadRoom) {
    this.#room = room;
  }

  /** Resolves when the first bytes are asked for. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** To the last byte that was written. */
  get size(): number {
    return this.#size;
  }

  /** Resolves when the bytes were given on, or are kept because they are ahead. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isEnded) throw this.#fail(sftpServerErrors.E_UPLOAD_ORDER, 'the file was closed');
    if (bytes.length === 0) return;
    if (offset < this.#nextOffset) throw this.#fail(sftpServerErrors.E_UPLOAD_ORDER, 'bytes were written a second time');
    this.#size = Math.max(this.#size, offset + bytes.length);
    if (offset > this.#nextOffset) return this.#keep(offset, bytes);
    const taken = Promise.withResolvers<void>();
    this.#ready.push({ bytes, resolve: taken.resolve, reject: taken.reject });
    this.#nextOffset += bytes.length;
    this.#joinAhead();
    this.#wake?.();
    return taken.promise;
  }

  /** Nothing more comes. What is missing is missing for good. */
  end(): void {
    if (this.#ahead.size > 0) this.#fail(sftpServerErrors.E_RESUME, 'bytes are missing before others that were written');
    this.#isEnded = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const { reject } of this.#ready.splice(0)) reject(error);
    this.#ahead.clear();
    this.#giveRoom(this.#aheadBytes);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#begun.resolve();
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const piece = this.#ready.shift();
      if (piece === undefined) {
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        yield piece.bytes;
      } finally {
        // Whoever stops asking has failed, and says so: a piece in hand is not left without an answer.
        piece.resolve();
      }
    }
  }

  #keep(offset: number, bytes: Uint8Array): void {
    const isFar = offset + bytes.length - this.#nextOffset > aheadBytesMax || this.#ahead.size >= aheadPiecesMax;
    if (isFar && this.#nextOffset === 0) throw this.#fail(sftpServerErrors.E_RESUME, 'the start of the file is missing');
    if (isFar || this.#ahead.has(offset)) throw this.#fail(sftpServerErrors.E_UPLOAD_ORDER, 'bytes were written too far ahead, or twice');
    if (!this.#room.take(bytes.length)) throw this.#fail(sftpServerErrors.E_SFTP_BUSY, 'too many bytes of all uploads are ahead of others');
    this.#aheadBytes += bytes.length;
    // A copy: the piece may be a small part of what came with it.
    this.#ahead.set(offset, new Uint8Array(bytes));
  }

  #joinAhead(): void {
    for (let bytes = this.#ahead.get(this.#nextOffset); bytes !== undefined; bytes = this.#ahead.get(this.#nextOffset)) {
      this.#ahead.delete(this.#nextOffset);
      this.#giveRoom(bytes.length);
      this.#ready.push({ bytes, resolve: () => {}, reject: () => {} });
      this.#nextOffset += bytes.length;
    }
    for (const offset of this.#ahead.keys()) {
      if (offset < this.#nextOffset) this.#fail(sftpServerErrors.E_UPLOAD_ORDER, 'bytes were written a second time');
    }
  }

  #giveRoom(bytes: number): void {
    this.#aheadBytes -= bytes;
    this.#room.give(bytes);
  }

  #fail(code: string, message: string): Error {
    const error = new HeadgateError(code, message);
    this.fail(error);
    return error;
  }
}
