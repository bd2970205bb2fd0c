/**
 * Looks ahead in what is there of a document: for the end of a comment, CDATA section or instruction, and for what the token at the
 * cursor begins with. Says whether it is cut, and is at fault where the file ends within it.
 */
import { fault, limit } from './start-tag.ts';
import { isSpace, multibyteLength, textKindOf, textKinds } from './xml-characters.ts';
import type { XmlSource } from './xml-source.ts';

/** Of a run of text, a CDATA section, a comment or a processing instruction. */
export const textBytesMax = 1024 * 1024;

export class XmlScanner {
  readonly #source: XmlSource;

  constructor(source: XmlSource) {
    this.#source = source;
  }

  /** Past `closing`, from `skip` bytes after the cursor on; -1: cut. Everything before it are characters of XML. */
  endOf(closing: string, skip: number, what: string, refused: string | null): number {
    const { bytes, cursor, length } = this.#source;
    const last = closing.charCodeAt(0);
    const stop = Math.min(length, cursor + textBytesMax);
    let at = cursor + skip;
    while (at < stop) {
      const byte = bytes[at]!;
      if (byte === last) {
        if (at + closing.length > length) return this.cutIn(what);
        if (matches(bytes, at, closing)) return at + closing.length;
        if (refused !== null && matches(bytes, at, refused)) throw fault('xml-comment', at, `${refused} within a comment`);
      }
      const kind = textKindOf[byte]!;
      if (kind === textKinds.invalid) throw fault('xml-character', at, 'a character that XML does not have');
      if (kind === textKinds.multibyte) {
        const size = this.multibyte(at);
        if (size < 0) return this.cutIn(what);
        at += size;
      } else at++;
    }
    if (at >= cursor + textBytesMax && at < length) throw limit(cursor, `${what} longer than ${textBytesMax} bytes`);
    return this.cutIn(what);
  }

  /** Length of the character at `at`; -1: cut. */
  multibyte(at: number): number {
    const size = multibyteLength(this.#source.bytes, at, this.#source.length);
    if (size === 0 || (size < 0 && this.#source.isLast))
      throw fault('xml-character', at, 'bytes that are no character of XML in the encoding of the file');
    return size;
  }

  startsWith(opening: string): boolean {
    const { bytes, cursor, length } = this.#source;
    return cursor + opening.length <= length && matches(bytes, cursor, opening);
  }

  mayStartWith(opening: string): boolean {
    const { bytes, cursor, length } = this.#source;
    return length - cursor < opening.length && matches(bytes, cursor, opening.slice(0, length - cursor));
  }

  cutIn(what: string): number {
    this.isCut(what);
    return -1;
  }

  isCut(what: string): false {
    if (this.#source.isLast) throw fault('xml-end', this.#source.length, `the file ends within ${what}`);
    return false;
  }
}

function matches(bytes: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

export function isBlankRun(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!isSpace(bytes[at]!)) return false;
  return true;
}
