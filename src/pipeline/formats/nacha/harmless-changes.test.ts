import { expect, it } from 'vitest';
import { type AchFile, achFile, readAch } from './ach-files.fixture.ts';
import { addenda } from './addenda-layouts.ts';
import { withAddenda05 } from './mutant-making.fixture.ts';
import * as records from './record-layouts.ts';
import { international, type SampleName, sampleBatches } from './sample-batches.fixture.ts';

const reversal = (serviceClass: number, code: number) => (file: AchFile) =>
  file
    .set('batchHeader', 'companyEntryDescription', 'REVERSAL')
    .set('batchHeader', 'serviceClassCode', serviceClass)
    .set('batchControl', 'serviceClassCode', serviceClass)
    .set('entryDetail', 'transactionCode', code)
    .total();

/** Changes that no reader minds, and that keep the totals right: none of them may refuse a file or add a finding. */
const changes: readonly (readonly [name: string, of: readonly SampleName[], change: (file: AchFile) => AchFile | string])[] = [
  ['another letter in a name', ['PPD'], (file) => file.set('entryDetail', 'individualName', "O'Brien-Smith & Co. #1")],
  ['a lower-case company name', ['PPD'], (file) => file.set('batchHeader', 'companyName', 'company ltd')],
  ['a name that begins with a space', ['PPD'], (file) => file.set('entryDetail', 'individualName', ' Jane Doe')],
  ['another amount with all totals', ['PPD'], (file) => file.set('entryDetail', 'amount', 9_999_999_999).total()],
  ['the largest amounts of ADV', ['ADV'], (file) => file.set('advEntryDetail', 'amount', 999_999_999_999).total()],
  ['another account', ['PPD'], (file) => file.set('entryDetail', 'DFIAccountNumber', '744-5678-99 AB/1')],
  ['another receiver', ['PPD'], (file) => file.set('entryDetail', 'RDFIIdentification', '12104288').put('entryDetail', 11, '2').total()],
  [
    'an entry hash of more than ten digits',
    ['PPD'],
    (file) => {
      for (let sequence = 500; sequence > 0; sequence--)
        file.insert(file.index('batchControl'), records.entryDetail, {
          transactionCode: 32,
          RDFIIdentification: '23138010',
          checkDigit: '4',
          DFIAccountNumber: '1',
          amount: 100,
          individualName: 'Jane Doe',
          traceNumber: `12104288${9_000_000 + 500 - sequence}`,
        });
      return file.total();
    },
  ],
  ['trace numbers with gaps', ['PPD'], (file) => file.set('entryDetail', 'traceNumber', '121042889999999', 2)],
  [
    'batch numbers with gaps',
    ['PPD', 'CCD'],
    (file) => file.set('batchHeader', 'batchNumber', 90, 1).set('batchControl', 'batchNumber', 90, 1),
  ],
  ['a settlement date', ['PPD'], (file) => file.set('batchHeader', 'settlementDate', '229')],
  ['no effective entry date', ['PPD'], (file) => file.set('batchHeader', 'effectiveEntryDate', '')],
  ['a leap day', ['PPD'], (file) => file.set('batchHeader', 'effectiveEntryDate', '280229')],
  ['no file creation time', ['PPD'], (file) => file.set('fileHeader', 'fileCreationTime', '')],
  ['another file ID modifier', ['PPD'], (file) => file.set('fileHeader', 'fileIDModifier', '7')],
  ['a reference code', ['PPD'], (file) => file.set('fileHeader', 'referenceCode', 'REF 0001')],
  ['an origin that is no routing number', ['PPD'], (file) => file.set('fileHeader', 'immediateOrigin', '1234567890')],
  ['an origin with a leading zero', ['PPD'], (file) => file.set('fileHeader', 'immediateOrigin', '0231380104')],
  [
    'a company identification in the control that is justified right',
    ['PPD'],
    (file) => file.set('batchHeader', 'companyIdentification', '123456789').set('batchControl', 'companyIdentification', ' 123456789'),
  ],
  ['a message authentication code', ['PPD'], (file) => file.set('batchControl', 'messageAuthentication', '0A1B2C3D')],
  ['descriptions and dates as text', ['PPD'], (file) => file.set('batchHeader', 'companyDescriptiveDate', 'SD1300')],
  ['discretionary data', ['PPD'], (file) => file.set('entryDetail', 'discretionaryData', 'A1')],
  [
    'savings, ledger and loan accounts',
    ['PPD'],
    (file) =>
      file
        .set('entryDetail', 'transactionCode', 37)
        .set('entryDetail', 'transactionCode', 52, 1)
        .set('entryDetail', 'transactionCode', 48, 2)
        .total(),
  ],
  [
    'a loan that is debited to reverse a credit',
    ['PPD'],
    (file) => file.set('batchHeader', 'companyEntryDescription', 'REVERSAL').set('entryDetail', 'transactionCode', 55).total(),
  ],
  [
    'prenotes by their description',
    ['PPD'],
    (file) => file.set('batchHeader', 'companyEntryDescription', 'Prenote').set('entryDetail', 'amount', 0).total(),
  ],
  ['a description of prenotes with amounts', ['PPD'], (file) => file.set('batchHeader', 'companyEntryDescription', 'Prenote')],
  [
    'a reversal of a TEL entry',
    ['TEL'],
    (file) =>
      file
        .set('batchHeader', 'companyEntryDescription', 'REVERSAL')
        .set('batchHeader', 'serviceClassCode', 200)
        .set('batchControl', 'serviceClassCode', 200)
        .set('entryDetail', 'transactionCode', 22)
        .total(),
  ],
  ...(['ARC', 'BOC', 'POP', 'RCK', 'TEL', 'TRC', 'TRX', 'XCK'] as const).map(
    (name) => [`a reversal of ${name} entries in a batch of credits`, [name], reversal(220, 22)] as const,
  ),
  ['a reversal of CIE entries in a batch of debits', ['CIE'], reversal(225, 27)],
  [
    'a trace number whose sequence is zero',
    ['WEB'],
    (file) => file.set('entryDetail', 'traceNumber', '121042880000000').set('addenda05', 'entryDetailSequenceNumber', 0),
  ],
  [
    'a CTX return with the number of addenda of its entry',
    ['CTX'],
    (file) => {
      file.remove('addenda05', 1).remove('addenda05');
      return file
        .insert(3, addenda.addenda99, { returnCode: 'R01', originalTrace: '1', originalDFI: '1', traceNumber: '121042880001001' })
        .set('entryDetail', 'transactionCode', 26)
        .total();
    },
  ],
  [
    'addenda of the entry in a notification of IAT',
    ['IAT changed'],
    (file) => {
      for (const [name, values] of [...international].reverse())
        file.insert(3, addenda[name], { ...values, entryDetailSequenceNumber: 1_001 });
      return file.set('IATEntryDetail', 'addendaRecords', 8).total();
    },
  ],
  ['a returned prenote', ['PPD returned'], (file) => file.set('addenda99', 'addendaInformation', 'NO ACCOUNT')],
  ['addenda of the entry in a dishonored return', ['PPD dishonored'], withAddenda05],
  ['addenda of the entry in a contested return', ['PPD contested'], withAddenda05],
  ['C08, an incorrect identification of a foreign bank', ['IAT changed'], (file) => file.set('addenda98', 'changeCode', 'C08')],
  ['C14, an incorrect class of entries', ['COR'], (file) => file.set('addenda98', 'changeCode', 'C14')],
  [
    'a credit in SHR',
    ['SHR'],
    (file) =>
      file
        .set('batchHeader', 'serviceClassCode', 220)
        .set('batchControl', 'serviceClassCode', 220)
        .set('entryDetail', 'transactionCode', 22)
        .total(),
  ],
  [
    'SHR entries of both sides',
    ['SHR'],
    (file) => file.set('batchHeader', 'serviceClassCode', 200).set('batchControl', 'serviceClassCode', 200),
  ],
  ['a date of death', ['PPD returned'], (file) => file.set('addenda99', 'returnCode', 'R15').set('addenda99', 'dateOfDeath', '260801')],
  ['addenda 18 that are numbered on from addenda 17', ['IAT'], (file) => file.set('addenda18', 'sequenceNumber', 2)],
  [
    'a prenote and a zero-dollar entry in IAT',
    ['IAT'],
    (file) =>
      file
        .set('IATEntryDetail', 'transactionCode', 28)
        .set('IATEntryDetail', 'amount', 0)
        .set('IATEntryDetail', 'transactionCode', 29, 1)
        .set('IATEntryDetail', 'amount', 0, 1)
        .total(),
  ],
  ['a blank foreign amount', ['IAT'], (file) => file.put('addenda10', 6, ' '.repeat(18))],
  ['no indicator of an exchange reference', ['IAT'], (file) => file.set('IATBatchHeader', 'foreignExchangeReferenceIndicator', '0')],
  ['originator status 0 in IAT', ['IAT'], (file) => file.set('IATBatchHeader', 'originatorStatusCode', 0)],
  ['a type code of lower case', ['IAT'], (file) => file.set('addenda10', 'transactionTypeCode', 'bus')],
  ['a territory', ['POS'], (file) => file.set('addenda02', 'terminalState', 'PR')],
  ['lines that end with CR LF', ['PPD'], (file) => file.text('\r\n')],
  ['no line break after the last line', ['PPD'], (file) => file.text().trimEnd()],
  ['no line breaks at all', ['PPD'], (file) => file.text('')],
  ['no line breaks but the last', ['PPD'], (file) => `${file.text('')}\r\n`],
  ['a domestic batch after one of IAT', ['PPD', 'IAT', 'CCD'], (file) => file],
];

it.each(changes)('%s', (_, of, change) => {
  const changed = change(achFile(...of.map((name) => sampleBatches[name])));
  const { findings, summary } = readAch(Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1'));
  expect(findings).toEqual([]);
  expect(summary.controlTotals.balanced).toBe(true);
});

it('every class of entries in one file', () => {
  const batches = Object.values(sampleBatches).filter(({ sec }) => sec !== 'ADV');
  const { findings, summary } = readAch(Buffer.from(achFile(...batches).text()));
  expect(findings).toEqual([]);
  expect(summary.details).toMatchObject({ batches: batches.length, iatBatches: 4, returnBatches: 2, nocBatches: 4 });
  expect(summary.details).toMatchObject({ dishonoredReturnBatches: 1, contestedReturnBatches: 1, advBatches: 0 });
});

it('letters of Latin-1 in UTF-8 count as one column', () => {
  const file = achFile(sampleBatches.PPD).set('entryDetail', 'individualName', 'Renée Müller');
  const { findings } = readAch(Buffer.from(file.text(), 'utf8'));
  expect(findings.map(({ rule, columns, offset }) => ({ rule, columns, offset }))).toEqual([
    { rule: 'character-extended', columns: [58, 59], offset: 2 * 95 + 57 },
  ]);
  expect(readAch(Buffer.from(file.text(), 'utf8'), { extendedCharacters: 'accept' }).findings).toEqual([]);
});

it('a trace number with a space at its end is that of its bank', () => {
  const file = achFile(sampleBatches.PPD).set('entryDetail', 'traceNumber', '12104288000002 ');
  const { findings } = readAch(Buffer.from(file.text()));
  expect(findings.map(({ rule, field }) => ({ rule, field }))).toEqual([{ rule: 'number-fill', field: 'traceNumber' }]);
});

it('R62 dishonors a return, and R77 contests that', () => {
  const dishonored = achFile(sampleBatches['PPD dishonored']).set('addenda99Dishonored', 'dishonoredReturnReasonCode', 'R62');
  const contested = achFile(sampleBatches['PPD contested']).set('addenda99Contested', 'contestedReturnCode', 'R77');
  const detailsOf = (file: AchFile) => readAch(Buffer.from(file.text())).summary.details;
  expect(detailsOf(dishonored)).toMatchObject({ dishonoredReturnBatches: 1, returnBatches: 0 });
  expect(detailsOf(contested)).toMatchObject({ contestedReturnBatches: 1, returnBatches: 0 });
});

it('a file creation time that is none is warned of', () => {
  const file = achFile(sampleBatches.PPD).set('fileHeader', 'fileCreationTime', '2460');
  expect(readAch(Buffer.from(file.text())).findings).toMatchObject([{ rule: 'file-creation-time', severity: 'warn' }]);
});
