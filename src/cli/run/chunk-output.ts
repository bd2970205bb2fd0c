/**
 * The bytes that one chunk adds to one output file, kept until their place in the file is known: in memory that is lent to
 * whoever makes them, so that nothing is copied. Few bytes stay in memory; what is more (a chunk whose every record has many
 * findings) waits in a file without a name.
 */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync, writev } from 'node:fs';
import type { LendingSink } from '../../platform/base/byte-source.ts';
import { unwritable, writable } from './plain-files.ts';

/** Of all blocks of an output, however full they are. */
const memoryBytesMax = 8 * 1024 * 1024;
const smallBlockBytes = 64 * 1024;
const copiedTogether = 1024 * 1024;

interface Block {
  readonly memory: Buffer;
  length: number;
}

export class ChunkOutput implements LendingSink {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #spillPath: string;
  #spill: number | null = null;
  #spilled = 0;
  /** In order; `write` fills up the last one. */
  #blocks: Block[] = [];
  #blockBytes = 0;
  #held = 0;
  /** Memory that is used again, no more of it than may be in use. */
  #spare: Buffer[] = [];
  #spareBytes = 0;

  /** `path` exists; `spillPath` is free for this thread. */
  constructor(path: string, spillPath: string) {
    this.#path = path;
    this.#spillPath = spillPath;
    this.#descriptor = writable(path, () => openSync(path, 'r+'));
  }

  get length(): number {
    return this.#spilled + this.#held;
  }

  lend(bytes: number): Buffer {
    const at = this.#spare.findIndex(({ length }) => length >= bytes);
    if (at < 0) return Buffer.allocUnsafeSlow(bytes);
    const [memory] = this.#spare.splice(at, 1);
    this.#spareBytes -= memory!.length;
    return memory!;
  }

  giveBack(lent: Buffer, length: number): void {
    if (length === 0) this.#spareIt(lent);
    else this.#keep({ memory: lent, length });
  }

  write(bytes: Uint8Array): void {
    let last = this.#blocks.at(-1);
    if (last === undefined || last.memory.length - last.length < bytes.length) {
      last = { memory: this.lend(Math.max(bytes.length, smallBlockBytes)), length: 0 };
      this.#keep(last);
    }
    last.memory.set(bytes, last.length);
    last.length += bytes.length;
    this.#held += bytes.length;
  }

  #keep(block: Block): void {
    if (this.#blocks.length > 0 && this.#blockBytes + block.memory.length > memoryBytesMax) this.#writeSpill();
    this.#blocks.push(block);
    this.#blockBytes += block.memory.length;
    this.#held += block.length;
  }

  /** Writes everything at `offset`, beside whatever this thread does; then it is empty again. Nothing is added meanwhile. */
  async writeAt(offset: number): Promise<void> {
    const spilled = this.#spilled;
    if (spilled > 0) this.#copySpill(offset);
    for (let done = 0; done < this.#held; ) done += await this.#writeSome(done, offset + spilled + done);
    this.#empty();
  }

  /** From the byte `from` of those in memory on. */
  #writeSome(from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(this.#descriptor, this.#pieces(from), position, (cause, written) =>
        cause ? reject(unwritable(this.#path, cause)) : resolve(written),
      );
    });
  }

  #pieces(from: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (const { memory, length } of this.#blocks) {
      if (start + length > from) pieces.push(memory.subarray(Math.max(0, from - start), length));
      start += length;
    }
    return pieces;
  }

  #spareIt(memory: Buffer): void {
    if (this.#spareBytes + memory.length > memoryBytesMax) return;
    this.#spare.push(memory);
    this.#spareBytes += memory.length;
  }

  #empty(): void {
    for (const { memory } of this.#blocks) this.#spareIt(memory);
    this.#blocks = [];
    this.#blockBytes = 0;
    this.#held = 0;
  }

  close(): void {
    closeSync(this.#descriptor);
    if (this.#spill !== null) closeSync(this.#spill);
  }

  #writeSpill(): void {
    this.#spill ??= writable(this.#spillPath, () => {
      const descriptor = openSync(this.#spillPath, 'w+', 0o600);
      unlinkSync(this.#spillPath);
      return descriptor;
    });
    for (const { memory, length } of this.#blocks) {
      this.#write(this.#spill, memory, length, this.#spilled);
      this.#spilled += length;
    }
    this.#empty();
  }

  #copySpill(offset: number): void {
    const spill = this.#spill!;
    const piece = Buffer.allocUnsafeSlow(copiedTogether);
    for (let done = 0; done < this.#spilled; ) {
      const position = done;
      const count = writable(this.#spillPath, () => readSync(spill, piece, 0, Math.min(piece.length, this.#spilled - position), position));
      this.#write(this.#descriptor, piece, count, offset + done);
      done += count;
    }
    writable(this.#spillPath, () => ftruncateSync(spill, 0));
    this.#spilled = 0;
  }

  #write(descriptor: number, bytes: Uint8Array, length: number, position: number): void {
    writable(this.#path, () => {
      for (let done = 0; done < length; ) done += writeSync(descriptor, bytes, done, length - done, position + done);
    });
  }
}
