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
