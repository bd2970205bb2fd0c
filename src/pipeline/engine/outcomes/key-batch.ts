/**
 * Hashes the keys of the records that a kernel took, together: its code has left them as entries in its area, and results go
 * where the outcomes want them.
 */

import type { WebAssemblyMemory } from '../assembly/web-assembly.ts';
import type { KernelState } from '../kernel/kernel-state.ts';
import { type HashEntries, hashFunction } from './siphash-module.ts';

/** One per memory. */
const functions = new WeakMap<WebAssemblyMemory, HashEntries>();

function functionOver(memory: WebAssemblyMemory): HashEntries {
  const known = functions.get(memory) ?? hashFunction(memory);
  functions.set(memory, known);
  return known;
}

export class KeyBatch {
  readonly #state: KernelState;
  readonly #hash: HashEntries;
  readonly #key0: bigint;
  readonly #key1: bigint;

  /** `key`: 16 bytes. */
  constructor(state: KernelState, key: Uint8Array) {
    const words = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#state = state;
    this.#hash = functionOver(state.window.memory);
    this.#key0 = words.getBigInt64(0, true);
    this.#key1 = words.getBigInt64(8, true);
  }

  /** Stores the hashes, low and high half, at their places behind those of the first `taken` records. */
  finish(count: number, hashes: readonly Uint32Array[], taken: number): void {
    if (count === 0) return;
    const { keyResults, keyColumns, keyPlaces, layout } = this.#state;
    this.#hash(count, layout.entriesAt, keyResults.byteOffset, this.#key0, this.#key1);
    // All zeros mean that a record has no key.
    for (let at = 0; at < count * 2; at += 2) if (keyResults[at] === 0 && keyResults[at + 1] === 0) keyResults[at] = 1;
    const first = taken * 2;
    if (hashes.length === 1 && keyPlaces[count - 1]! - keyPlaces[0]! === 2 * (count - 1)) {
      hashes[0]!.set(keyResults.subarray(0, count * 2), first + keyPlaces[0]!);
      return;
    }
    for (let entry = 0; entry < count; entry++) {
      const column = hashes[keyColumns[entry]!]!;
      const place = first + keyPlaces[entry]!;
      column[place] = keyResults[entry * 2]!;
      column[place + 1] = keyResults[entry * 2 + 1]!;
    }
  }
}
