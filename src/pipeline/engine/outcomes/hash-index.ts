/**
 * Sorts the hashes of one key into an index: hash order, and record order among equals. One counting pass over the top
 * bits spreads keyed hashes evenly; a bucket that is large all the same is sorted by comparison, so no input is quadratic.
 */

export interface HashIndex {
  /** Low and high halves, interleaved, in hash order. */
  readonly hashes: Uint32Array;
  /** Position of the record in the chunk, beside its hash. */
  readonly records: Uint32Array;
}

const insertionMax = 48;

/** Records whose both halves are zero have no key and are left out. */
export function sortHashes(hashes: Uint32Array, count: number): HashIndex {
  const bits = Math.max(1, Math.min(16, Math.ceil(Math.log2(Math.max(2, count)))));
  const shift = 32 - bits;
  const starts = new Uint32Array((1 << bits) + 1);
  countBuckets(hashes, count, shift, starts);
  addUp(starts);
  const kept = starts[1 << bits]!;
  const index = { hashes: new Uint32Array(kept * 2), records: new Uint32Array(kept) };
  spread(hashes, count, shift, starts.slice(), index);
  sortBuckets(index, starts);
  return index;
}

// Each loop is a function of its own that ends with it: V8 compiles a loop that runs for long while it runs, and drops that
// form again when it comes to what follows the loop for the first time.

function countBuckets(hashes: Uint32Array, count: number, shift: number, starts: Uint32Array): void {
  for (let record = 0; record < count; record++) {
    const high = hashes[record * 2 + 1]!;
    if ((high | hashes[record * 2]!) !== 0) starts[(high >>> shift) + 1]!++;
  }
}

function addUp(starts: Uint32Array): void {
  for (let bucket = 1; bucket < starts.length; bucket++) starts[bucket]! += starts[bucket - 1]!;
}

function spread(hashes: Uint32Array, count: number, shift: number, next: Uint32Array, index: HashIndex): void {
  const { hashes: sorted, records } = index;
  for (let record = 0; record < count; record++) {
    const low = hashes[record * 2]!;
    const high = hashes[record * 2 + 1]!;
    if ((high | low) === 0) continue;
    const at = next[high >>> shift]!++;
    sorted[at * 2] = low;
    sorted[at * 2 + 1] = high;
    records[at] = record;
  }
}

function sortBuckets(index: HashIndex, starts: Uint32Array): void {
  for (let bucket = 1; bucket < starts.length; bucket++) sortBucket(index, starts[bucket - 1]!, starts[bucket]!);
}

function sortBucket(index: HashIndex, start: number, end: number): void {
  if (end - start < 2) return;
  if (end - start <= insertionMax) insertionSort(index, start, end);
  else if (!isSorted(index, start, end)) comparisonSort(index, start, end);
}

function isSorted({ hashes }: HashIndex, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) {
    const high = hashes[at * 2 + 1]!;
    const before = hashes[at * 2 - 1]!;
    if (high < before || (high === before && hashes[at * 2]! < hashes[at * 2 - 2]!)) return false;
  }
  return true;
}

/** Stable. */
function insertionSort({ hashes, records }: HashIndex, start: number, end: number): void {
  for (let at = start + 1; at < end; at++) {
    const low = hashes[at * 2]!;
    const high = hashes[at * 2 + 1]!;
    const record = records[at]!;
    let to = at;
    while (to > start && (hashes[to * 2 - 1]! > high || (hashes[to * 2 - 1] === high && hashes[to * 2 - 2]! > low))) {
      hashes[to * 2] = hashes[to * 2 - 2]!;
      hashes[to * 2 + 1] = hashes[to * 2 - 1]!;
      records[to] = records[to - 1]!;
      to--;
    }
    hashes[to * 2] = low;
    hashes[to * 2 + 1] = high;
    records[to] = record;
  }
}

function comparisonSort({ hashes, records }: HashIndex, start: number, end: number): void {
  const order = Array.from({ length: end - start }, (_, index) => start + index);
  order.sort((a, b) => hashes[a * 2 + 1]! - hashes[b * 2 + 1]! || hashes[a * 2]! - hashes[b * 2]! || a - b);
  const sortedHashes = order.flatMap((at) => [hashes[at * 2]!, hashes[at * 2 + 1]!]);
  const sortedRecords = order.map((at) => records[at]!);
  hashes.set(sortedHashes, start * 2);
  records.set(sortedRecords, start);
}
