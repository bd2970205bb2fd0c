import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { achFile, readAch } from '../ach-files.fixture.ts';
import { nachaPack } from '../nacha-pack.ts';
import { type SampleName, sampleBatches } from '../sample-batches.fixture.ts';
import { refusalOf, writeAch } from './written-files.fixture.ts';

const fileHeader = {
  immediateDestination: '031300012',
  immediateOrigin: '121042882',
  fileCreationDate: '260816',
  immediateDestinationName: 'Federal Reserve Bank',
  immediateOriginName: 'My Bank Name',
};
const company = {
  companyName: 'Company',
  companyIdentification: '1234567890',
  standardEntryClassCode: 'PPD',
  companyEntryDescription: 'PAYROLL',
  effectiveEntryDate: '260817',
  ODFIIdentification: '12104288',
};
const entry = {
  transactionCode: 22,
  RDFIIdentification: '23138010',
  DFIAccountNumber: '12345678',
  amount: 1_050,
  individualName: 'Jane Doe',
};

type Record_ = Readonly<Record<string, unknown>>;

/** Names that a writer gives. */
const computedNames = new Set(
  'lineNumber checkDigit addendaRecordIndicator addendaRecords traceNumber sequenceNumber category batchNumber serviceClassCode typeCode entryDetailSequenceNumber'.split(
    ' ',
  ),
);

function withoutComputed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutComputed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (computedNames.has(name) ? [] : [[name, withoutComputed(each)]])),
  );
}

/** Entries of batches, each with the members of its header. */
function flatEntries(names: readonly SampleName[]): Record_[] {
  const { document } = readAch(Buffer.from(achFile(...names.map((name) => sampleBatches[name])).text()));
  const { batches } = withoutComputed(JSON.parse(document)) as { batches: Record_[] };
  return batches.flatMap((batch) => {
    const header = (batch['batchHeader'] ?? batch['IATBatchHeader']) as Record_;
    const entries = (batch['entryDetails'] ?? batch['IATEntryDetails'] ?? batch['advEntryDetails']) as Record_[];
    return entries.map((each) => ({ ...header, ...each }));
  });
}

const names = Object.keys(sampleBatches) as SampleName[];
const isAdv = (name: SampleName) => name.startsWith('ADV');

describe('a file that is built from entries', () => {
  it('has batches by what their headers say, in the order in which the first entry of each came', () => {
    const other = { ...company, companyIdentification: '9999999999', companyName: 'Other' };
    const entries = [
      { ...company, ...entry },
      { ...other, ...entry, transactionCode: 27, addenda05: [{ paymentRelatedInformation: 'Invoice 1' }] },
      { ...company, ...entry, transactionCode: 22, amount: 950 },
      { ...company, ...entry, effectiveEntryDate: '260818' },
      { ...other, ...entry, transactionCode: 22 },
    ];
    const { bytes, written } = writeAch({ fileHeader, entries });
    const { findings, document, summary } = readAch(bytes);
    expect(findings).toEqual([]);
    const { batches } = JSON.parse(document);
    const of = (index: number) => [
      batches[index].batchHeader.companyIdentification,
      batches[index].batchHeader.serviceClassCode,
      batches[index].batchHeader.batchNumber,
      batches[index].entryDetails.map(({ traceNumber, amount }: Record_) => `${traceNumber} ${amount}`),
    ];
    expect([of(0), of(1), of(2)]).toEqual([
      ['1234567890', 220, 1, ['121042880000001 1050', '121042880000003 950']],
      ['9999999999', 200, 2, ['121042880000002 1050', '121042880000005 1050']],
      ['1234567890', 220, 3, ['121042880000004 1050']],
    ]);
    expect(batches[1].entryDetails[0]).toMatchObject({
      addendaRecordIndicator: 1,
      addenda05: [{ sequenceNumber: 1, entryDetailSequenceNumber: 2 }],
    });
    expect(written).toEqual({
      records: 5,
      amounts: { credit: { USD: '41.00' }, debit: { USD: '10.50' } },
      controlTotals: summary.controlTotals.declared,
      details: { batches: 3, secCodes: { PPD: 3 } },
      warnings: [],
    });
  });

  it('is read without a finding, whatever classes its entries are of and in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
        fc.constantFrom('LF', 'CRLF', 'none'),
        fc.integer({ min: 1, max: 2_000 }),
        (wanted, order, lineEnd, size) => {
          const kind = wanted.filter((name) => isAdv(name) === isAdv(wanted[0]!));
          const entries = flatEntries(kind)
            .map((each, index) => [each, order[index % order.length]!] as const)
            .sort(([, one], [, other]) => one - other)
            .map(([each]) => each);
          const { bytes, written } = writeAch({ fileHeader, entries }, { lineEnd }, size);
          const { findings, summary } = readAch(bytes);
          expect(findings).toEqual([]);
          expect([summary.records.read, summary.controlTotals.balanced]).toEqual([entries.length, true]);
          expect([written.records, written.amounts, written.controlTotals]).toEqual([
            entries.length,
            summary.amounts,
            summary.controlTotals.declared,
          ]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is built from batches without any number that follows from others', () => {
    for (const name of names) {
      const text = achFile(sampleBatches[name]).text();
      const document = withoutComputed(JSON.parse(readAch(Buffer.from(text)).document)) as Record_;
      const { fileControl: _, fileADVControl: __, ...rest } = document;
      const batches = (rest['batches'] as Record_[]).map(({ batchControl: ___, advBatchControl: ____, ...batch }) => batch);
      expect(readAch(writeAch({ ...rest, batches }).bytes).findings).toEqual([]);
    }
  });

  const header = { ...company, serviceClassCode: 200 };
  it.each([
    ['E_NACHA_DOCUMENT the document: it is no object', []],
    ['E_NACHA_DOCUMENT /fileHeader: it is missing', {}],
    ['E_NACHA_DOCUMENT /fileHeader: it is missing, or not the first of the document', { batches: [] }],
    ['E_NACHA_DOCUMENT /batchs: a document has nothing of that name', { fileHeader, batchs: [] }],
    ['E_NACHA_DOCUMENT /lineEnd: it comes before batches and entries', { fileHeader, batches: [], lineEnd: 'LF' }],
    ['E_NACHA_DOCUMENT /lineEnd: it is none of LF, CRLF, CR, none', { fileHeader, lineEnd: 'lf' }],
    [
      'E_NACHA_DOCUMENT /batches/0/entryDetails: the header of its batch is missing, or not the first of it',
      { fileHeader, batches: [{ entryDetails: [] }] },
    ],
    [
      'E_NACHA_DOCUMENT /batches/0/IATEntryDetails: the entries of such a batch are entryDetails',
      { fileHeader, batches: [{ batchHeader: header, IATEntryDetails: [] }] },
    ],
    ['E_NACHA_DOCUMENT /fileHeader/origin: fileHeader has no field of that name', { fileHeader: { ...fileHeader, origin: 'x' } }],
    [
      'E_NACHA_DOCUMENT /fileHeader/immediateOriginName: it has 24 characters, its field 23 columns',
      { fileHeader: { ...fileHeader, immediateOriginName: 'x'.repeat(24) } },
    ],
    [
      'E_NACHA_DOCUMENT /fileHeader/immediateOriginName: a character is not allowed',
      { fileHeader: { ...fileHeader, immediateOriginName: 'a\nb' } },
    ],
    ['E_NACHA_DOCUMENT /entries/0/amount: it is missing', { fileHeader, entries: [{ ...company, ...entry, amount: undefined }] }],
    [
      'E_NACHA_DOCUMENT /entries/0/amount: it is no whole number from zero',
      { fileHeader, entries: [{ ...company, ...entry, amount: 10.5 }] },
    ],
    [
      'E_NACHA_DOCUMENT /entries/0/amount: it has 11 characters, its field 10 columns',
      { fileHeader, entries: [{ ...company, ...entry, amount: 10_000_000_000 }] },
    ],
    [
      'E_NACHA_DOCUMENT /entries/0/RDFIIdentification: it has 9 characters, its field 8 columns',
      { fileHeader, entries: [{ ...company, ...entry, RDFIIdentification: '231380104' }] },
    ],
    [
      'E_NACHA_DOCUMENT /entries/0/batchNumber: an entry that is to be put into a batch has nothing of that name',
      { fileHeader, entries: [{ ...company, ...entry, batchNumber: 1 }] },
    ],
    ['E_NACHA_DOCUMENT /entries/0/standardEntryClassCode: it is missing', { fileHeader, entries: [entry] }],
    [
      'E_NACHA_DOCUMENT /entries/0/category: by its addenda the entry is of category Forward',
      { fileHeader, entries: [{ ...company, ...entry, category: 'NOC' }] },
    ],
    [
      'E_NACHA_DOCUMENT /entries/0/addenda99: by its code it is one of addenda99Dishonored',
      { fileHeader, entries: [{ ...company, ...entry, addenda99: { returnCode: 'R68' } }] },
    ],
    [
      'E_NACHA_FIELD /entries/1/checkDigit: the check digit is 9, computed 4 (check-digit)',
      {
        fileHeader,
        entries: [
          { ...company, ...entry },
          { ...company, ...entry, checkDigit: 9 },
        ],
      },
    ],
    [
      'E_NACHA_ENTRY /entries/1/amount: the amount is zero (amount-zero)',
      {
        fileHeader,
        entries: [
          { ...company, ...entry },
          { ...company, ...entry, amount: 0 },
          { ...company, ...entry },
        ],
      },
    ],
    [
      'E_NACHA_ENTRY /entries/0/transactionCode: transaction code 22 does not fit service class 225 (transaction-code-service-class)',
      { fileHeader, entries: [{ ...company, ...entry, serviceClassCode: 225 }] },
    ],
    [
      'E_NACHA_COMPUTED /batches/0/batchControl/entryAddendaCount: it is 2, computed 1',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [entry], batchControl: { entryAddendaCount: 2 } }] },
    ],
    [
      'E_NACHA_COMPUTED /fileControl/blockCount: it is 2, computed 1',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [entry] }], fileControl: { blockCount: 2 } },
    ],
    [
      'E_NACHA_DOCUMENT /fileADVControl: the control of such a file is fileControl',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [entry] }], fileADVControl: {} },
    ],
    [
      'E_NACHA_DOCUMENT /batches/0/entryDetails/0/written/amount: it is not how amount is written: change both, or take it out',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [{ ...entry, written: { amount: '      1051' } }] }] },
    ],
    [
      'E_NACHA_DOCUMENT /batches/0/entryDetails/0/before: it has more than line ends, spaces and filler',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [{ ...entry, before: '\n6\n' }] }] },
    ],
    [
      'E_NACHA_DOCUMENT /batches/0/entryDetails/0/columns: the record has characters behind these columns',
      { fileHeader, batches: [{ batchHeader: header, entryDetails: [{ ...entry, columns: 80 }] }] },
    ],
    ['E_DOCUMENT_JSON /fileHeader: what stands there is no JSON, at byte 14', '{"fileHeader":{"x":}}'],
  ])('%s', (message, document) => {
    expect(refusalOf(() => writeAch(document))).toBe(message);
  });

  it.each(['LF', 'CR', 'none'])('is refused with the place of the entry, however lines end: %s', (lineEnd) => {
    const batchOf = (zero: number) => ({
      batchHeader: company,
      entryDetails: [0, 1, 2, 3].map((index) => ({
        ...entry,
        amount: index === zero ? 0 : 1,
        addenda05: [{ paymentRelatedInformation: 'Invoice' }],
      })),
    });
    for (const zero of [0, 1, 2, 3])
      expect(refusalOf(() => writeAch({ fileHeader, batches: [batchOf(9), batchOf(zero), batchOf(9)] }, { lineEnd }))).toBe(
        `E_NACHA_ENTRY /batches/1/entryDetails/${zero}/amount: the amount is zero (amount-zero)`,
      );
    const addenda05 = [{ paymentRelatedInformation: 'a' }, { paymentRelatedInformation: 'b', sequenceNumber: 0 }];
    const trade = { ...company, standardEntryClassCode: 'CTX', serviceClassCode: 220 };
    const document = {
      fileHeader,
      batches: [{ batchHeader: trade, entryDetails: [{ ...entry, individualName: '0002Company', addenda05 }] }],
    };
    expect(refusalOf(() => writeAch(document, { lineEnd }))).toBe(
      'E_NACHA_FIELD /batches/0/entryDetails/0/addenda05/1/sequenceNumber: a mandatory field is blank or zero (field-blank)',
    );
  });

  it('is written while its document is read', () => {
    let bytes = 0;
    const writer = nachaPack.writer!.createDocumentWriter(new Map(), { bytes: (piece) => void (bytes += piece.length) });
    writer.push(
      Buffer.from(`{"fileHeader":${JSON.stringify(fileHeader)},"batches":[{"batchHeader":${JSON.stringify(company)},"entryDetails":[`),
    );
    for (let index = 0; index < 10_000; index++) writer.push(Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(entry)}`));
    expect(bytes).toBeGreaterThan(10_000 * 95 - 2 * 65_536);
    writer.push(Buffer.from(']}]}'));
    expect([writer.end().records, bytes % 950]).toEqual([10_000, 0]);
  });

  it('has the last ten digits of what its routing numbers come to', () => {
    const entries = Array.from({ length: 202 }, (_, index) => ({
      ...company,
      ...entry,
      RDFIIdentification: '99999999',
      companyName: `Company ${index % 2}`,
    }));
    const { bytes, written } = writeAch({ fileHeader, entries });
    expect([readAch(bytes).findings, written.controlTotals['entryHash']]).toEqual([[], 202 * 99_999_999 - 20_000_000_000]);
    const batch = { batchHeader: company, entryDetails: Array.from({ length: 101 }, () => ({ ...entry, RDFIIdentification: '99999999' })) };
    expect(writeAch({ fileHeader, batches: [batch] }).written.controlTotals['entryHash']).toBe(101 * 99_999_999 - 10_000_000_000);
  });

  it('is refused where its totals do not fit', () => {
    const entries = Array.from({ length: 101 }, () => ({ ...company, ...entry, amount: 9_999_999_999 }));
    expect(readAch(writeAch({ fileHeader, entries: entries.slice(0, 100) }).bytes).findings).toEqual([]);
    expect(refusalOf(() => writeAch({ fileHeader, entries }))).toBe(
      'E_NACHA_LIMIT /entries/0/totalCredit: 1009999999899 does not fit its 12 columns',
    );
  });
});
