import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan.ts';
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

describe('a flow with several record types', () => {
  const type = (name: string, tag: string, fields: readonly string[], key: number[]) =>
    recordPlan([fieldPlan('tag', 'string', column(0)), ...fields.map((field, index) => unique(field, index + 1))], { name, tag, key });
  const tagged = { ...delimitedFormat, discriminator: 0, columns: 'lenient' } as const;
  const excluded = (records: Plan['records'], lines: readonly string[], linesPerChunk = lines.length) =>
    checkLines(planOf({ format: tagged, records }), lines, linesPerChunk).exclusions.map(({ record, field }) => [record, field]);

  it('compares a unique field with the field of its name, whether it is the business key of its type or not', () => {
    const lines = ['C,1001', 'D,1001', 'C,1001', 'D,1001'];
    for (const key of [[1], []])
      for (const linesPerChunk of [1, 4])
        expect(excluded([type('credit', 'C', ['paymentNo'], key), type('debit', 'D', ['mandateNo'], key)], lines, linesPerChunk)).toEqual([
          [3, 'paymentNo'],
          [4, 'mandateNo'],
        ]);
  });

  it('compares fields of one name of all types, wherever they stand and whether they are keys or not', () => {
    for (const [first, second] of [
      [[1], [2]],
      [[1], []],
      [[], []],
    ] as const) {
      const records = [type('credit', 'C', ['id'], [...first]), type('debit', 'D', ['other', 'id'], [...second])];
      expect(excluded(records, ['C,1001', 'D,1001,1002', 'D,1003,1001'])).toEqual([[3, 'id']]);
    }
  });
});
