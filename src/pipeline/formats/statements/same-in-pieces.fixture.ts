/** The law of every pack: the same bytes in other pieces give the same findings, summary and document. */
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Pack } from '../pack.ts';
import { runPack } from './pack-run.fixture.ts';

export function expectSameInPieces(pack: Pack, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const whole = runPack(pack, bytes);
  const everyByte = Array.from({ length: Math.min(bytes.length, 9000) }, (_, index) => index + 1);
  expect(runPack(pack, bytes, { cuts: everyByte })).toEqual(whole);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      expect(runPack(pack, bytes, { cuts: cuts.sort((a, b) => a - b) })).toEqual(whole);
    }),
    { numRuns: 60 },
  );
}

/** Any mix of the given parts and of other text is read without failing, byte by byte as in one piece, and printed as JSON. */
export function expectAnyBytesAreRead(pack: Pack, parts: readonly string[]): void {
  const mixed = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 60 });
  fc.assert(
    fc.property(mixed, (chosen) => {
      const bytes = Buffer.from(chosen.join(''));
      const whole = runPack(pack, bytes);
      expect(() => JSON.parse(whole.document)).not.toThrow();
      expect(runPack(pack, bytes, { cuts: Array.from({ length: bytes.length }, (_, index) => index + 1) })).toEqual(whole);
    }),
    { numRuns: 300 },
  );
}
