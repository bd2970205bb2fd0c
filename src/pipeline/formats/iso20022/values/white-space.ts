/** The facet `whiteSpace` = `collapse` for values without inner white space: where the text begins and ends. */
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d;

export function trimmedFrom(bytes: Buffer, from: number, to: number): number {
  while (from < to && isBlank(bytes[from]!)) from++;
  return from;
}

export function trimmedTo(bytes: Buffer, from: number, to: number): number {
  while (to > from && isBlank(bytes[to - 1]!)) to--;
  return to;
}
