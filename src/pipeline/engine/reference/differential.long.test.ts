import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redrivePlan } from '../redrive-plan.ts';
import { randomFile } from './random-files.fixture.ts';
import { runEngine, runReference } from './run-accounts.fixture.ts';

describe('the reference parser and the engine', () => {
  for (const path of ['slow', 'fast'] as const) {
    it(`agree record by record, byte by byte, on random flows and files (${path} path)`, () => {
      fc.assert(
        fc.property(
          randomFile,
          fc.constantFrom(1, 40, 1_000_000),
          fc.constantFrom(64, 1_024),
          ({ plan, bytes }, chunkBytes, blockBytes) => {
            expect(runEngine(plan, bytes, { chunkBytes, path, blockBytes })).toEqual(runReference(plan, bytes));
          },
        ),
        { numRuns: Number(process.env['HEADGATE_DIFFERENTIAL_RUNS'] ?? 500) },
      );
    });
  }

  it('agree on flows that are narrowed to some of their targets, as for records that are sent again', () => {
    fc.assert(
      fc.property(randomFile, fc.constantFrom('slow', 'fast'), fc.boolean(), ({ plan, bytes }, path, isAll) => {
        const narrowed = redrivePlan(plan, isAll ? null : [plan.targets[0]!.id]);
        expect(runEngine(narrowed, bytes, { chunkBytes: 40, path, blockBytes: 64 })).toEqual(runReference(narrowed, bytes));
      }),
      { numRuns: Number(process.env['HEADGATE_DIFFERENTIAL_RUNS'] ?? 300) },
    );
  });
});
