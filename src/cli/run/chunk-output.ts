/**
 * The bytes that one chunk adds to one output file, kept until their place in the file is known. Few bytes stay in memory;
 * what is more (a chunk whose every record has many findings) waits in a file without a name.
 */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, write, writeSync } from 'node:fs';
import { unwritable, writable } from './plain-files.ts';

const memoryBytesMax = 8 * 1024 * 1024;
const copiedTogether = 1024 * 1024;

export class ChunkOutput {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #spillPath: string;
  #spill: number | null = null;
  #spilled = 0;
  #bytes = Buffer.alloc(0);
  #held = 0;

  /** `path` exists; `spillPath` is free for this thread. */
  constructor(path: string, spillPath: string) {
    this.#path = path;
    this.#spillPath = spillPath;
    this.#descriptor = writable(path, () => openSync(path, 'r+'));
  }

  get length(): number {
    return this.#spilled + this.#held;
  }

  add(bytes: Uint8Array): void {
    if (this.#held > 0 && this.#held + bytes.length > memoryBytesMax) this.#writeSpill();
    const needed = this.#held + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(memoryBytesMax, Math.ceil(needed * 1.5))));
      this.#bytes.copy(grown, 0, 0, this.#held);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#held);
    this.#held = needed;
  }

  /** Writes everything at `offset`, beside whatever this thread does; then it is empty again. Nothing is added meanwhile. */
  async writeAt(offset: number): Promise<void> {
    const spilled = this.#spilled;
    if (spilled > 0) this.#copySpill(offset);
    for (let done = 0; done < this.#held; ) done += await this.#writeSome(done, offset + spilled + done);
    this.#held = 0;
  }

  #writeSome(from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, this.#bytes, from, this.#held - from, position, (cause, written) =>
        cause ? reject(unwritable(this.#path, cause)) : resolve(written),
      );
    });
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
    this.#write(this.#spill, this.#bytes, this.#held, this.#spilled);
    this.#spilled += this.#held;
    this.#held = 0;
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
