import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AchFile, achFile, readAch } from '../ach-files.fixture.ts';
import { type SampleName, sampleBatches } from '../sample-batches.fixture.ts';
import { refusalOf } from '../writing/written-files.fixture.ts';
import { type MadeAch, makeAch } from './made-files.fixture.ts';

const mixedNames = (Object.keys(sampleBatches) as SampleName[]).filter((name) => !name.startsWith('ADV'));

function merge(files: readonly AchFile[], settings: Readonly<Record<string, number>> = {}, size?: number): MadeAch {
  const named = files.map((file, index) => ({ name: `${index}.ach`, bytes: Buffer.from(file.text()) }));
  return makeAch({ maker: 'merge', files: named, settings, ...(size === undefined ? {} : { size }) });
}

/** Records of entries and their addenda, sorted. */
function entryLines(bytes: Buffer): string[] {
  return bytes
    .toString()
    .split('\n')
    .filter((line) => /^[67]/.test(line))
    .sort();
}

const tracesOf = (bytes: Buffer): string[][] =>
  JSON.parse(readAch(bytes).document).batches.map((batch: { entryDetails: { traceNumber: string }[] }) =>
    batch.entryDetails.map(({ traceNumber }) => traceNumber.slice(8)),
  );

/** Two PPD batches and one of WEB, with trace numbers and a reference of its own. */
function numbered(reference: string, first: number): AchFile {
  const file = achFile(sampleBatches.PPD, sampleBatches.WEB).set('fileHeader', 'referenceCode', reference);
  for (let index = 0; index < 4; index++)
    file.set('entryDetail', 'traceNumber', `12104288${String(first + index).padStart(7, '0')}`, index);
  for (const [index, nth] of [1, 3].entries()) file.set('addenda05', 'entryDetailSequenceNumber', first + nth, index);
  return file;
}

describe('files that are put into one', () => {
  it('have entries of the same batch header in one batch, where their trace numbers ascend', () => {
    const { files, written } = merge([numbered('A', 1), numbered('B', 11)]);
    expect(files.length).toBe(1);
    expect(readAch(files[0]!).findings).toEqual([]);
    expect(tracesOf(files[0]!)).toEqual([
      ['0000001', '0000002', '0000003', '0000011', '0000012', '0000013'],
      ['0000004', '0000014'],
    ]);
    expect(written[0]).toMatchObject({ records: 8, details: { batches: 2, secCodes: { PPD: 1, WEB: 1 } } });
  });

  it('may have an origin with and without a zero before it', () => {
    const zero = numbered('B', 11).set('fileHeader', 'immediateOrigin', '0231380104');
    expect(readAch(merge([numbered('A', 1), zero]).files[0]!).summary.records.read).toBe(8);
  });

  it('have another batch for entries whose trace numbers do not ascend', () => {
    const { files } = merge([numbered('A', 5), numbered('B', 1)]);
    expect(tracesOf(files[0]!)).toEqual([['0000005', '0000006', '0000007'], ['0000008'], ['0000001', '0000002', '0000003'], ['0000004']]);
  });

  it('are read without a finding, have every entry as it was, and as much as all of them together', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.constantFrom(...mixedNames), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        fc.option(fc.integer({ min: 20, max: 60 }), { nil: undefined }),
        fc.option(fc.integer({ min: 10, max: 40 }), { nil: undefined }),
        fc.integer({ min: 1, max: 500 }),
        (lists, linesMax, amountMaxDollars, size) => {
          const files = lists.map((names, index) =>
            achFile(...names.map((name) => sampleBatches[name])).set('fileHeader', 'referenceCode', `REF${index}`),
          );
          const settings = {
            ...(linesMax === undefined ? {} : { linesMax }),
            ...(amountMaxDollars === undefined ? {} : { amountMaxDollars }),
          };
          const made = merge(files, settings, size);
          for (const [index, bytes] of made.files.entries()) {
            const { findings, summary } = readAch(bytes);
            expect(findings).toEqual([]);
            expect(made.written[index]).toMatchObject({ amounts: summary.amounts, controlTotals: summary.controlTotals.declared });
            expect(bytes.toString().split('\n').length - 1).toBeLessThanOrEqual(linesMax ?? Number.POSITIVE_INFINITY);
            for (const side of ['debit', 'credit'])
              expect(Number(summary.amounts[side]!['USD'])).toBeLessThanOrEqual(amountMaxDollars ?? Number.POSITIVE_INFINITY);
          }
          const before = files.flatMap((file) => entryLines(Buffer.from(file.text()))).sort();
          expect(made.files.flatMap(entryLines).sort()).toEqual(before);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are cut into files with modifiers of their own, and a batch only where it is more than one file holds', () => {
    const web = achFile(sampleBatches.WEB).set('fileHeader', 'referenceCode', 'WEB');
    const whole = merge([numbered('A', 1), web], { linesMax: 10 });
    const header = (bytes: Buffer) => bytes.toString().slice(33, 34);
    expect(whole.files.map((bytes) => [header(bytes), tracesOf(bytes)])).toEqual([
      ['A', [['0000001', '0000002', '0000003']]],
      ['B', [['0000004', '0001001']]],
    ]);
    const cut = merge([achFile(sampleBatches.IAT)], { linesMax: 20 });
    expect(cut.files.map((bytes) => [header(bytes), entryLines(bytes).length])).toEqual([
      ['A', 10],
      ['B', 8],
    ]);
  });

  it.each([
    [
      'E_NACHA_MERGE 1.ach, line 1, immediateOrigin: it is not that of the first file',
      [achFile(sampleBatches.PPD), achFile(sampleBatches.PPD).set('fileHeader', 'immediateOrigin', ' 121042882')],
    ],
    [
      'E_NACHA_MERGE 1.ach, line 1, immediateDestination: it is not that of the first file',
      [achFile(sampleBatches.PPD), achFile(sampleBatches.PPD).set('fileHeader', 'immediateDestination', ' 121042882')],
    ],
    ['E_NACHA_MERGE 1.ach, line 1: the file is the same as 0.ach', [achFile(sampleBatches.PPD), achFile(sampleBatches.PPD)]],
    [
      'E_NACHA_FIELD 0.ach, line 3, checkDigit: the check digit is 9, computed 4 (check-digit)',
      [achFile(sampleBatches.PPD).set('entryDetail', 'checkDigit', 9)],
    ],
    [
      'E_NACHA_STRUCTURE 1.ach, entry 1/standardEntryClassCode: the file has ADV batches and others (adv-mixed)',
      [achFile(sampleBatches.PPD), achFile(sampleBatches.ADV)],
    ],
  ])('%s', (message, files) => {
    expect(refusalOf(() => merge(files))).toBe(message);
  });

  it('are refused where one entry is more than a file may hold', () => {
    expect(refusalOf(() => merge([numbered('A', 1)], { amountMaxDollars: 9 }))).toBe(
      'E_NACHA_LIMIT 0.ach, entry 1: the entry alone is more than a file may hold',
    );
  });
});
