/**
 * Walks one hash index of several outcome segments in hash order, chunk order among equals, through small read buffers: memory
 * grows with the number of chunks, not of records.
 */
import type { OutcomeSegment } from '../outcomes/outcome-segment.ts';

const entriesRead = 4_096;

class IndexCursor {
  readonly chunk: number;
  readonly #segment: OutcomeSegment;
  readonly #index: number;
  #first = 0;
  #at = 0;
  #hashes: Uint32Array = new Uint32Array(0);
  #records: Uint32Array = new Uint32Array(0);
  low = 0;
  high = 0;
  position = 0;

  constructor(segment: OutcomeSegment, index: number, chunk: number) {
    this.#segment = segment;
    this.#index = index;
    this.chunk = chunk;
  }

  /** False at the end. */
  next(): boolean {
    if (this.#at === this.#records.length && !this.#load()) return false;
    this.low = this.#hashes[this.#at * 2]!;
    this.high = this.#hashes[this.#at * 2 + 1]!;
    this.position = this.#records[this.#at]!;
    this.#at++;
    return true;
  }

  #load(): boolean {
    this.#first += this.#records.length;
    const left = this.#segment.header.indexes[this.#index]!.entries - this.#first;
    if (left <= 0) return false;
    const read = this.#segment.readEntries(this.#index, this.#first, Math.min(entriesRead, left));
    this.#hashes = read.hashes;
    this.#records = read.records;
    this.#at = 0;
    return true;
  }
}

function comesBefore(left: IndexCursor, right: IndexCursor): boolean {
  if (left.high !== right.high) return left.high < right.high;
  if (left.low !== right.low) return left.low < right.low;
  return left.chunk < right.chunk;
}

/** Moves the top of the heap down to its place. */
function settle(heap: IndexCursor[], count: number, from: number): void {
  const moved = heap[from]!;
  let hole = from;
  for (let child = hole * 2 + 1; child < count; child = hole * 2 + 1) {
    if (child + 1 < count && comesBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!comesBefore(heap[child]!, moved)) break;
    heap[hole] = heap[child]!;
    hole = child;
  }
  heap[hole] = moved;
}

export interface IndexEntry {
  readonly chunk: number;
  readonly position: number;
}

export interface EqualHashes {
  /** Asked of runs that are long, and where two meet: it is a look at the outcomes. */
  isWanted(entry: IndexEntry): boolean;
  /** A run of so many wanted ones is visited before its end. */
  readonly runMax: number;
  /** Every run of two or more wanted ones; false when no more are to be looked for. */
  visit(entries: readonly IndexEntry[]): boolean;
}

export function visitEqualHashes(segments: readonly OutcomeSegment[], index: number, { isWanted, runMax, visit }: EqualHashes): void {
  const isOver = (run: readonly IndexEntry[]): boolean => {
    if (run.length < 2) return true;
    const wanted = run.filter(isWanted);
    return wanted.length < 2 || visit(wanted);
  };
  const heap = segments.map((segment, chunk) => new IndexCursor(segment, index, chunk)).filter((cursor) => cursor.next());
  let count = heap.length;
  for (let from = (count >> 1) - 1; from >= 0; from--) settle(heap, count, from);
  let run: IndexEntry[] = [];
  let low = -1;
  let high = -1;
  while (count > 0) {
    const top = heap[0]!;
    if (top.low !== low || top.high !== high) {
      if (!isOver(run)) return;
      run = [];
      low = top.low;
      high = top.high;
    }
    run.push({ chunk: top.chunk, position: top.position });
    if (run.length === runMax * 2) {
      run = run.filter(isWanted);
      if (run.length >= runMax && !visit(run)) return;
    }
    if (!top.next()) heap[0] = heap[--count]!;
    if (count > 0) settle(heap, count, 0);
  }
  isOver(run);
}
