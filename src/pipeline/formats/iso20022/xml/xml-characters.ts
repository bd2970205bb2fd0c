/**
 * Which bytes mean what: the productions Char, NameStartChar and NameChar of XML 1.0 (fifth edition), sections 2.2 and 2.3,
 * over UTF-8. Tables and checks only; nothing here knows where in a document it is.
 */

/** What a byte does to a run of character data. */
export const textKinds = {
  plain: 0,
  lineFeed: 1,
  carriageReturn: 2,
  lessThan: 3,
  ampersand: 4,
  greaterThan: 5,
  invalid: 6,
  multibyte: 7,
} as const;

export const textKindOf: Uint8Array = new Uint8Array(256).map((_, byte) => {
  if (byte === 0x0a) return textKinds.lineFeed;
  if (byte === 0x0d) return textKinds.carriageReturn;
  if (byte === 0x09) return textKinds.plain;
  if (byte < 0x20) return textKinds.invalid;
  if (byte === 0x3c) return textKinds.lessThan;
  if (byte === 0x26) return textKinds.ampersand;
  if (byte === 0x3e) return textKinds.greaterThan;
  return byte < 0x80 ? textKinds.plain : textKinds.multibyte;
});

export const nameKinds = { none: 0, start: 1, inside: 2, colon: 3, multibyte: 4 } as const;

export const nameKindOf: Uint8Array = new Uint8Array(256).map((_, byte) => {
  if (byte >= 0x80) return nameKinds.multibyte;
  const character = String.fromCharCode(byte);
  if (/[A-Za-z_]/.test(character)) return nameKinds.start;
  if (/[-.0-9]/.test(character)) return nameKinds.inside;
  return character === ':' ? nameKinds.colon : nameKinds.none;
});

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d;
}

/** Length of the character beyond ASCII at `at`: 2 to 4; 0: no character of XML in UTF-8; -1: `end` cuts it. */
export function multibyteLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + 1 >= end) return -1;
  const second = bytes[at + 1]!;
  // Overlong forms, surrogates and what is above U+10FFFF show in the second byte.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < length; index++) {
    if (at + index >= end) return -1;
    if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  }
  return lead === 0xef && second === 0xbf && bytes[at + 2]! >= 0xbe ? 0 : length;
}

/** Of a character that `multibyteLength` has passed. */
export function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  if (length === 2) return ((bytes[at]! & 0x1f) << 6) | (bytes[at + 1]! & 0x3f);
  if (length === 3) return ((bytes[at]! & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f);
  return ((bytes[at]! & 7) << 18) | ((bytes[at + 1]! & 0x3f) << 12) | ((bytes[at + 2]! & 0x3f) << 6) | (bytes[at + 3]! & 0x3f);
}

const nameStartRanges = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff],
] as const;

const nameInsideRanges = [
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
] as const;

const lies = (code: number, ranges: readonly (readonly [number, number])[]): boolean =>
  ranges.some(([first, last]) => code >= first && code <= last);

/** For characters beyond ASCII. */
export function isNameCharacter(code: number, isFirst: boolean): boolean {
  return lies(code, nameStartRanges) || (!isFirst && lies(code, nameInsideRanges));
}

/** Production Char, for character references. */
export function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff);
}
