/**
 * From bytes of the window to text and back, by the encoding of the format. Exact: a byte that the page has no character for
 * is a finding of its record, and nothing is replaced. What goes out is UTF-8, whatever came in.
 */
import { structureErrors } from '../engine-errors.ts';
import type { FormatPlan } from '../plan.ts';
import { type CodePage, codePages, type SingleByteEncoding } from '../reference-data/code-pages.ts';
import type { StructureProblem } from './structure-problem.ts';
import { decodeUtf8, firstInvalidUtf8, isValidUtf8 } from './utf8.ts';

export interface TextPage {
  /** A character has one byte each: no boundary can cut one. */
  readonly isSingleByte: boolean;
  /** Bytes without unreadable ones. */
  decode(bytes: Buffer, start: number, end: number): string;
  /** Index of the first byte that is no text, or -1. */
  firstUnreadable(bytes: Uint8Array, start: number, end: number): number;
  /** `at`: byte of the record, from 0. */
  unreadableProblem(at: number): StructureProblem;
  /** Null where the page lacks a character of the text. */
  encode(text: string): Buffer | null;
}

export function textPageOf(format: FormatPlan): TextPage {
  return format.type === 'json-lines' || format.encoding === undefined ? utf8Page : singleBytePage(format.encoding);
}

const utf8Page: TextPage = {
  isSingleByte: false,
  decode: decodeUtf8,
  firstUnreadable: (bytes, start, end) => (isValidUtf8(bytes, start, end) ? -1 : firstInvalidUtf8(bytes, start, end)),
  unreadableProblem: (at) => ({ code: structureErrors.E_ENCODING, message: `byte ${at} of the record starts no valid UTF-8 sequence` }),
  encode: (text) => Buffer.from(text, 'utf8'),
};

function singleBytePage(encoding: SingleByteEncoding): TextPage {
  const { differences }: CodePage = codePages[encoding];
  const others = Object.entries(differences);
  const different = new Uint8Array(256);
  const bytesOf = new Map<string, number>();
  for (const [byte, character] of others) {
    different[Number(byte)] = character === null ? 2 : 1;
    if (character !== null) bytesOf.set(character, Number(byte));
  }
  return {
    isSingleByte: true,
    decode(bytes, start, end) {
      const text = bytes.toString('latin1', start, end);
      return others.length === 0 ? text : text.replace(/[\x80-\xbf]/g, (unit) => characterOf(differences, unit));
    },
    firstUnreadable(bytes, start, end) {
      for (let index = start; index < end; index++) if (different[bytes[index]!] === 2) return index;
      return -1;
    },
    unreadableProblem: (at) => ({ code: structureErrors.E_ENCODING, message: `byte ${at} of the record is no character of ${encoding}` }),
    encode(text) {
      const bytes = Buffer.alloc(text.length);
      for (let index = 0; index < text.length; index++) {
        const unit = text.charCodeAt(index);
        const byte = bytesOf.get(text[index]!) ?? (unit < 256 && different[unit] === 0 ? unit : -1);
        if (byte < 0) return null;
        bytes[index] = byte;
      }
      return bytes;
    },
  };
}

/** `unit`: a byte as a character of ISO 8859-1. */
function characterOf(differences: CodePage['differences'], unit: string): string {
  const character = differences[unit.charCodeAt(0)];
  return character === undefined ? unit : (character ?? '\ufffd');
}
