/** Where the lines of a flow are in the memory of the walker, relative to the first byte of their part (`linesAt`). */

export const fieldsMax = 128;
export const columnsMax = 160;
/** Keys of a line, and what is between them. */
export const templateBytes = 16 * 1024;
/** Values of the header, the group and the record that are open. */
export const valuesBytes = 48 * 1024;
export const writtenBytes = 256 * 1024;
/** What is written behind the last byte. */
const slack = 64;

/** Of four bytes each; `base` is a double. */
export const lineWord = {
  base: 0,
  /** 1: lines are written. */
  isOn: 2,
  /** Address of the next byte that is written, and of the one behind the last whole line. */
  out: 3,
  whole: 4,
  kept: 5,
  headerEnd: 6,
  groupEnd: 7,
  groups: 8,
  currency: 9,
  isOpen: 10,
  /** 1: something was found in the open record, which the walker does not write. */
  isNoted: 11,
  fields: 12,
  firstGrouped: 13,
  firstOfRecord: 14,
  columns: 15,
  side: 16,
  templateLength: 17,
  beginLength: 18,
  offsetLength: 19,
} as const;

/** `from` and `to`: of its key and `null` in the template. */
export const columnWord = { kind: 0, field: 1, from: 2, to: 3 } as const;
export const columnWords = 4;
export const columnKinds = { text: 0, number: 1, date: 2, amount: 3, currency: 4, credit: 5, debit: 6, position: 7 } as const;

const after = (offset: number, bytes: number): number => Math.ceil((offset + bytes) / 64) * 64;

export const startsOffset = after(0, 4 * 32);
export const endsOffset = after(startsOffset, 4 * fieldsMax);
export const validOffset = after(endsOffset, 4 * fieldsMax);
/** 1: the field's value is the amount, whose currency is wanted. */
export const amountsOffset = after(validOffset, 4 * fieldsMax);
export const columnsOffset = after(amountsOffset, 4 * fieldsMax);
/** `{"record":"record","line":`, then `,"offset":`. */
export const beginOffset = after(columnsOffset, 4 * columnWords * columnsMax);
export const offsetOffset = after(beginOffset, 64);
export const templateOffset = after(offsetOffset, 64);
export const valuesOffset = after(templateOffset, templateBytes + slack);
export const writtenOffset = after(valuesOffset, valuesBytes + slack);
export const lineBytes = after(writtenOffset, writtenBytes + slack);
