/**
 * Collects the keys of the records that a kernel takes and hashes them together. Generated code writes entries through
 * `view` and counts them; `finish` puts the results where the outcomes want them.
 */

import { pageBytes, webAssembly } from '../assembly/web-assembly.ts';
import { entryBytes, type HashEntries, hashFunction } from './siphash-module.ts';

let shared: KeyBatch | null = null;

/**
 * The thread's batch, for the run over one chunk: memory of WebAssembly is dear to make, and runs are synchronous.
 * `key`: 16 bytes.
 */
export function keyBatchFor(key: Uint8Array, capacity: number): KeyBatch {
  if (shared === null || shared.capacity < capacity) shared = new KeyBatch(capacity);
  shared.setKey(key);
  return shared;
}

export class KeyBatch {
  readonly #hash: HashEntries;
  #key0 = 0n;
  #key1 = 0n;
  readonly #results: Uint32Array;
  readonly #resultsAt: number;
  /** Over the entries and the slack behind them. */
  readonly view: DataView;
  readonly capacity: number;
  count = 0;
  /** Per entry: which hash column, and where in it. */
  readonly columns: Uint8Array;
  readonly places: Uint32Array;

  constructor(capacity: number) {
    const entriesBytes = capacity * entryBytes + 16;
    this.#resultsAt = Math.ceil(entriesBytes / 8) * 8;
    const memory = new webAssembly.Memory({ initial: Math.ceil((this.#resultsAt + capacity * 8) / pageBytes) });
    this.#hash = hashFunction(memory);
    this.#results = new Uint32Array(memory.buffer, this.#resultsAt, capacity * 2);
    this.view = new DataView(memory.buffer);
    this.capacity = capacity;
    this.columns = new Uint8Array(capacity);
    this.places = new Uint32Array(capacity);
  }

  /** Starts anew with this key of 16 bytes. */
  setKey(key: Uint8Array): void {
    const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#key0 = words.getBigInt64(0, true);
    this.#key1 = words.getBigInt64(8, true);
    this.count = 0;
  }

  /** Hashes all entries and stores the results, low and high half, at their places. */
  finish(hashes: readonly Uint32Array[]): void {
    const { count, places } = this;
    const results = this.#results;
    this.count = 0;
    if (count === 0) return;
    this.#hash(count, 0, this.#resultsAt, this.#key0, this.#key1);
    // All zeros mean that a record has no key.
    for (let at = 0; at < count * 2; at += 2) if (results[at] === 0 && results[at + 1] === 0) results[at] = 1;
    if (hashes.length === 1 && places[count - 1]! - places[0]! === 2 * (count - 1)) {
      hashes[0]!.set(results.subarray(0, count * 2), places[0]);
      return;
    }
    for (let entry = 0; entry < count; entry++) {
      const column = hashes[this.columns[entry]!]!;
      column[places[entry]!] = results[entry * 2]!;
      column[places[entry]! + 1] = results[entry * 2 + 1]!;
    }
  }
}
