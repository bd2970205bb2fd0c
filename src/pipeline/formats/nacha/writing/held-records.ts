/** Records of 94 characters that wait for their batch to be written: their bytes, and for each entry a number that tells where it is from. */
import { recordLength } from '../field-layouts.ts';

const firstChunkBytes = recordLength * 8;
const chunkBytesMax = recordLength * 8_192;
const entryType = 0x36;

export class HeldRecords {
  readonly #chunks: Buffer[] = [];
  #filled = 0;
  #sources = new Uint32Array(8);
  entries = 0;
  records = 0;

  /** Records of one entry, one character of Latin-1 for each column. `source`: below 2^32. */
  add(texts: readonly string[], source: number): void {
    if (this.entries === this.#sources.length) {
      const longer = new Uint32Array(this.#sources.length * 2);
      longer.set(this.#sources);
      this.#sources = longer;
    }
    this.#sources[this.entries++] = source;
    for (const text of texts) {
      let chunk = this.#chunks.at(-1);
      if (chunk === undefined || this.#filled === chunk.length) {
        chunk = Buffer.alloc(Math.min(chunkBytesMax, chunk === undefined ? firstChunkBytes : chunk.length * 2));
        this.#chunks.push(chunk);
        this.#filled = 0;
      }
      chunk.write(text, this.#filled, 'latin1');
      this.#filled += recordLength;
      this.records++;
    }
  }

  /** Entry by entry, in the order in which they were added. */
  *inOrder(): Generator<{ readonly source: number; readonly texts: readonly string[] }> {
    let texts: string[] = [];
    let index = 0;
    for (const [position, chunk] of this.#chunks.entries()) {
      const end = position === this.#chunks.length - 1 ? this.#filled : chunk.length;
      for (let at = 0; at < end; at += recordLength) {
        if (chunk[at] === entryType && texts.length > 0) {
          yield { source: this.#sources[index++]!, texts };
          texts = [];
        }
        texts.push(chunk.toString('latin1', at, at + recordLength));
      }
    }
    if (texts.length > 0) yield { source: this.#sources[index]!, texts };
  }
}
