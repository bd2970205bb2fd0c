/**
 * A window on a chunk's bytes that always starts at a record and grows to the longest one: memory is one block plus the
 * longest record. Behind the last byte stands a line feed, so that scans need no bound of their own.
 */
import type { ByteSource } from '../../platform/base/byte-source.ts';
import { type WindowMemory, windowMemory } from './window-memory.ts';

/** Scans may look, and loads of eight bytes may reach, this far beyond the last byte. */
const slackBytes = 64;

export class BlockBuffer {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #blockBytes: number;
  readonly memory: WindowMemory;
  bytes: Buffer;
  /** Bytes in the window. */
  length = 0;
  /** File offset of the window's first byte. */
  base: number;

  constructor(source: ByteSource, range: { readonly start: number; readonly end: number }, blockBytes: number) {
    this.#source = source;
    this.#end = Math.min(range.end, source.size);
    this.#blockBytes = Math.max(1, Math.min(blockBytes, this.#end - range.start));
    this.base = range.start;
    this.memory = windowMemory(this.#blockBytes + slackBytes);
    this.bytes = this.memory.bytes.subarray(0, this.#blockBytes + slackBytes);
  }

  /** No byte of the chunk lies beyond the window. */
  get isLast(): boolean {
    return this.base + this.length >= this.#end;
  }

  /** Drops the bytes before `from` and reads on; grows when a record fills the whole window. */
  advance(from: number): void {
    const kept = this.length - from;
    const capacity = this.bytes.length - slackBytes;
    if (from === 0 && kept === capacity) this.#grow();
    else if (from > 0) this.bytes.copyWithin(0, from, this.length);
    this.base += from;
    this.length = kept;
    this.#fill();
    this.bytes.fill(0x0a, this.length, this.length + slackBytes);
  }

  #fill(): void {
    const wanted = Math.min(this.bytes.length - slackBytes, this.length + this.#blockBytes);
    while (this.length < wanted && !this.isLast) {
      const left = Math.min(wanted - this.length, this.#end - this.base - this.length);
      const count = this.#source.read(this.bytes, this.length, left, this.base + this.length);
      if (count === 0) throw new Error('the source ended before its size');
      this.length += count;
    }
  }

  #grow(): void {
    const size = (this.bytes.length - slackBytes) * 2 + slackBytes;
    if (this.memory.length < size) this.memory.grow(size);
    this.bytes = this.memory.bytes.subarray(0, size);
  }
}
