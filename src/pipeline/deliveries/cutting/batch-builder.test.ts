import { expect, it } from 'vitest';
import { BatchBuilder, type BuiltBatch, type RecordRun } from './batch-builder.ts';

const limits = { batchRecords: 100, batchBytes: 10_000, batchAmount: { field: 'amount', max: '250' } };

function runOf(record: number, byCurrency: Readonly<Record<string, string>>): RecordRun {
  return {
    ...{ jobId: 'j', lineageId: 'l', acceptedNumber: 1, chunkNumber: 0, segmentId: 's', firstRecord: record, records: 1 },
    outcomes: { segmentId: 'o', start: 0, end: 1 },
    ranges: [record * 10, record * 10 + 10],
    amounts: { amount: { scale: 0, byCurrency, unreadable: 0 } },
    ...{ excluded: [], only: null },
  };
}

/** How many records each batch holds. */
function sizes(...amounts: readonly Readonly<Record<string, string>>[]): number[] {
  const builder = new BatchBuilder(limits);
  const closed = amounts.map((byCurrency, index) => builder.add(runOf(index, byCurrency)));
  return [...closed, builder.finish()].filter((batch): batch is BuiltBatch => batch !== null).map(({ records }) => records);
}

it.each([
  ['with others of its currency', [{ EUR: '900' }, { EUR: '1' }], [1, 1]],
  ['with one of another currency', [{ EUR: '900' }, { ZAR: '1' }, { ZAR: '2' }], [1, 2]],
  ['with one that has no amount', [{ EUR: '-900' }, {}], [1, 1]],
  ['behind one of another currency', [{ ZAR: '1' }, { EUR: '900' }, { ZAR: '2' }], [1, 1, 1]],
])('a record above the amount of a batch is not in one %s', (_which, amounts, expected) => {
  expect(sizes(...(amounts as Readonly<Record<string, string>>[]))).toEqual(expected);
});

it('currencies are bounded one by one, up to the very amount', () => {
  expect(sizes({ EUR: '250' }, { ZAR: '250' }, {}, { ZAR: '1' })).toEqual([3, 1]);
});
