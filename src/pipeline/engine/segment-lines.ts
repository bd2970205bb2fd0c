/**
 * Cuts the bytes of a target segment (or of a stripe of it) into its records' lines, line ends included: for leaving excluded
 * records out and for targets that take single records.
 */
import type { BodyPlan } from './plan.ts';

const lineFeed = 0x0a;
const quote = 0x22;

/** Start and end of every line, in order. `bytes` holds whole records only, as stripes do; the views share its memory. */
export function* segmentLines(body: BodyPlan, bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  while (start < bytes.length) {
    const end = lineEnd(body, bytes, start);
    if (end < 0) throw new Error('a segment ends inside a record');
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** Behind the line that starts there; -1: it goes on behind `bytes`. */
export function lineEnd(body: BodyPlan, bytes: Uint8Array, start: number): number {
  if (body.format !== 'csv') return bytes.indexOf(lineFeed, start) + 1 || -1;
  let isQuoted = false;
  for (let index = start; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === quote) isQuoted = !isQuoted;
    else if (byte === lineFeed && !isQuoted) return index + 1;
  }
  return -1;
}
