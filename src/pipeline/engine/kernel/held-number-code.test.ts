import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ebcdic, packedDecimal, zonedDecimal } from '../../../../test/support/ebcdic.ts';
import { compileFlow } from '../compile-flow.ts';
import { writeHeldBytes } from '../fields/held-numbers.ts';
import type { FieldPlan, FixedWidthPlan, Plan } from '../plan.ts';
import { call, fieldPlan, literal, outputField, planOf, recordField, recordPlan } from '../plans.fixture.ts';
import { describeRun, runInMemory } from '../runs.fixture.ts';

const held = {
  type: 'fixed-width',
  lineEnds: false,
  discriminator: null,
  recordLength: 44,
  shortLines: 'reject',
  skipBlankLines: true,
} as const;
const inEbcdic: FixedWidthPlan = { ...held, encoding: 'ibm1047' };

const implied = { point: 'implied', sum: true } as const;
const fields: readonly FieldPlan[] = [
  fieldPlan('id', 'string', { start: 0, length: 4 }),
  fieldPlan('amount', 'decimal', { start: 4, length: 5 }, { ...implied, usage: 'packed', currencyField: 6, min: '-900000.00' }),
  fieldPlan('fee', 'decimal', { start: 9, length: 6 }, { ...implied, usage: 'zoned', required: false }),
  fieldPlan('rate', 'decimal', { start: 15, length: 6 }, { ...implied, usage: 'overpunch', sign: 'leading', scale: 4 }),
  fieldPlan('count', 'int', { start: 21, length: 2 }, { usage: 'binary' }),
  fieldPlan('total', 'decimal', { start: 23, length: 8 }, { point: 'implied', usage: 'binary' }),
  fieldPlan('currency', 'currency', { start: 31, length: 3 }),
  fieldPlan('step', 'int', { start: 34, length: 4 }, { usage: 'zoned', sign: 'trailing-separate', sum: true }),
  fieldPlan('wide', 'int', { start: 38, length: 4 }, { usage: 'binary' }),
];

function planFor(format: FixedWidthPlan): Plan {
  const record = recordPlan(fields);
  const field = (name: string) =>
    recordField(
      record,
      fields.findIndex((each) => each.name === name),
    );
  const isNegative = call('bool', 'less', field('amount'), literal('decimal', '0'));
  return planOf({
    format,
    records: [record],
    filters: [{ id: 'none', when: call('bool', 'equal', field('count'), literal('int', '7')), reason: 'left out' }],
    output: [
      ...fields.map(({ name }) => outputField(name, field(name))),
      outputField('side', call('string', 'conditional', isNegative, literal('string', 'D'), literal('string', 'C'))),
      // A form that no kernel has: it is evaluated, and reads the bytes again.
      outputField('sum', call('decimal', 'add', field('amount'), field('total'))),
    ],
  });
}

const digits = (most: number) => fc.integer({ min: -most, max: most }).map(String);
const randomRecord = fc.record({
  amount: digits(90_000_000),
  fee: fc.oneof(digits(99_999), fc.constant(null)),
  rate: fc.integer({ min: 0, max: 99_999 }),
  count: digits(32_767),
  total: digits(999_999_999_999),
  step: fc.integer({ min: 0, max: 999 }),
  wide: digits(2_000_000_000),
  isMinus: fc.boolean(),
});
type RandomRecord = typeof randomRecord extends fc.Arbitrary<infer T> ? T : never;

function bytesOf(record: RandomRecord): Buffer {
  const rate = ebcdic(String(record.rate).padStart(6, '0'));
  // A punched zero before its digits.
  rate[0] = record.isMinus ? 0xd0 : 0xc0;
  return Buffer.concat([
    ebcdic('P1  '),
    packedDecimal(record.amount, 5),
    record.fee === null ? ebcdic(' '.repeat(6)) : zonedDecimal(record.fee, 6),
    rate,
    writeHeldBytes('binary', record.count, 2)!,
    writeHeldBytes('binary', record.total, 8)!,
    ebcdic(`EUR${String(record.step).padStart(3, '0')}${record.isMinus ? '-' : '+'}`),
    writeHeldBytes('binary', record.wide, 4)!,
    ebcdic('  '),
  ]);
}

describe('numbers held as programs hold them', () => {
  it('are taken by the kernel, as the slow path takes them', () => {
    const plan = planFor(inEbcdic);
    const flow = compileFlow(plan);
    fc.assert(
      fc.property(fc.array(randomRecord, { minLength: 1, maxLength: 6 }), (records) => {
        const bytes = Buffer.concat(records.map(bytesOf));
        const fast = runInMemory({ plan, flow, bytes });
        expect(fast.slowRecords).toBe(0);
        expect(describeRun(fast)).toEqual(describeRun(runInMemory({ plan, flow, bytes }, { path: 'slow' })));
        expect(fast.summary.records.valid + fast.summary.records.filtered).toBe(records.length);
      }),
      { numRuns: 300 },
    );
  });

  it.each([inEbcdic, held] as FixedWidthPlan[])('are named by the slow path when any of their bytes is changed ($encoding)', (format) => {
    const plan = planFor(format);
    const flow = compileFlow(plan);
    fc.assert(
      fc.property(randomRecord, fc.integer({ min: 4, max: 41 }), fc.nat({ max: 255 }), (record, at, byte) => {
        const bytes = bytesOf(record);
        bytes[at] = byte;
        const both = Buffer.concat([bytes, bytesOf(record)]);
        expect(describeRun(runInMemory({ plan, flow, bytes: both }))).toEqual(
          describeRun(runInMemory({ plan, flow, bytes: both }, { path: 'slow' })),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
