/**
 * Numbers as COBOL programs hold them, read as the digits that they stand for: `-` and digits, leading zeros as they are, no
 * point. Sources: IBM Enterprise COBOL Language Reference (USAGE and SIGN clauses), z/Architecture Principles of Operation,
 * SA22-7832, chapter 8 (decimal data and sign codes); for ASCII, the SIGN directive of Micro Focus COBOL.
 */
import type { FieldPlan } from '../plan.ts';

/** Which are bytes, and no text in any encoding. */
export function isHeldInBytes({ usage }: Pick<FieldPlan, 'usage'>): boolean {
  return usage === 'packed' || usage === 'binary';
}

/** Sign codes A, C, E and F are plus, B and D minus; -1 for a digit, which is no sign. */
const signOfCode = [...Array.from({ length: 10 }, () => -1), 0, 1, 0, 1, 0, 0];

/**
 * Of a packed or binary field, or null when a half byte is no digit where a digit must be, or no sign at the end.
 * `received`: from bytes of the window to those of the file; null: they are the same.
 */
export function readHeldBytes(
  usage: 'packed' | 'binary',
  bytes: Uint8Array,
  { start, end, received }: { readonly start: number; readonly end: number; readonly received: Uint8Array | null },
): string | null {
  return usage === 'packed' ? readPacked(bytes, start, end, received) : readBinary(bytes, start, end, received);
}

function readPacked(bytes: Uint8Array, start: number, end: number, received: Uint8Array | null): string | null {
  let digits = '';
  for (let index = start; index < end; index++) {
    const byte = received === null ? bytes[index]! : received[bytes[index]!]!;
    const [high, low] = [byte >> 4, byte & 15];
    if (high > 9) return null;
    digits += high;
    if (index < end - 1) {
      if (low > 9) return null;
      digits += low;
    } else {
      if (signOfCode[low]! < 0) return null;
      if (signOfCode[low] === 1) digits = `-${digits}`;
    }
  }
  return digits;
}

/** Two's complement, the highest byte first. */
function readBinary(bytes: Uint8Array, start: number, end: number, received: Uint8Array | null): string {
  let value = 0n;
  for (let index = start; index < end; index++) value = value * 256n + BigInt(received === null ? bytes[index]! : received[bytes[index]!]!);
  return BigInt.asIntN(8 * (end - start), value).toString();
}

/** Bytes of the file for such digits; null where they do not fit. Signs are written as C and D. */
export function writeHeldBytes(usage: 'packed' | 'binary', text: string, length: number): Buffer | null {
  if (!/^-?[0-9]{1,40}$/.test(text)) return null;
  if (usage === 'binary') {
    const value = BigInt(text);
    if (BigInt.asIntN(8 * length, value) !== value) return null;
    return Buffer.from(
      BigInt.asUintN(8 * length, value)
        .toString(16)
        .padStart(2 * length, '0'),
      'hex',
    );
  }
  const digits = text.replace(/^-?0*/, '').padStart(2 * length - 1, '0');
  return digits.length === 2 * length - 1 ? Buffer.from(`${digits}${text.startsWith('-') ? 'd' : 'c'}`, 'hex') : null;
}

const plusPunches = '{ABCDEFGHI';
const minusPunches = '}JKLMNOPQR';

/** The digit of a character that may hold a sign, negative or not; null when it is none. */
type PunchReader = (character: string) => { readonly digit: number; readonly isMinus: boolean } | null;

/** From the text of a zoned or overpunched field to its digits; null when a character is wrong. */
export type SignedReader = (text: string) => string | null;

/** `received`: of the EBCDIC page; null for other encodings. */
export function createSignedReader({ usage, sign }: Pick<FieldPlan, 'usage' | 'sign'>, received: Uint8Array | null): SignedReader | null {
  if (usage !== 'zoned' && usage !== 'overpunch') return null;
  if (sign === 'leading-separate' || sign === 'trailing-separate') return (text) => readSeparate(text, sign === 'leading-separate');
  const readPunch = usage === 'overpunch' ? overpunch : received === null ? asciiZone : ebcdicZone(received);
  return (text) => {
    const at = sign === 'leading' ? 0 : text.length - 1;
    const punch = readPunch(text[at]!);
    const [before, after] = [text.slice(0, at), text.slice(at + 1)];
    if (punch === null || !/^[0-9]*$/.test(before + after)) return null;
    return `${punch.isMinus ? '-' : ''}${before}${punch.digit}${after}`;
  };
}

function readSeparate(text: string, isLeading: boolean): string | null {
  const match = (isLeading ? /^([+-])([0-9]+)$/ : /^([0-9]+)([+-])$/).exec(text);
  if (match === null) return null;
  const [mark, digits] = isLeading ? [match[1], match[2]] : [match[2], match[1]];
  return mark === '-' ? `-${digits}` : digits!;
}

const overpunch: PunchReader = (character) => {
  const [plus, minus] = [plusPunches.indexOf(character), minusPunches.indexOf(character)];
  if (minus >= 0) return { digit: minus, isMinus: true };
  return plus >= 0 ? { digit: plus, isMinus: false } : digitOf(character);
};

/** Micro Focus: a negative digit is 0x70 to 0x79. */
const asciiZone: PunchReader = (character) => {
  const digit = character.charCodeAt(0) - 0x70;
  return digit >= 0 && digit <= 9 ? { digit, isMinus: true } : digitOf(character);
};

function digitOf(character: string): ReturnType<PunchReader> {
  const digit = character.charCodeAt(0) - 0x30;
  return digit >= 0 && digit <= 9 ? { digit, isMinus: false } : null;
}

/** The sign code is in the zone, the upper half of the byte. A text of the window has one unit a byte. */
function ebcdicZone(received: Uint8Array): PunchReader {
  return (character) => {
    const byte = received[character.charCodeAt(0)] ?? 0;
    const [zone, digit] = [byte >> 4, byte & 15];
    return digit > 9 || signOfCode[zone]! < 0 ? null : { digit, isMinus: signOfCode[zone] === 1 };
  };
}
