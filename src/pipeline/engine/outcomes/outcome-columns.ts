/**
 * The outcomes of one chunk while it runs: a status, a route set, an offset and the key hashes of every data record, in
 * growing typed arrays that generated code writes into. `outcome-segment.ts` makes the segment of them.
 */

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
    this.status = new Uint8Array(capacity);
    this.routeSet = new Uint16Array(capacity);
    this.offset = new Uint32Array(capacity);
    this.hashes = Array.from({ length: hashedKeys }, () => new Uint32Array(capacity * 2));
  }

  /** Makes room for so many more records; arrays may be replaced. */
  reserve(records: number): void {
    if (this.count + records <= this.capacity) return;
    const capacity = Math.max(this.capacity * 2, this.count + records);
    this.status = grown(this.status, new Uint8Array(capacity));
    this.routeSet = grown(this.routeSet, new Uint16Array(capacity));
    this.offset = grown(this.offset, new Uint32Array(capacity));
    for (let key = 0; key < this.hashes.length; key++) this.hashes[key] = grown(this.hashes[key]!, new Uint32Array(capacity * 2));
    this.capacity = capacity;
  }
}

function grown<Column extends Uint8Array | Uint16Array | Uint32Array>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
