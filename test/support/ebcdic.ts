/**
 * Texts and numbers as a program on a mainframe writes them, for tests. Knows the characters that all EBCDIC pages share by
 * rule (letters in three runs, digits, a few signs), so that tests hold the tables of the product to something else.
 */

const runs: readonly (readonly [string, number])[] = [
  ['ABCDEFGHI', 0xc1],
  ['JKLMNOPQR', 0xd1],
  ['STUVWXYZ', 0xe2],
  ['abcdefghi', 0x81],
  ['jklmnopqr', 0x91],
  ['stuvwxyz', 0xa2],
  ['0123456789', 0xf0],
];
const signs: Readonly<Record<string, number>> = {
  ' ': 0x40,
  '.': 0x4b,
  '<': 0x4c,
  '(': 0x4d,
  '+': 0x4e,
  '&': 0x50,
  '*': 0x5c,
  ')': 0x5d,
  ';': 0x5e,
  '-': 0x60,
  '/': 0x61,
  ',': 0x6b,
  '%': 0x6c,
  _: 0x6d,
  '>': 0x6e,
  '?': 0x6f,
  ':': 0x7a,
  "'": 0x7d,
  '=': 0x7e,
  '"': 0x7f,
  '{': 0xc0,
  '}': 0xd0,
  '\t': 0x05,
  '\r': 0x0d,
  '\n': 0x15,
};

export const ebcdicBytes: ReadonlyMap<string, number> = new Map([
  ...runs.flatMap(([characters, first]) => [...characters].map((character, index) => [character, first + index] as const)),
  ...Object.entries(signs),
]);

export function ebcdic(text: string): Buffer {
  return Buffer.from(
    [...text].map((character) => {
      const byte = ebcdicBytes.get(character);
      if (byte === undefined) throw new Error(`${JSON.stringify(character)} has not one byte in all EBCDIC pages`);
      return byte;
    }),
  );
}

/** COMP-3: `digits` with an optional minus, unscaled. */
export function packedDecimal(digits: string, bytes: number): Buffer {
  const isMinus = digits.startsWith('-');
  return Buffer.from(`${digits.replace('-', '').padStart(2 * bytes - 1, '0')}${isMinus ? 'd' : 'c'}`, 'hex');
}

/** DISPLAY with its sign in the zone of the last digit. */
export function zonedDecimal(digits: string, bytes: number): Buffer {
  const isMinus = digits.startsWith('-');
  const zoned = ebcdic(digits.replace('-', '').padStart(bytes, '0'));
  zoned[bytes - 1] = (zoned[bytes - 1]! & 0x0f) | (isMinus ? 0xd0 : 0xc0);
  return zoned;
}
