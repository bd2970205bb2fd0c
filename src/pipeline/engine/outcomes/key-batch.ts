/**
 * Collects the keys of the records that a kernel takes and hashes them together. Generated code writes entries through
 * `view` and counts them; `finish` puts the results where the outcomes want them.
 */

import { entryBytes, type HashEntries, hashFunction, pageBytes } from './siphash-module.ts';
import { webAssembly } from './web-assembly.ts';

export class KeyBatch {
  readonly #hash: HashEntries;
  readonly #key0: bigint;
  readonly #key1: bigint;
  readonly #results: Uint32Array;
  readonly #resultsAt: number;
  /** Over the entries and the slack behind them. */
  readonly view: DataView;
  readonly capacity: number;
  count = 0;
  /** Per entry: which hash column, and where in it. */
  readonly columns: Uint8Array;
  readonly places: Uint32Array;

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array, capacity: number) {
    const entriesBytes = capacity * entryBytes + 16;
    this.#resultsAt = Math.ceil(entriesBytes / 8) * 8;
    const memory = new webAssembly.Memory({ initial: Math.ceil((this.#resultsAt + capacity * 8) / pageBytes) });
    this.#hash = hashFunction(memory);
    const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#key0 = words.getBigInt64(0, true);
    this.#key1 = words.getBigInt64(8, true);
    this.#results = new Uint32Array(memory.buffer, this.#resultsAt, capacity * 2);
    this.view = new DataView(memory.buffer);
    this.capacity = capacity;
    this.columns = new Uint8Array(capacity);
    this.places = new Uint32Array(capacity);
  }

  /** Hashes all entries and stores the results, low and high half, at their places. */
  finish(hashes: readonly Uint32Array[]): void {
    this.#hash(this.count, 0, this.#resultsAt, this.#key0, this.#key1);
    const results = this.#results;
    for (let entry = 0; entry < this.count; entry++) {
      const column = hashes[this.columns[entry]!]!;
      const place = this.places[entry]!;
      const low = results[entry * 2]!;
      const high = results[entry * 2 + 1]!;
      // All zeros mean that a record has no key.
      column[place] = low === 0 && high === 0 ? 1 : low;
      column[place + 1] = high;
    }
    this.count = 0;
  }
}
