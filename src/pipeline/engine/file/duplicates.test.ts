import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { checkLines } from './checked-lines.fixture.ts';

const column = (index: number) => ({ column: index, header: null });
const unique = (name: string, index: number) => fieldPlan(name, 'string', column(index), { unique: 'file', required: false });

describe('a flow with two unique fields', () => {
  const fields = [unique('id', 0), unique('ref', 1)];
  const plan = planOf({ format: delimitedFormat, records: [recordPlan(fields, { key: [0] })] });
  const mirrored = planOf({ format: delimitedFormat, records: [recordPlan([unique('ref', 1), unique('id', 0)])] });
  const excluded = (lines: readonly string[], by = plan, linesPerChunk = lines.length) =>
    checkLines(by, lines, linesPerChunk).exclusions.map(({ record, field }) => [record, field]);

  it('lets no value of a record that is excluded count, whichever of its fields excluded it', () => {
    for (const linesPerChunk of [1, 2, 3]) {
      expect(excluded(['A,x', 'A,y', 'B,y'], plan, linesPerChunk)).toEqual([[2, 'id']]);
      expect(excluded(['A,x', 'B,x', 'B,y'], plan, linesPerChunk)).toEqual([[2, 'ref']]);
    }
  });

  it('names the first of the fields whose value a record before it has', () => {
    expect(excluded(['A,x', 'A,x'])).toEqual([[2, 'id']]);
    expect(excluded(['A,x', 'A,x'], mirrored)).toEqual([[2, 'ref']]);
  });

  it('excludes the same records as a naive search, in whatever order its fields are', () => {
    const text = fc.constantFrom('', 'p', 'q', 'r', 's');
    const lines = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 9 }), (pairs, linesPerChunk) => {
        const texts = pairs.map(([id, ref]) => `${id},${ref}`).map((line) => (line === ',' ? 'a,b' : line));
        const kept: string[][] = [];
        const repeated = texts.flatMap((line, index) => {
          const own = line.split(',');
          const isRepeated = kept.some((other) => own.some((value, field) => value !== '' && value === other[field]));
          if (!isRepeated) kept.push(own);
          return isRepeated ? [index + 1] : [];
        });
        for (const by of [plan, mirrored]) expect(excluded(texts, by, linesPerChunk).map(([record]) => record)).toEqual(repeated);
      }),
      { numRuns: 60 },
    );
  });
});
