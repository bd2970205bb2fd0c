import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evenChunkBytes } from './even-chunks.ts';

test('a file of known length is divided into an even number of chunks, none longer than allowed and none much shorter than another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 50_000_000 }), (chunkBytes, longerBy) => {
      const fileBytes = chunkBytes + longerBy;
      const size = evenChunkBytes(chunkBytes, fileBytes);
      expect(size).toBeLessThanOrEqual(chunkBytes);
      const chunks = 2 * Math.ceil(fileBytes / chunkBytes / 2);
      expect(size * chunks).toBeGreaterThanOrEqual(fileBytes);
      expect((size - 1) * chunks).toBeLessThan(fileBytes);
    }),
  );
});

test('a file of unknown length, and one that is a single chunk, is divided as allowed', () => {
  expect(evenChunkBytes(16, undefined)).toBe(16);
  expect(evenChunkBytes(16, 16)).toBe(16);
  expect(evenChunkBytes(16, 17)).toBe(9);
});
