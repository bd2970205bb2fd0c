/**
 * UTF-8 as Unicode's table 3-7 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. Nothing is ever
 * replaced by U+FFFD.
 */
import { isUtf8 } from 'node:buffer';
import { structureErrors } from '../engine-errors.ts';
import type { StructureProblem } from './structure-problem.ts';

export const nulCharacter: StructureProblem = { code: structureErrors.E_CHARACTER, message: 'NUL character' };

/** What a look at every byte finds. */
export const byteFindings = { ascii: 0, notAscii: 1, nul: 2 } as const;

/** `ascii` when every byte is ASCII and none is NUL; else the other findings added up. */
export function inspectBytes(bytes: Uint8Array, start: number, end: number): number {
  let high = 0;
  let nul = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    high |= byte;
    if (byte === 0) nul = byteFindings.nul;
  }
  return (high >= 0x80 ? byteFindings.notAscii : 0) + nul;
}

export function isValidUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  return isUtf8(bytes.subarray(start, end));
}

/** Bytes already known to be valid. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end);
}

/** Index of the first byte that starts no valid sequence, or -1. Only called to report a record that failed. */
export function firstInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end) {
    const length = sequenceLength(bytes, index, end);
    if (length === 0) return index;
    index += length;
  }
  return -1;
}

/** Bytes of the sequence at `index`, 0 when it is not valid. */
function sequenceLength(bytes: Uint8Array, index: number, end: number): number {
  const lead = bytes[index]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (index + length > end) return 0;
  const second = bytes[index + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let offset = 2; offset < length; offset++) if ((bytes[index + offset]! & 0xc0) !== 0x80) return 0;
  return length;
}
