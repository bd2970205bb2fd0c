import { describe, expect, it } from 'vitest';
import { batchFormOf } from './batch-forms.ts';
import { HeldBatches } from './held-batches.ts';
import { refusalOf } from './written-files.fixture.ts';

describe('batches that are held', () => {
  const form = batchFormOf('batchHeader', 'PPD');
  const record = '6'.padEnd(94, '0');
  const held = (records: number, source: number) => ({
    key: 'a',
    form,
    header: '5'.padEnd(94),
    texts: [record, ...Array.from({ length: records - 1 }, () => record.replace('6', '7'))],
    source,
    place: { pointer: () => `/entries/${source}` },
  });

  it('are begun anew where the control of one does not count more', () => {
    const batches = new HeldBatches();
    for (const [source, records] of [499_999, 500_000, 1].entries()) batches.add(held(records, source));
    expect(batches.inOrder.map(({ totals }) => totals.records)).toEqual([999_999, 1]);
  });

  it('are given entry by entry as they came, and refused beyond their bound', () => {
    const batches = new HeldBatches(100);
    for (let source = 0; source < 20; source++) batches.add(held(5, source));
    const entries = [...batches.inOrder[0]!.held.inOrder()].map(({ source, texts }) => [
      source,
      texts.join('') === held(5, 0).texts.join(''),
    ]);
    expect(entries).toEqual(Array.from({ length: 20 }, (_, source) => [source, true]));
    expect(refusalOf(() => batches.add(held(1, 20)))).toBe(
      'E_NACHA_LIMIT /entries/20: more than 100 records would have to be held to put them into batches',
    );
  });
});
