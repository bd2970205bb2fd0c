/** The values of the header, the group and the record that are open, as bytes, until their lines are written. */
import type { CheckedValue } from '../schema/checked-value.ts';
import type { PlacedFamily } from './flow-places.ts';

/** Up to so many bytes are copied sooner one by one. */
const shortMax = 48;

export class LineValues {
  /** By field: where its value is in `bytes`; -1: it is absent. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1: the value has the form of its type, so that a number can stand in a line as one. */
  readonly valid: Int32Array;
  bytes = Buffer.alloc(8_192);
  length = 0;
  /** Where the values of the header, and of header and group, end in `bytes`. */
  headerEnd = 0;
  groupEnd = 0;
  groups = 0;
  currency = -1;
  readonly #family: PlacedFamily;

  constructor(family: PlacedFamily) {
    this.#family = family;
    this.starts = new Int32Array(family.fields.length).fill(-1);
    this.ends = new Int32Array(family.fields.length);
    this.valid = new Int32Array(family.fields.length);
  }

  beginGroup(): void {
    this.groups++;
    this.#forget(this.#family.headerFields);
    this.length = this.headerEnd;
    this.groupEnd = this.headerEnd;
  }

  beginRecord(): void {
    this.#forget(this.#family.headerFields + this.#family.groupFields);
    this.length = this.groupEnd;
    this.currency = -1;
  }

  /** Of several values of a field the first is kept. */
  take(field: number, { bytes, length, currency, isValid }: CheckedValue): void {
    if (this.starts[field] !== -1) return;
    const { headerFields, groupFields, fields } = this.#family;
    this.starts[field] = this.#keep(bytes, length);
    this.ends[field] = this.length;
    this.valid[field] = isValid ? 1 : 0;
    if (field < headerFields + groupFields) {
      this.groupEnd = this.length;
      if (field < headerFields) this.headerEnd = this.length;
    } else if (fields[field]!.form === 'amount') this.currency = currency;
  }

  reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.bytes.length, length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  #forget(from: number): void {
    const { starts } = this;
    for (let field = from; field < starts.length; field++) starts[field] = -1;
  }

  #keep(bytes: Buffer, length: number): number {
    const start = this.length;
    this.reserve(start + length);
    const into = this.bytes;
    if (length > shortMax) bytes.copy(into, start, 0, length);
    else for (let index = 0; index < length; index++) into[start + index] = bytes[index]!;
    this.length += length;
    return start;
  }
}
