import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../../test/support/public-data.ts';
import { packPage, settingRows } from '../../statements/pack-page.fixture.ts';
import { runPack } from '../../statements/pack-run.fixture.ts';
import { refusalOf, writeDocument } from '../../writing/pack-writing.fixture.ts';
import { lostValues, replacedPart } from '../../writing/replaced-part.fixture.ts';
import { account, detailOnly, fileOf, fileWith } from '../bai2-files.fixture.ts';
import { bai2Pack } from '../bai2-pack.ts';

const documentOf = (content: string | Uint8Array) => JSON.parse(runPack(bai2Pack, content).document);
const write = (document: unknown, options: Parameters<typeof writeDocument>[2] = {}): string =>
  writeDocument(bai2Pack, document, options).text;

const file = fileOf([[account, account], [account]]);

describe('a document that was parsed', () => {
  it('is written as the file that it comes from', () => {
    // Texts end with a slash, and lines are as long as the header allows.
    const ended = file
      .replaceAll('DEALER PAYMENTS\n', 'DEALER PAYMENTS/\n')
      .replaceAll('RECEIVABLES\n', 'RECEIVABLES/\n')
      .replaceAll('0/\n88,100,1500000,1,V,260620,,400', '0,100,1500000,1,V,260620,/\n88,400');
    expect(write(documentOf(file))).toBe(ended);
    expect(write(documentOf(ended), { lineEnd: 'CRLF' })).toBe(ended.replaceAll('\n', '\r\n'));
  });

  itWithPublicData('bai2', 'of a public file is written as a file with the same document', (folder) => {
    for (const { file: path } of expectedVerdicts<{ readonly file: string }>(folder)) {
      const document = documentOf(readFileSync(join(folder, path)));
      const { text } = writeDocument(bai2Pack, document, { recordCounts: 'computed' });
      const { findings } = runPack(bai2Pack, text);
      expect([path, findings]).toEqual([path, []]);
      expect(withoutLines(documentOf(text))).toEqual(withoutLines(document));
    }
  });
});

/** Lines may be broken in other places, which the numbers of records tell. */
function withoutLines(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document, (key, value) => (key === 'numberOfRecords' ? undefined : value)));
}

const small = () => ({
  fileHeader: {
    sender: '1',
    receiver: '2',
    fileCreatedDate: '260621',
    fileCreatedTime: '0200',
    fileIdNumber: '1',
    physicalRecordLength: 60,
  },
  groups: [
    {
      groupHeader: { originator: '1', groupStatus: 1, asOfDate: '260620' },
      accounts: [
        {
          accountNumber: '77',
          summaries: [
            { typeCode: '010', amount: '-500' },
            {
              typeCode: '100',
              amount: '1000',
              itemCount: 2,
              fundsType: {
                typeCode: 'D',
                distributions: [
                  { day: 0, amount: '400' },
                  { day: 1, amount: '600' },
                ],
              },
            },
          ],
          details: [{ typeCode: '165', amount: '1000', customerReferenceNumber: 'A/1', text: 'first \nsecond/\nlast' }],
        },
        { accountNumber: '78' },
      ],
    },
  ],
});

describe('a file', () => {
  it('has totals, counts, the version and continuations where the document has none', () => {
    const text = write(small());
    expect(text.split('\n')).toEqual([
      '01,1,2,260621,0200,1,60,,2/',
      '02,,1,1,260620,,,/',
      '03,77,,010,-500,,,100,1000,2,D,2,0,400,1,600/',
      '16,165,1000,,,A/1,first /',
      '88,second//',
      '88,last/',
      '49,1500,5/',
      '03,78,,,,,/',
      '49,0,2/',
      '98,1500,2,9/',
      '99,1500,1,11/',
      '',
    ]);
    expect(runPack(bai2Pack, text).findings).toEqual([]);
    expect(documentOf(text).groups[0].accounts[0].details[0].text).toBe('first \nsecond/\nlast');
    expect(write(documentOf(text))).toBe(text);
  });

  it('breaks lines at the declared length, between summaries where it can', () => {
    const document = small();
    document.fileHeader.physicalRecordLength = 30;
    expect(write(document).split('\n').slice(2, 5)).toEqual([
      '03,77,,010,-500,,/',
      '88,100,1000,2,D,2,0,400,1,600/',
      '16,165,1000,,,A/1,first /',
    ]);
  });

  it.each([
    [
      '/groups/0/accounts/0/trailer/accountControlTotal: declared 1, computed 1500 (rule account-control-total)',
      ['groups', 0, 'accounts', 0, 'trailer'],
      { accountControlTotal: '1' },
    ],
    [
      '/groups/0/accounts/0/trailer/numberOfRecords: declared 9, computed 5 (rule account-record-count)',
      ['groups', 0, 'accounts', 0, 'trailer'],
      { numberOfRecords: 9 },
    ],
    [
      '/groups/0/trailer/numberOfAccounts: declared 3, computed 2 (rule group-account-count)',
      ['groups', 0, 'trailer'],
      { numberOfAccounts: 3 },
    ],
    ['/fileTrailer/fileControlTotal: declared 7, computed 1500 (rule file-control-total)', ['fileTrailer'], { fileControlTotal: '+7' }],
    ['/groups/0/accounts/0/details/0/amount: ', ['groups', 0, 'accounts', 0, 'details', 0, 'amount'], '1.5'],
    [
      '/groups/0/accounts/0/details/0/fundsType/date: ',
      ['groups', 0, 'accounts', 0, 'details', 0, 'fundsType'],
      { typeCode: 'V', date: '261301' },
    ],
    ['/groups/0/accounts/0/summaries: ', ['groups', 0, 'accounts', 0, 'summaries', 0, 'amount'], 'x'],
    [
      '/groups/0/accounts/0/summaries/1/fundsType/distributionNumber: declared 3',
      ['groups', 0, 'accounts', 0, 'summaries', 1, 'fundsType', 'distributionNumber'],
      3,
    ],
    ['/groups/0/accounts/0/summaries/0/typeCode: a summary has a type code', ['groups', 0, 'accounts', 0, 'summaries', 0, 'typeCode'], ''],
    ['/groups/0/accounts/0/details/0: a field or a line', ['groups', 0, 'accounts', 0, 'details', 0, 'text'], 'x'.repeat(70)],
    ['/groups/0/accounts/0/details/0: a slash with a record code', ['groups', 0, 'accounts', 0, 'details', 0, 'text'], 'a/ 16,409,5'],
    [
      '/groups/0/accounts/0/details/0/bankReferenceNumber: a field does not hold',
      ['groups', 0, 'accounts', 0, 'details', 0, 'bankReferenceNumber'],
      'a,b',
    ],
    [
      '/groups/0/accounts/0/details/0/fundsType/typeCode: a funds type is',
      ['groups', 0, 'accounts', 0, 'details', 0, 'fundsType'],
      { typeCode: 's' },
    ],
    ['/fileHeader/sender: spaces around', ['fileHeader', 'sender'], ' 1'],
    ['/fileHeader/sender: a text is wanted, not a number', ['fileHeader', 'sender'], 1],
    ['/groups/0/extra: there is no such key here', ['groups', 0, 'extra'], null],
    ['/groups/0/accounts/0/details/0/text: ', ['groups', 0, 'accounts', 0, 'details', 0, 'text'], 7],
  ] as const)('is refused: %s', (message, way, part) => {
    const document = small();
    place(document, way, part);
    expect(refusalOf(bai2Pack, document)).toEqual(['E_BAI2_DOCUMENT', expect.stringContaining(message)]);
    expect(refusalOf(bai2Pack, document)![1].startsWith(message.split(':')[0]!)).toBe(true);
  });

  it('keeps wrong totals where the reader only warns of them, and says so', () => {
    const document = small();
    place(document, ['fileTrailer'], { fileControlTotal: '7' });
    const { text, written } = writeDocument(bai2Pack, document, { totals: 'warn' });
    expect(text).toContain('\n99,7,1,11/\n');
    expect(written.warnings).toMatchObject([{ rule: 'file-control-total' }]);
  });

  it('is refused where a part comes after what it is written before', () => {
    const { fileHeader, groups } = small();
    expect(refusalOf(bai2Pack, { groups, fileHeader })).toEqual(['E_BAI2_DOCUMENT', '/fileHeader: it has to come before the groups']);
    const { summaries, ...others } = groups[0]!.accounts[0] as { summaries: unknown };
    place({ groups }, ['groups', 0, 'accounts', 0], { ...others, summaries });
    expect(refusalOf(bai2Pack, { fileHeader, groups })).toEqual([
      'E_BAI2_DOCUMENT',
      '/groups/0/accounts/0/summaries: it comes after the details, before which it is written',
    ]);
  });

  it('tells the place of a finding far into it', () => {
    const document = small();
    const details = Array.from({ length: 30_000 }, () => ({ typeCode: '165', amount: '1', text: 'one of many' }));
    place(document, ['groups', 0, 'accounts', 0, 'details'], details);
    expect(writeDocument(bai2Pack, document).written.records).toBe(30_000);
    // Pieces of 64 KiB are read back: about here the first one ends, and the reader tells of its last record with the second.
    for (const index of [...Array.from({ length: 40 }, (_, each) => 2_600 + each), 29_500]) {
      const bad = details.slice(0, index + 10).map((detail, at) => (at === index ? { ...detail, amount: 'x' } : detail));
      place(document, ['groups', 0, 'accounts', 0, 'details'], bad);
      expect(refusalOf(bai2Pack, document)![1]).toMatch(new RegExp(`^/groups/0/accounts/0/details/${index}/amount: `));
    }
  });
});

function place(document: unknown, way: readonly (string | number)[], part: unknown): void {
  let at = document as Record<string | number, unknown>;
  for (const key of way.slice(0, -1)) at = (at[key] ??= {}) as Record<string | number, unknown>;
  at[way.at(-1)!] = part;
}

const amount = fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String);
const field = fc.string({ unit: fc.constantFrom(...'ABC 019-.é'), maxLength: 12 }).map((text) => text.trim());
const text = fc.string({ unit: fc.constantFrom(...'AB/ ,é\n16'), maxLength: 40 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const funds = (sum: string) =>
  fc.constantFrom(
    null,
    { typeCode: '0' },
    { typeCode: 'Z' },
    { typeCode: 'V', date: '260620', time: '2400' },
    { typeCode: 'S', immediateAmount: sum, oneDayAmount: null, twoDayAmount: '0' },
    {
      typeCode: 'D',
      distributions: [
        { day: 1, amount: sum },
        { day: 30, amount: '0' },
      ],
    },
  );
const detail = amount.chain((sum) =>
  fc.record({
    typeCode: fc.constantFrom('115', '165', '409', '475', '950'),
    amount: fc.constant(sum),
    fundsType: funds(sum),
    bankReferenceNumber: optional(field),
    customerReferenceNumber: optional(field.map((each) => (each === '' ? '/' : `${each}/`))),
    text: optional(text),
  }),
);
const summary = amount.chain((sum) =>
  fc.record({
    typeCode: fc.constantFrom('100', '190', '400'),
    amount: fc.constant(sum),
    itemCount: optional(fc.nat(99)),
    fundsType: funds(sum),
  }),
);
const accounts = fc.record({
  accountNumber: field.map((each) => `1${each}`.trim()),
  currencyCode: fc.constantFrom(null, 'USD', 'JPY'),
  summaries: fc.array(summary, { maxLength: 4 }),
  details: fc.array(detail, { maxLength: 4 }),
});
const anyFile = fc.record({
  fileHeader: fc.record({
    sender: fc.constant('1'),
    receiver: fc.constant('2'),
    fileCreatedDate: fc.constant('260621'),
    fileCreatedTime: fc.constant('0200'),
    fileIdNumber: fc.constant('1'),
    physicalRecordLength: fc.constantFrom(null, 60, 80, 200),
  }),
  groups: fc.array(
    fc.record({
      groupHeader: fc.record({ originator: fc.constant('1'), groupStatus: fc.constant(1), asOfDate: fc.constant('260620') }),
      accounts: fc.array(accounts, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

describe('any document', () => {
  it('is written without a finding, and its own document writes the same bytes', () => {
    fc.assert(
      fc.property(anyFile, fc.constantFrom('LF', 'CRLF'), (document, lineEnd) => {
        fc.pre(!/\/ +(?:16|11),/.test(JSON.stringify(document)));
        const written = write(document, { lineEnd });
        const { findings, document: read } = runPack(bai2Pack, written);
        expect(findings).toEqual([]);
        expect(write(JSON.parse(read), { lineEnd })).toBe(written);
        expect(texts(JSON.parse(read))).toEqual(texts(document));
      }),
      { numRuns: 100 },
    );
  });

  it('with anything in place of a part of it is refused with a code and a place, or is written as it is', () => {
    fc.assert(
      fc.property(anyFile, replacedPart, (document, replace) => {
        const changed = replace(document);
        const refusal = refusalOf(bai2Pack, changed);
        if (refusal === null) {
          const { errors, document: read } = runPack(bai2Pack, write(changed));
          expect(errors).toEqual([]);
          expect(lostValues(changed, JSON.parse(read))).toEqual([]);
        } else expect(refusal).toEqual(['E_BAI2_DOCUMENT', expect.stringMatching(/^(?:\/|the document: )/)]);
      }),
      { numRuns: 300 },
    );
  });
});

/** The texts of all details. */
function texts({
  groups,
}: {
  readonly groups: readonly { readonly accounts: readonly { readonly details: readonly { readonly text: string | null }[] }[] }[];
}): readonly string[] {
  return groups.flatMap((group) => group.accounts.flatMap(({ details }) => details.map((each) => each.text ?? '')));
}

it.each([
  ['a detail that ends before its text', '16,165,5,,BANK,CUSTOMER/'],
  ['a detail whose text is empty', '16,165,5,,BANK,CUSTOMER,/'],
])('%s is written as one that says the same', (_, detail) => {
  const document = documentOf(detailOnly(detail, 5));
  expect(document.groups[0].accounts[0].details).toEqual([
    { typeCode: '165', amount: '5', fundsType: null, bankReferenceNumber: 'BANK', customerReferenceNumber: 'CUSTOMER', text: null },
  ]);
  expect(documentOf(write(document))).toEqual(document);
});

it('a summary without its last fields is written as one that says the same', () => {
  const file = fileWith({ header: '03,1,USD,100,5,1/', details: [], total: 5 });
  const document = documentOf(file);
  expect(document.groups[0].accounts[0].summaries).toEqual([{ typeCode: '100', amount: '5', itemCount: 1, fundsType: null }]);
  expect(documentOf(write(document))).toEqual(document);
});

it('the text of a detail without others stays as it is', () => {
  const document = documentOf(detailOnly('16,165,5,,,,a, b/c ', 5));
  expect(documentOf(write(document)).groups[0].accounts[0].details[0].text).toBe('a, b/c');
});

it('a text may hold a slash and the number of a record behind it, where no record begins so', () => {
  const text = 'PAID 3/ 16, 2026, ROOM 2/ 03, 49/ 49, 99/ 98,1';
  const document = documentOf(detailOnly(`16,165,5,,,,${text}`, 5));
  expect(documentOf(write(document)).groups[0].accounts[0].details[0].text).toBe(text);
});

it('the documentation names the settings of the writer', () => {
  for (const row of settingRows({ ...bai2Pack, settings: bai2Pack.writer!.settings })) expect(packPage(bai2Pack)).toContain(row);
});
