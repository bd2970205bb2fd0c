import { describe, expect, it } from 'vitest';
import { achFile, readAch } from './ach-files.fixture.ts';
import { mutants } from './mutants.fixture.ts';
import { layoutsByName } from './printed-layouts.fixture.ts';
import { sampleBatches } from './sample-batches.fixture.ts';

interface ParsedRecord {
  readonly lineNumber: number;
  readonly written?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The lines that a document was read from, as a writer would write them. */
function linesOf(document: string): string[] {
  const lines: string[] = [];
  const walk = (name: string, value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(name.replace(/s$/, ''), each);
    else if (typeof value === 'object' && value !== null) {
      const layout = 'lineNumber' in value ? layoutsByName(name, value as ParsedRecord) : undefined;
      if (layout !== undefined) lines[(value as ParsedRecord).lineNumber - 1] = layout;
      for (const [key, more] of Object.entries(value)) if (key !== 'written') walk(key, more);
    }
  };
  walk('', JSON.parse(document));
  return lines;
}

describe('the document', () => {
  it.each(Object.entries(sampleBatches))('%s: writing its values gives the lines again', (_, batch) => {
    const file = achFile(batch);
    expect(linesOf(readAch(Buffer.from(file.text())).document)).toEqual(file.records.map(({ text }) => text));
  });

  it('what is not written as usual is kept character by character', () => {
    const file = achFile(sampleBatches.PPD)
      .set('batchHeader', 'companyName', ' Company')
      .set('fileHeader', 'immediateOrigin', '0231380104')
      .set('batchHeader', 'effectiveEntryDate', '000000')
      .put('fileControl', 60, 'x')
      .put('batchControl', 75, 'y')
      .put('entryDetail', 29, '   ');
    const { document } = readAch(Buffer.from(file.text()));
    expect(linesOf(document)).toEqual(file.records.map(({ text }) => text));
    expect(JSON.parse(document).fileHeader).toMatchObject({ immediateOrigin: '231380104', written: { immediateOrigin: '0231380104' } });
    expect(JSON.parse(document).batches[0].batchHeader).toMatchObject({ companyName: 'Company', effectiveEntryDate: '' });
    expect(JSON.parse(document).batches[0].entryDetails[0]).toMatchObject({ amount: 1_000, lineNumber: 3, category: 'Forward' });
  });

  it('has the batches of all kinds in one list, in the order of the file', () => {
    const file = achFile(sampleBatches.IAT, sampleBatches.PPD, sampleBatches.COR);
    const { batches, fileControl } = JSON.parse(readAch(Buffer.from(file.text())).document);
    expect(batches.map((batch: object) => Object.keys(batch))).toEqual([
      ['IATBatchHeader', 'IATEntryDetails', 'batchControl'],
      ['batchHeader', 'entryDetails', 'batchControl'],
      ['batchHeader', 'entryDetails', 'batchControl'],
    ]);
    expect(batches[0].IATEntryDetails[0]).toMatchObject({
      addenda10: { name: 'Receiver' },
      addenda17: [{ sequenceNumber: 1 }],
      category: 'Forward',
    });
    expect(batches[2].entryDetails[0]).toMatchObject({ addenda98: { changeCode: 'C01' }, category: 'NOC' });
    expect(fileControl).toMatchObject({ batchCount: 3 });
    const adv = JSON.parse(readAch(Buffer.from(achFile(sampleBatches.ADV).text())).document);
    expect(Object.keys(adv.batches[0])).toEqual(['batchHeader', 'advEntryDetails', 'advBatchControl']);
    expect(adv.fileADVControl).toMatchObject({ totalDebit: 500 });
  });

  it.each(Object.entries(mutants))('is JSON, whatever is wrong: %s', (_, { of, change }) => {
    const changed = change(achFile(...of.map((name) => sampleBatches[name])));
    const bytes = Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1');
    expect(JSON.parse(readAch(bytes).document)).toHaveProperty('batches');
  });
});

it('totals of any size are exact', () => {
  const file = achFile(sampleBatches.ADV);
  const big = '99999999999999999999';
  file.set('advBatchControl', 'totalDebit', big).set('fileADVControl', 'totalDebit', big);
  const { document, findings, summary } = readAch(Buffer.from(file.text()));
  expect(JSON.parse(document).fileADVControl.totalDebit).toBe(big);
  expect(findings.map(({ message }) => message)).toEqual(Array.from({ length: 2 }, () => 'declared 999999999999999999.99, computed 5.00'));
  expect(summary.controlTotals).toMatchObject({
    declared: { totalDebit: '999999999999999999.99' },
    computed: { totalDebit: '5.00' },
    balanced: false,
  });
});

it('the receipt has amounts, totals and classes', () => {
  const { summary } = readAch(Buffer.from(achFile(sampleBatches.PPD, sampleBatches.WEB).text()));
  expect(summary).toEqual({
    records: { read: 4, rejected: 0 },
    amounts: { credit: { USD: '20.00' }, debit: { USD: '10.00' } },
    controlTotals: {
      declared: { batchCount: 2, blockCount: 2, entryAddendaCount: 6, entryHash: 92_552_040, totalDebit: '10.00', totalCredit: '20.00' },
      computed: { batchCount: 2, blockCount: 2, entryAddendaCount: 6, entryHash: 92_552_040, totalDebit: '10.00', totalCredit: '20.00' },
      balanced: true,
    },
    details: {
      batches: 2,
      secCodes: { PPD: 1, WEB: 1 },
      iatBatches: 0,
      advBatches: 0,
      returnBatches: 0,
      nocBatches: 0,
      dishonoredReturnBatches: 0,
      contestedReturnBatches: 0,
    },
  });
});
