/**
 * Plain files of `headgate run`: random access to an input, pieces of it in order, and the failures of the file system in
 * the words of the command.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../platform/base/byte-source.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { whyUnreadable } from '../unreadable-file.ts';
import { runErrors } from './run-errors.ts';

const pieceBytes = 256 * 1024;

/** An open file as other threads of the process may use it: all read the same file, whatever its path leads to by then. */
export interface SharedFile {
  readonly path: string;
  readonly size: number;
  readonly descriptor: number;
}

/** An open regular file. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;
  #isShared: boolean;

  constructor(file: string | SharedFile) {
    this.#isShared = typeof file !== 'string';
    if (typeof file !== 'string') {
      this.path = file.path;
      this.size = file.size;
      this.#descriptor = file.descriptor;
      return;
    }
    this.path = file;
    this.#descriptor = readable(file, () => openSync(file, 'r'));
    const status = readable(file, () => fstatSync(this.#descriptor));
    if (!status.isFile()) {
      this.close();
      throw new HeadgateError(runErrors.E_INPUT_FILE, `${file} is not a file`);
    }
    this.size = status.size;
  }

  /** A file that is still written: its size is what it may become, and what is read must be there. */
  static growing(path: string): FileSource {
    const descriptor = readable(path, () => openSync(path, 'r'));
    const source = new FileSource({ path, size: Number.MAX_SAFE_INTEGER, descriptor });
    source.#isShared = false;
    return source;
  }

  /** For sources of other threads, which must not outlive this one. */
  share(): SharedFile {
    return { path: this.path, size: this.size, descriptor: this.#descriptor };
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const wanted = Math.min(length, this.size - position);
    return wanted <= 0 ? 0 : readable(this.path, () => readSync(this.#descriptor, into, at, wanted, position));
  }

  /** The whole file in order; each piece is only valid until the next. */
  *pieces(): Generator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(1, this.size)));
    for (let position = 0; position < this.size; ) {
      const count = this.read(buffer, 0, buffer.length, position);
      if (count === 0) throw new HeadgateError(runErrors.E_INPUT_FILE, `${this.path} became shorter while it was read`);
      yield buffer.subarray(0, count);
      position += count;
    }
  }

  close(): void {
    if (!this.#isShared) closeSync(this.#descriptor);
  }
}

const pageBytes = 64 * 1024;
const pagesKept = 32;

/** Many small reads of a file, served from a few pages that were read last, whose memory is used again. */
export class PagedSource implements ByteSource {
  readonly #source: ByteSource;
  readonly #pages = new Map<number, { readonly memory: Buffer; readonly length: number }>();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    if (length > pageBytes) return this.#source.read(into, at, length, position);
    const number = Math.floor(position / pageBytes);
    const page = this.#page(number);
    const start = position - number * pageBytes;
    const count = Math.min(length, page.length - start);
    if (count <= 0) return 0;
    into.set(page.memory.subarray(start, start + count), at);
    return count;
  }

  #page(number: number) {
    let page = this.#pages.get(number);
    if (page === undefined) {
      const memory = this.#freeMemory();
      page = { memory, length: this.#source.read(memory, 0, pageBytes, number * pageBytes) };
      this.#pages.set(number, page);
    }
    return page;
  }

  /** That of the page that was read first, once there are enough: the collector is in no hurry with what is left to it. */
  #freeMemory(): Buffer {
    if (this.#pages.size < pagesKept) return Buffer.allocUnsafeSlow(pageBytes);
    const [number, { memory }] = this.#pages.entries().next().value!;
    this.#pages.delete(number);
    return memory;
  }
}

function readable<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): HeadgateError {
  return new HeadgateError(runErrors.E_INPUT_FILE, `${path} cannot be read: ${whyUnreadable(cause)}`, { cause });
}

/** Runs `act`, which writes below the output folder. */
export function writable<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

export function unwritable(path: string, cause: unknown): HeadgateError {
  return new HeadgateError(runErrors.E_OUTPUT_FOLDER, `${path} cannot be written (${reasonOf(cause)})`, { cause });
}

function reasonOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
}
