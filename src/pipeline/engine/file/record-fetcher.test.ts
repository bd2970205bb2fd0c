import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import { randomFile } from '../reference/random-files.fixture.ts';
import { openReferenceFile } from '../reference/reference-file.ts';
import { ReferenceRun } from '../reference/reference-run.ts';
import { FileDamage } from '../reference/rows.ts';
import { memorySource } from '../runs.fixture.ts';
import { RecordFetcher } from './record-fetcher.ts';

function columnsOf(...[plan, pieces]: Parameters<typeof openReferenceFile>): readonly string[] | null {
  try {
    return openReferenceFile(plan, pieces).columns;
  } catch (error) {
    if (error instanceof FileDamage) return null;
    throw error;
  }
}

it('a record that is read again by its offset is the record that was read, and its content the bytes of the file', () => {
  let records = 0;
  fc.assert(
    fc.property(randomFile, ({ plan, bytes }) => {
      const fetcher = new RecordFetcher(compileFlow(plan), columnsOf(plan, [bytes]), memorySource(bytes));
      const ofRecords = [...new ReferenceRun(plan).records([bytes])];
      // Rules may ask for the header record, which is not read again here.
      for (const { offset, length, type, findings } of ofRecords) {
        records++;
        const judge = fetcher.fetch(offset);
        expect(plan.records[judge.type]?.name ?? null).toBe(type);
        const ofFields = ({ field, rule }: { readonly field: string | null; readonly rule: string | null }) =>
          field !== null && rule === null;
        expect(judge.findings.filter(ofFields).map(({ code, field }) => [code, field])).toEqual(
          findings.filter(ofFields).map(({ code, field }) => [code, field]),
        );
        const content = fetcher.content(offset);
        expect(content).toEqual(bytes.subarray(offset, offset + content.length));
        expect(length - content.length).toBeLessThanOrEqual(plan.format.type === 'fixed-width' && plan.format.lineEnds === false ? 0 : 2);
        expect(fetcher.next(offset)).toBe(offset + length);
      }
    }),
    { numRuns: 400 },
  );
  expect(records).toBeGreaterThan(500);
});
