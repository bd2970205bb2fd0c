import { describe, expect, it } from 'vitest';
import { ebcdicBytes } from '../../../../test/support/ebcdic.ts';
import { type CodePage, codePages, encodings, type SingleByteEncoding } from './code-pages.ts';

const pages = Object.entries(codePages) as [SingleByteEncoding, CodePage][];

function characters(encoding: SingleByteEncoding): (string | null)[] {
  const { latin1, differences }: CodePage = codePages[encoding];
  const bytes = latin1 === null ? Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)) : Buffer.from(latin1, 'hex');
  return [...bytes].map((byte) => (byte in differences ? differences[byte]! : String.fromCharCode(byte)));
}

describe('the code pages', () => {
  it.each(pages)('%s gives no two bytes one character', (encoding) => {
    const known = characters(encoding).filter((character) => character !== null);
    expect(new Set(known).size).toBe(known.length);
    expect(known.length).toBe(encoding === 'windows-1252' ? 251 : 256);
  });

  it.each(pages.filter(([, { latin1 }]) => latin1 !== null))(
    '%s has letters, digits and signs where every EBCDIC page has them',
    (encoding) => {
      const page = characters(encoding);
      for (const [character, byte] of ebcdicBytes) expect([byte, page[byte]]).toEqual([byte, character === '\n' ? '\u0085' : character]);
      expect([page[0x00], page[0x25], page[0x3f], page[0xff]]).toEqual(['\0', '\n', '\x1a', '\x9f']);
    },
  );

  /** The bytes in which the pages differ among themselves (IBM's CDRA tables). */
  it.each([
    ['ibm037', { 74: '¢', 79: '|', 90: '!', 95: '¬', 173: 'Ý', 176: '^', 186: '[', 187: ']', 189: '¨' }],
    ['ibm500', { 74: '[', 79: '!', 90: ']', 95: '^', 173: 'Ý', 176: '¢', 186: '¬', 187: '|', 189: '¨' }],
    ['ibm1047', { 74: '¢', 79: '|', 90: '!', 95: '^', 173: '[', 176: '¬', 186: 'Ý', 187: '¨', 189: ']' }],
  ] as const)('%s has its own signs', (encoding, signs) => {
    const page = characters(encoding);
    for (const [byte, character] of Object.entries(signs)) expect([byte, page[Number(byte)]]).toEqual([byte, character]);
  });

  it('windows-1252 and iso-8859-15 have what their standards put in place of Latin-1', () => {
    const windows = characters('windows-1252');
    expect([0x80, 0x85, 0x91, 0x92, 0x96, 0x99, 0x9f, 0xa4, 0xe9].map((byte) => windows[byte])).toEqual([...'€…‘’–™Ÿ¤é']);
    expect(windows.flatMap((character, byte) => (character === null ? [byte] : []))).toEqual([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
    const latin9 = characters('iso-8859-15');
    expect([0xa4, 0xa6, 0xa8, 0xb4, 0xb8, 0xbc, 0xbd, 0xbe, 0xe9].map((byte) => latin9[byte])).toEqual([...'€ŠšŽžŒœŸé']);
    expect(latin9[0x80]).toBe('\x80');
  });

  it('are all named, after UTF-8', () => {
    expect(encodings).toEqual(['utf-8', ...Object.keys(codePages)]);
  });
});
