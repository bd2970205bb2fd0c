/**
 * The lines of a pack on their way into a file, written beside the thread that makes them, in order. Chunks of them can be read as far
 * as `writtenBytes`. Memory is bounded by `below`, which whoever makes lines awaits between chunks.
 */
import { write } from 'node:fs';
import type { OutputFile } from './output-files.ts';
import { unwritable } from './plain-files.ts';

const blockBytes = 1024 * 1024;

export class GrowingLines {
  readonly #file: OutputFile;
  readonly #full: Buffer[] = [];
  /** Memory that is used again. */
  readonly #spare: Buffer[] = [];
  #filling: Buffer | null = null;
  #filled = 0;
  #isWriting = false;
  #given = 0;
  writtenBytes = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(file: OutputFile) {
    this.#file = file;
  }

  /** The bytes are copied. */
  add(bytes: Uint8Array): void {
    this.#given += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      this.#filling ??= this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
      const piece = bytes.subarray(at, at + blockBytes - this.#filled);
      this.#filling.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === blockBytes) this.#endBlock();
    }
  }

  /** Resolves when fewer bytes wait to be written than `bytes`. Fails as the file system does. */
  async below(bytes: number): Promise<void> {
    while (this.#failure === null && this.#given - this.writtenBytes >= bytes) {
      if (!this.#isWriting) this.#endBlock();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure;
  }

  #endBlock(): void {
    if (this.#filling === null) return;
    this.#full.push(this.#filling.subarray(0, this.#filled));
    this.#filling = null;
    this.#filled = 0;
    this.#writeNext();
  }

  #writeNext(): void {
    const block = this.#full[0];
    if (this.#isWriting || block === undefined || this.#failure !== null) return;
    this.#isWriting = true;
    write(this.#file.descriptor, block, 0, block.length, this.#file.reserve(0), (cause, count) => {
      this.#isWriting = false;
      if (cause) this.#failure = unwritable(this.#file.path, cause);
      else this.#take(block, count);
      this.#wake();
      this.#writeNext();
    });
  }

  /** A write may take less than it is given. */
  #take(block: Buffer, count: number): void {
    this.#file.reserve(count);
    this.writtenBytes += count;
    if (count < block.length) this.#full[0] = block.subarray(count);
    else {
      this.#full.shift();
      this.#spare.push(Buffer.from(block.buffer));
    }
  }
}
