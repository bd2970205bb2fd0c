import fc from 'fast-check';
import { expect, it } from 'vitest';
import { convert, linesOf, packFlow } from '../../../test/support/pack-flows.ts';
import { achFile, readAch } from '../formats/nacha/ach-files.fixture.ts';
import { type SampleName, sampleBatches } from '../formats/nacha/sample-batches.fixture.ts';
import { type ReturnNumbers, returnFilePieces, traceSequences } from './ach-returns.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import type { Receipt } from './receipt.ts';

const plan = packFlow('{ type: nacha }');
const settings = (plan.format as Extract<typeof plan.format, { type: 'json-lines' }>).pack!.settings;
const names = Object.keys(sampleBatches) as SampleName[];
const receipt = {
  job: { verdict: 'partial' },
  times: { closedAt: '2026-03-02T10:00:00.000Z' },
  file: { container: { name: 'in.ach', sha256: '', bytes: 0 } },
} as unknown as Receipt;

interface Answer {
  readonly pieces: readonly Uint8Array[];
  readonly entries: readonly Record<string, unknown>[];
  readonly modifier: unknown;
}

/** `rejected`: code by record number. */
async function returnsOf(bytes: Buffer, rejected: ReadonlyMap<number, string>, numbers: ReturnNumbers | null = null): Promise<Answer> {
  const converted = await convert(plan, bytes);
  const texts = converted.lines.toString('utf8').split('\n').slice(0, -1);
  const findings = [...rejected].map(
    ([record, code]): AcknowledgedFinding => ({ record, code, field: null, rule: null, message: `ümlaut ${'x'.repeat(60)}` }),
  );
  const parts = { receipt, findings: () => findings, lines: () => texts, original: () => [bytes], settings, numbers };
  const pieces = [...returnFilePieces(parts)];
  const read = readAch(Buffer.concat(pieces));
  // That the entry which was returned was a prenote, or of zero dollars, a reader can't know.
  expect(read.findings.filter(({ severity, rule }) => severity === 'error' && rule !== 'amount-zero-return')).toEqual([]);
  const { fileHeader, batches } = JSON.parse(read.document) as {
    fileHeader: Record<string, unknown>;
    batches: Record<string, Record<string, unknown>[]>[];
  };
  return {
    pieces,
    modifier: fileHeader['fileIDModifier'],
    entries: batches.flatMap((batch) => batch['entryDetails'] ?? batch['IATEntryDetails'] ?? []),
  };
}

const fileOf = (of: readonly SampleName[]) => Buffer.from(achFile(...of.map((name) => sampleBatches[name])).text(), 'latin1');

async function forwardRecords(bytes: Buffer) {
  const lines = linesOf(await convert(plan, bytes)).filter(({ record }) => record === 'record');
  const count = (trace: unknown) => lines.filter(({ traceNumber }) => traceNumber === trace).length;
  return lines.flatMap((line, index) =>
    line['category'] === 'Forward' && line['standardEntryClassCode'] !== 'ADV' && count(line['traceNumber']) === 1
      ? [{ number: index + 1, trace: String(line['traceNumber']), amount: String(line['amount']) }]
      : [],
  );
}

it('returns of any file each rejected entry once that is a forward one, with its amount, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...names.filter((name) => !name.startsWith('ADV'))), { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.constantFrom('R01', 'R02', 'R14', 'E_NACHA_FIELD', 'LIMIT')),
      fc.infiniteStream(fc.boolean()),
      async (of, codes, choices) => {
        const bytes = fileOf(of);
        const { length } = linesOf(await convert(plan, bytes)).filter(({ record }) => record === 'record');
        const numbers = Array.from({ length }, (_, index) => index + 1).filter(() => choices.next().value);
        const rejected = new Map(numbers.map((number) => [number, codes.next().value]));
        const expected = (await forwardRecords(bytes)).filter(({ number }) => rejected.has(number));
        fc.pre(expected.length > 0);
        const { entries } = await returnsOf(bytes, rejected);
        expect(
          entries
            .map(({ addenda99, amount }) => [(addenda99 as { originalTrace: string }).originalTrace, (Number(amount) / 100).toFixed(2)])
            .sort(),
        ).toEqual(expected.map(({ trace, amount }) => [trace, Number(amount).toFixed(2)]).sort());
      },
    ),
    { numRuns: 150 },
  );
});

it.each([
  ['advices', ['ADV']],
  ['returns', ['PPD returned']],
  ['notifications of change', ['COR']],
] as const)('answers nothing where only %s are rejected', async (_, of) => {
  const bytes = fileOf(of);
  await expect(returnsOf(bytes, new Map([[1, 'R01']]))).rejects.toThrow(expect.objectContaining({ code: 'E_NACHA_ANSWER' }));
});

it('returns none of two entries with one trace number, whichever of them is rejected', async () => {
  const file = achFile(sampleBatches.PPD, sampleBatches.WEB);
  const trace = file.get(file.index('entryDetail', 0), 'traceNumber');
  file.set('entryDetail', 'traceNumber', trace, 3);
  const bytes = Buffer.from(file.text(), 'latin1');
  for (const number of [1, 4]) {
    const { entries } = await returnsOf(
      bytes,
      new Map([
        [2, 'R01'],
        [number, 'R01'],
      ]),
    );
    expect(entries).toHaveLength(1);
  }
});

it('gives others their turn while it looks through many entries, and holds none of them but those that it returns', async () => {
  const [entry] = sampleBatches.ARC.entries;
  const bytes = Buffer.from(achFile({ ...sampleBatches.ARC, entries: Array.from({ length: 20_000 }, () => entry) }).text(), 'latin1');
  const { pieces, entries } = await returnsOf(bytes, new Map([[20_000, 'R01']]));
  expect(entries).toHaveLength(1);
  expect(pieces.filter(({ length }) => length === 0).length).toBeGreaterThanOrEqual(8);
});

it.each([
  [null, 'A', [1, 2]],
  [{ file: 2, firstEntry: 3 }, 'B', [3, 4]],
  [{ file: 27, firstEntry: traceSequences - 1 }, '0', [traceSequences - 1, traceSequences]],
  [{ file: 37, firstEntry: traceSequences + 1 }, 'A', [1, 2]],
] as const)('tells its file and its entries apart from others of the flow: %j', async (numbers, modifier, sequences) => {
  const answer = await returnsOf(
    fileOf(['PPD', 'WEB']),
    new Map([
      [1, 'R02'],
      [2, 'R03'],
    ]),
    numbers,
  );
  expect(answer.modifier).toBe(modifier);
  expect(answer.entries.map(({ traceNumber }) => String(traceNumber).slice(-7))).toEqual(
    sequences.map((sequence) => String(sequence).padStart(7, '0')),
  );
});

it('returns no entry whose side, amount or bank nobody can read, and leaves out characters that no record has', async () => {
  const file = achFile(...Array.from({ length: 3 }, () => sampleBatches.PPD));
  const bytes = Buffer.from(
    file
      .set('entryDetail', 'transactionCode', 25, 0)
      .set('entryDetail', 'individualName', 'JOS\u00e9 DOE', 1)
      .set('entryDetail', 'DFIAccountNumber', '12\t34\u00015', 2)
      .set('entryDetail', 'RDFIIdentification', '2313801X', 3)
      .set('entryDetail', 'amount', '00000A0000', 4)
      .text(),
    'latin1',
  );
  const { entries } = await returnsOf(bytes, new Map(Array.from({ length: 9 }, (_, index) => [index + 1, 'E_NACHA_FIELD'])));
  const trace = (index: number) => file.get(file.index('entryDetail', index), 'traceNumber');
  expect(entries.map(({ addenda99 }) => (addenda99 as { originalTrace: string }).originalTrace)).toEqual([1, 2, 5, 6, 7, 8].map(trace));
  expect(entries[1]).toMatchObject({ DFIAccountNumber: expect.stringMatching(/^12 34 5 *$/) });
  expect(entries[0]).toMatchObject({ individualName: expect.stringMatching(/^JOS {2}DOE *$/) });
});

it('returns an entry with letters of Latin-1 as it is', async () => {
  const bytes = Buffer.from(achFile(sampleBatches.PPD).set('entryDetail', 'individualName', 'JOS\u00e9 DOE', 0).text(), 'utf8');
  const { entries } = await returnsOf(bytes, new Map([[1, 'R02']]));
  expect(entries).toMatchObject([{ individualName: expect.stringMatching(/^JOS\u00e9 DOE *$/) }]);
});

const rejectAll = new Map(Array.from({ length: 9 }, (_, index) => [index + 1, 'R02']));

it('tells the amount of an IAT entry in its return, before the information', async () => {
  const { entries } = await returnsOf(fileOf(['IAT']), new Map([[1, 'R02']]));
  const [{ amount, addenda99 }] = entries as [{ amount: number; addenda99: { addendaInformation: string } }];
  expect(addenda99.addendaInformation).toBe(`${String(amount).padStart(10, '0')}mlaut ${'x'.repeat(28)}`);
});

it('leaves out characters that no record has in the headers of a file and of its batches', async () => {
  const file = achFile(sampleBatches.PPD)
    .set('fileHeader', 'immediateOriginName', 'BANK\u0001\u00e9')
    .set('batchHeader', 'companyName', 'AC\tME\u00e9');
  const { entries } = await returnsOf(Buffer.from(file.text(), 'latin1'), rejectAll);
  expect(entries).toHaveLength(3);
});

it.each([
  ['names no bank', 'ODFIIdentification', '1210428X'],
  ['has a class that the Rules do not have', 'standardEntryClassCode', 'XXX'],
] as const)('returns no entry of a batch whose header %s', async (_, field, value) => {
  const file = achFile(sampleBatches.PPD, sampleBatches.WEB).set('batchHeader', field, value, 0);
  const { entries } = await returnsOf(Buffer.from(file.text(), 'latin1'), rejectAll);
  const traces = entries.map(({ addenda99 }) => (addenda99 as { originalTrace: string }).originalTrace);
  expect(traces).toEqual([3].map((index) => file.get(file.index('entryDetail', index), 'traceNumber')));
});

it.each(['COR', 'IAT changed'] as const)('returns no notification of change whose addenda record can not be read: %s', async (name) => {
  const file = achFile(sampleBatches[name], sampleBatches.PPD).put('addenda98', 1, '96');
  const { entries } = await returnsOf(Buffer.from(file.text(), 'latin1'), rejectAll);
  expect(entries.map(({ transactionCode }) => transactionCode)).toEqual([26, 21, 36]);
});

it('returns no entry with the transaction code of an advice', async () => {
  const file = achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 82, 0);
  const { entries } = await returnsOf(Buffer.from(file.text(), 'latin1'), rejectAll);
  expect(entries.map(({ transactionCode }) => transactionCode)).toEqual([21, 36]);
});

it.each(['220', '225', '999'])('returns entries of both sides of a batch of service class %s in batches that they fit', async (code) => {
  const file = achFile(sampleBatches.PPD).set('batchHeader', 'serviceClassCode', code);
  const { entries } = await returnsOf(Buffer.from(file.text(), 'latin1'), rejectAll);
  expect(entries.map(({ transactionCode }) => transactionCode).sort()).toEqual([21, 26, 36]);
});

it.each([
  ['a mandatory field that is blank', 'E_NACHA_FIELD', 'field-blank', 'R26'],
  ['a rule of the author that is named like one of the pack', 'LIMIT', 'amount-limit', 'R17'],
])('has the code of %s', async (_, code, rule, returned) => {
  const bytes = fileOf(['PPD']);
  const finding: AcknowledgedFinding = { record: 1, code, field: null, rule, message: 'why it is' };
  const { lines } = await convert(plan, bytes);
  const texts = lines.toString('utf8').split('\n').slice(0, -1);
  const pieces = [
    ...returnFilePieces({ receipt, findings: () => [finding], lines: () => texts, original: () => [bytes], settings, numbers: null }),
  ];
  expect(Buffer.concat(pieces).toString('latin1')).toContain(`\n799${returned}`);
});
