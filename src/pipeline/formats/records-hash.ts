/**
 * SHA-256 of what the lines of a pack say, without where in the file they stand and what the pack found in them: the same for a file
 * that came with other line ends, filler, spaces or prefixes. Null where there is no record.
 */
import { createHash } from 'node:crypto';

const recordStart = Buffer.from('{"record":"record",', 'latin1');
const findingsStart = Buffer.from(',"findings":"', 'latin1');
const comma = 0x2c;
const lineFeed = 0x0a;
/** Keys before the content: record, line, offset. */
const placeKeys = 3;

export class RecordsHash {
  readonly #hash = createHash('sha256');
  #hasRecords = false;
  #kept = Buffer.alloc(0);

  /** Whole lines, as `RecordLines` gives them. */
  push(bytes: Uint8Array): void {
    const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (this.#kept.length < lines.length) this.#kept = Buffer.allocUnsafe(lines.length);
    let length = 0;
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(lineFeed, start);
      this.#hasRecords ||= lines.subarray(start, start + recordStart.length).equals(recordStart);
      let from = start;
      for (let keys = 0; keys < placeKeys && from >= 0 && from < end; keys++) from = lines.indexOf(comma, from + 1);
      // A quote inside a text has a backslash before it, so this stands nowhere else.
      const found = lines.subarray(start, end).lastIndexOf(findingsStart);
      const to = found < 0 ? end - 1 : start + found;
      if (from >= 0 && from < to) length += lines.copy(this.#kept, length, from, to);
      this.#kept[length++] = lineFeed;
      start = end + 1;
    }
    this.#hash.update(this.#kept.subarray(0, length));
  }

  end(): string | null {
    const digest = this.#hash.digest('hex');
    return this.#hasRecords ? digest : null;
  }
}
