import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { PhysicalLines } from './physical-lines.ts';

function linesOf(
  text: string,
  pieceBytes: number,
  lineBytesMax = 100,
): (readonly [text: string, line: number, offset: number, isCut: boolean])[] {
  const given: (readonly [string, number, number, boolean])[] = [];
  const lines = new PhysicalLines({
    lineBytesMax,
    onLine: ({ bytes, start, end, line, offset, isCut }) => given.push([bytes.toString('latin1', start, end), line, offset, isCut]),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) lines.push(bytes.subarray(at, at + pieceBytes));
  lines.end();
  return given;
}

it.each([1, 7, 4096, 1_000_000])('lines end with LF, CRLF or the end of the file, in pieces of %i bytes', (pieceBytes) => {
  expect(linesOf('a\r\n\nbc\nd', pieceBytes)).toEqual([
    ['a', 1, 0, false],
    ['', 2, 3, false],
    ['bc', 3, 4, false],
    ['d', 4, 7, false],
  ]);
});

it.each([1, 7, 4096, 1_000_000])('of a line that is too long the beginning is given, in pieces of %i bytes', (pieceBytes) => {
  const long = 'x'.repeat(9_000);
  expect(linesOf(`${long}\r\nb\n`, pieceBytes)).toEqual([
    [long.slice(0, 100), 1, 0, true],
    ['b', 2, 9_002, false],
  ]);
});

it.each([1, 7, 4096, 1_000_000])(
  'a file whose first bytes have CR and no LF ends its lines with CR, in pieces of %i bytes',
  (pieceBytes) => {
    const line = 'x'.repeat(99);
    const lines = linesOf(`${`${line}\r`.repeat(60)}last\n`, pieceBytes);
    expect(lines.length).toBe(61);
    expect(lines.at(-1)).toEqual(['last\n', 61, 6_000, false]);
  },
);

it('a byte order mark is left out and counted', () => {
  expect(linesOf('\ufeffa\nb', 1)).toEqual([
    ['a', 1, 3, false],
    ['b', 2, 5, false],
  ]);
});
