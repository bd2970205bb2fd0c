/** Finishes a cell whose raw text already stands in the output: csv quoting and fixed-width padding. Called by generated kernels. */

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Quotes `bytes[start, end)` in place where RFC 4180 asks for it; returns the new end. */
export function finishCsvCell(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  if (start === end) {
    bytes[start] = quote;
    bytes[start + 1] = quote;
    return start + 2;
  }
  let quotes = 0;
  let isSpecial = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) quotes++;
    else if (byte === delimiter || byte === lineFeed || byte === carriageReturn) isSpecial = true;
  }
  if (quotes === 0 && !isSpecial) return end;
  let to = end + quotes + 2;
  bytes[--to] = quote;
  for (let at = end - 1; at >= start; at--) {
    const byte = bytes[at]!;
    bytes[--to] = byte;
    if (byte === quote) bytes[--to] = quote;
  }
  bytes[start] = quote;
  return end + quotes + 2;
}

/** Pads `bytes[start, end)` to its column; -1 when it is too wide or holds a line end. */
export function finishColumn(bytes: Uint8Array, start: number, end: number, width: number, isLeft: number, pad: number): number {
  const missing = width - (end - start);
  if (missing < 0) return -1;
  for (let at = start; at < end; at++) if (bytes[at] === lineFeed || bytes[at] === carriageReturn) return -1;
  if (isLeft === 1) bytes.fill(pad, end, start + width);
  else if (missing > 0) {
    bytes.copyWithin(start + missing, start, end);
    bytes.fill(pad, start, start + missing);
  }
  return start + width;
}
