/**
 * Code pages of one byte a character. The EBCDIC pages are permutations of ISO 8859-1, as IBM's CDRA and the Unicode
 * Consortium map them (vendor mapping files CP037.TXT, CP500.TXT; IBM-1047 of z/OS): `latin1` holds, at each byte's place,
 * the ISO 8859-1 byte of its character. The others are ISO 8859-1 but for the characters of `differences`.
 */

export type SingleByteEncoding = keyof typeof codePages;

export interface CodePage {
  /** 256 bytes in hexadecimal; null: each byte is its own. */
  readonly latin1: string | null;
  /** Characters by byte; null: the page has none there. */
  readonly differences: Readonly<Record<number, string | null>>;
}

/** ISO 8859-15:1999, which is ISO 8859-1 with eight other characters. */
const latin9Differences = { 164: '€', 166: 'Š', 168: 'š', 180: 'Ž', 184: 'ž', 188: 'Œ', 189: 'œ', 190: 'Ÿ' } as const;

/** What Windows-1252 has in place of the control characters 0x80 to 0x9f, in order; a space where it has nothing. */
const windows1252Block = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

const ibm037 = [
  '000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f',
  '80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a',
  '20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac',
  '2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22',
  'd8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4',
  'b57e737475767778797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d7',
  '7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff',
  '5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f',
].join('');

const ibm500 = [
  '000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f',
  '80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a',
  '20a0e2e4e0e1e3e5e7f15b2e3c282b2126e9eaebe8edeeefecdf5d242a293b5e',
  '2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22',
  'd8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4',
  'b57e737475767778797aa1bfd0dddeaea2a3a5b7a9a7b6bcbdbeac7cafa8b4d7',
  '7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff',
  '5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f',
].join('');

const ibm1047 = [
  '000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f',
  '80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a',
  '20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293b5e',
  '2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22',
  'd8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4',
  'b57e737475767778797aa1bfd05bdeaeaca3a5b7a9a7b6bcbdbedda8af5db4d7',
  '7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff',
  '5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f',
].join('');

export const codePages = {
  'iso-8859-1': { latin1: null, differences: {} },
  'iso-8859-15': { latin1: null, differences: latin9Differences },
  'windows-1252': {
    latin1: null,
    differences: Object.fromEntries([...windows1252Block].map((character, index) => [0x80 + index, character === ' ' ? null : character])),
  },
  ibm037: { latin1: ibm037, differences: {} },
  ibm500: { latin1: ibm500, differences: {} },
  ibm1047: { latin1: ibm1047, differences: {} },
} as const satisfies Readonly<Record<string, CodePage>>;

export const encodings = ['utf-8', ...(Object.keys(codePages) as SingleByteEncoding[])] as const;
