import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SealedReader } from '../../../platform/storage/object-store.ts';
import { bodyPieces, hashBody } from './body-hash.ts';

const mebibyte = 1024 * 1024;
const content = Buffer.from(Array.from({ length: 9 * mebibyte + 17 }, (_, index) => (index * 31 + (index >> 9)) & 255));
const reader: SealedReader = {
  size: content.length,
  sha256: '',
  read(into, at, length, position) {
    const piece = content.subarray(position, position + length);
    into.set(piece, at);
    return piece.length;
  },
  close() {},
};
const open = () => reader;
const sleep = { sleep: async () => {} };

/** Small and big ranges, one behind the other and apart, with a rest that fills no piece. */
const spans = [
  { segmentId: 'a', ranges: [0, 10, 20, 3 * mebibyte] },
  { segmentId: 'b', ranges: [5, mebibyte + 5, mebibyte + 7, content.length] },
];
const body = Buffer.concat(spans.flatMap(({ ranges: [a, b, c, d] }) => [content.subarray(a, b), content.subarray(c, d)]));

test('pieces that share one buffer hold the same bytes as pieces of their own', () => {
  const own = [...bodyPieces(spans, open)];
  const reused: Buffer[] = [];
  for (const piece of bodyPieces(spans, open, { isReused: true })) reused.push(Buffer.from(piece));
  expect(Buffer.concat(own).equals(body)).toBe(true);
  expect(reused.map((piece) => piece.length)).toEqual(own.map((piece) => piece.length));
  expect(Buffer.concat(reused).equals(body)).toBe(true);
});

test('pieces of their own stay what they were', () => {
  const held = [...bodyPieces(spans, open)];
  expect(new Set(held.map((piece) => piece.buffer)).size).toBe(held.length);
});

test('the hash of a big body is that of its bytes', async () => {
  const expected = createHash('sha256').update(body).digest('hex');
  expect(await hashBody(spans, body.length, open, sleep)).toBe(expected);
});
