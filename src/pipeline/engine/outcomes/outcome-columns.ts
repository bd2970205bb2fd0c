/**
 * The outcomes of one chunk while it runs: a status, a route set, an offset and the key hashes of every data record, in
 * growing typed arrays that generated code writes into. `outcome-segment.ts` makes the segment of them.
 */
import { scratchBuffer } from '../thread-scratch.ts';

export const outcomeStatus = { valid: 0, rejected: 1, filtered: 2 } as const;
/** Set beside `valid` when the record has warnings. */
export const warnedFlag = 4;
export const statusMask = 3;

export class OutcomeColumns {
  count = 0;
  capacity: number;
  status: Uint8Array;
  routeSet: Uint16Array;
  /** Relative to the chunk's start. */
  offset: Uint32Array;
  /** Per hashed key, low and high half of each record's hash, interleaved; both zero: no key. */
  readonly hashes: Uint32Array[];

  constructor(hashedKeys: number, capacity: number) {
    this.capacity = capacity;
    this.status = new Uint8Array(columnBuffer('status', capacity), 0, capacity).fill(0);
    this.routeSet = new Uint16Array(columnBuffer('route set', capacity * 2), 0, capacity).fill(0);
    this.offset = new Uint32Array(columnBuffer('offset', capacity * 4), 0, capacity).fill(0);
    this.hashes = Array.from({ length: hashedKeys }, (_, key) =>
      new Uint32Array(columnBuffer(`hash ${key}`, capacity * 8), 0, capacity * 2).fill(0),
    );
  }

  /** Makes room for so many more records; arrays may be replaced. */
  reserve(records: number): void {
    if (this.count + records <= this.capacity) return;
    const capacity = Math.max(this.capacity * 2, this.count + records);
    this.status = grown(this.status, new Uint8Array(grownBuffer('status', this.status, capacity), 0, capacity));
    this.routeSet = grown(this.routeSet, new Uint16Array(grownBuffer('route set', this.routeSet, capacity * 2), 0, capacity));
    this.offset = grown(this.offset, new Uint32Array(grownBuffer('offset', this.offset, capacity * 4), 0, capacity));
    for (const [key, hashes] of this.hashes.entries()) {
      this.hashes[key] = grown(hashes, new Uint32Array(grownBuffer(`hash ${key}`, hashes, capacity * 8), 0, capacity * 2));
    }
    this.capacity = capacity;
  }

  /** The first `taken` records of columns made elsewhere; there is room for them, and their hashes follow. */
  append(columns: Pick<OutcomeColumns, 'status' | 'routeSet' | 'offset'>, taken: number): void {
    this.status.set(columns.status.subarray(0, taken), this.count);
    this.routeSet.set(columns.routeSet.subarray(0, taken), this.count);
    this.offset.set(columns.offset.subarray(0, taken), this.count);
    this.count += taken;
  }
}

function columnBuffer(column: string, bytes: number): ArrayBuffer {
  return scratchBuffer(`outcome ${column}`, bytes);
}

/** The same memory where it is large enough, so that the next chunk finds it as large as this one needed it. */
function grownBuffer(column: string, from: Uint8Array | Uint16Array | Uint32Array, bytes: number): ArrayBuffer {
  return from.buffer.byteLength >= bytes ? (from.buffer as ArrayBuffer) : columnBuffer(column, bytes);
}

/** What is beyond the old values is zero, whatever the memory held before. */
function grown<Column extends Uint8Array | Uint16Array | Uint32Array>(from: Column, into: Column): Column {
  if (into.buffer !== from.buffer) into.set(from);
  into.fill(0, from.length);
  return into;
}
