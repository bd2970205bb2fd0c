import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../test/support/public-data.ts';

const program = join(import.meta.dirname, '../../../bin/headgate');

/**
 * CPA Standard 005: a header, one payment in each detail record here, a trailer with totals and counts. The published amounts
 * are those of all digits of a field but the last, in details and trailer alike, so the fields are one shorter here.
 */
const cpa005 = `
apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: cpa005, version: 1.0.0, owner: ops }
spec:
  sources: [{ id: api, type: http }]
  format: { type: fixed-width, discriminator: { start: 1, length: 1 }, recordLength: 1464 }
  schema:
    header: { tag: A, fields: { sequence: { at: [2, 9], type: int, required: true }, originator: { at: [11, 10], type: string, required: true } } }
    record:
      tag: C
      fields:
        line: { at: [2, 9], type: int, required: true }
        type: { at: [25, 3], type: string, required: true }
        amount: { at: [28, 9], type: decimal, point: implied, scale: 2, required: true, sum: true }
    trailer:
      tag: Z
      fields:
        debits: { at: [25, 13], type: decimal, point: implied, scale: 2, required: true }
        debitCount: { at: [39, 8], type: int, required: true }
        credits: { at: [47, 13], type: decimal, point: implied, scale: 2, required: true }
        creditCount: { at: [61, 8], type: int, required: true }
  validate:
    - { id: totals, scope: file, assert: "trailer.credits + trailer.debits == stats.sum.amount && trailer.creditCount + trailer.debitCount == stats.records", onFail: reject-file, code: CTL01, message: "Trailer does not match details" }
  routes: { default: { to: [payments] } }
  targets: { payments: { type: file, connection: out, path: out } }
`;

interface FixedWidthVerdict {
  readonly file: string;
  readonly expect: 'accept' | 'refuse';
  readonly records?: number;
  readonly recordLength?: number;
  readonly payments?: readonly { readonly line: number; readonly type: string; readonly amountCents: number }[];
  readonly fields?: string;
  readonly outputs?: string;
  readonly trailer?: { readonly creditCents: number; readonly creditCount: number };
}

/** A run of a flow over a file; what it wrote is removed with the end of the test. */
function run(flow: string, path: string) {
  const work = mkdtempSync(join(tmpdir(), 'headgate-public-'));
  onTestFinished(() => rmSync(work, { recursive: true }));
  writeFileSync(join(work, 'flow.yaml'), flow);
  const out = join(work, 'out');
  const { status, stdout, stderr } = spawnSync(program, ['run', join(work, 'flow.yaml'), path, '--out', out, '--json'], {
    encoding: 'utf8',
  });
  // Why a file is held or rejected, and nothing else.
  expect(stderr).toMatch(status === 0 ? /^$/ : /: error E_[A-Z_]+: /);
  const records = (target: string) =>
    readFileSync(join(out, `${target}.ndjson`), 'utf8')
      .trim()
      .split('\n');
  return { status, receipt: JSON.parse(stdout), recordsOf: (target: string) => records(target).map((line) => JSON.parse(line)) };
}

/** The verdicts of files whose names begin so. */
const verdictsOf = (folder: string, start: string) =>
  expectedVerdicts<FixedWidthVerdict>(folder).filter(({ file }) => file.startsWith(start));

/**
 * Metro 2, a base segment of 426 bytes with one segment of each kind behind it. The records of the file are as long as the word
 * that each begins with says (470, 1000, 426), which the format has no word for; this file has one of each, so that it is one record of all.
 * A part is a key of the JSON and where it begins; its fields follow each other, `-` is what the JSON does not tell.
 */
const metro2Parts: readonly (readonly [part: string, start: number, fields: string])[] = [
  [
    'header',
    1,
    'recordDescriptorWord:4:int recordIdentifier:6 -:27 transUnionProgramIdentifier:10 activityDate:8:date dateCreated:8:date ' +
      'programDate:8:date programRevisionDate:8:date reporterName:40 reporterAddress:96 reporterTelephoneNumber:10:int',
  ],
  [
    'base',
    471,
    'recordDescriptorWord:4:int processingIndicator:1:int timeStamp:14:datetime -:1 identificationNumber:20 -:2 consumerAccountNumber:30 ' +
      'portfolioType:1 accountType:2 dateOpened:8:date -:9 highestCredit:9:int termsDuration:3 -:1 -:9 actualPaymentAmount:9:int ' +
      'accountStatus:2 -:1 paymentHistoryProfile:24 specialComment:2 complianceConditionCode:2 currentBalance:9:int -:18 ' +
      'dateAccountInformation:8:date dateFirstDelinquency:8:date dateClosed:8:date dateLastPayment:8:date interestTypeIndicator:1 -:17 ' +
      'surname:25 firstName:20 -:20 generationCode:1 socialSecurityNumber:9:int dateBirth:8:date telephoneNumber:10:int ecoaCode:1 -:2 ' +
      'countryCode:2 firstLineAddress:32 secondLineAddress:32 city:20 state:2 zipCode:9 addressIndicator:1 residenceCode:1',
  ],
  [
    'j1',
    897,
    'segmentIdentifier:2 -:1 surname:25 firstName:20 -:20 generationCode:1 socialSecurityNumber:9:int dateBirth:8:date ' +
      'telephoneNumber:10:int ecoaCode:1 consumerInformationIndicator:2',
  ],
  [
    'j2',
    997,
    'segmentIdentifier:2 -:1 surname:25 firstName:20 -:20 generationCode:1 socialSecurityNumber:9:int dateBirth:8:date ' +
      'telephoneNumber:10:int ecoaCode:1 consumerInformationIndicator:2 countryCode:2 firstLineAddress:32 secondLineAddress:32 city:20 ' +
      'state:2 zipCode:9 addressIndicator:1 residenceCode:1',
  ],
  ['k3', 1197, 'segmentIdentifier:2 -:20 mortgageIdentificationNumber:18'],
  ['l1', 1237, 'segmentIdentifier:2 changeIndicator:1:int newConsumerAccountNumber:30'],
  [
    'n1',
    1291,
    'segmentIdentifier:2 employerName:30 firstLineEmployerAddress:32 secondLineEmployerAddress:32 employerCity:20 employerState:2 ' +
      'zipCode:9 occupation:18',
  ],
  [
    'trailer',
    1471,
    'recordDescriptorWord:4:int recordIdentifier:7 totalBaseRecords:9:int -:9 ' +
      [
        'StatusCodeDF ConsumerSegmentsJ1 ConsumerSegmentsJ2 blockCount StatusCodeDA StatusCode05 StatusCode11 StatusCode13 StatusCode61',
        'StatusCode62 StatusCode63 StatusCode64 StatusCode65 StatusCode71 StatusCode78 StatusCode80 StatusCode82 StatusCode83 StatusCode84',
        'StatusCode88 StatusCode89 StatusCode93 StatusCode94 StatusCode95 StatusCode96 StatusCode97 ECOACodeZ EmploymentSegments',
        'OriginalCreditorSegments PurchasedToSegments MortgageInformationSegments PaymentInformationSegments ChangeSegments',
        'SocialNumbersAllSegments SocialNumbersBaseSegments SocialNumbersJ1Segments SocialNumbersJ2Segments DatesBirthAllSegments',
        'DatesBirthBaseSegments DatesBirthJ1Segments DatesBirthJ2Segments TelephoneNumbersAllSegments',
      ]
        .flatMap((line) => line.split(' '))
        .map((name) => `${name === 'blockCount' ? name : `total${name}`}:9:int`)
        .join(' '),
  ],
];

const metro2Formats: Readonly<Record<string, string>> = { date: ', format: MMddyyyy', datetime: ', format: MMddyyyyHHmmss' };

function metro2Flow(): string {
  const lines = metro2Parts.flatMap(([part, first, fields]) => {
    let start = first;
    return fields.split(' ').flatMap((field) => {
      const [name, length, type = 'string'] = field.split(':');
      const at = `[${start}, ${length}]`;
      start += Number(length);
      return name === '-' ? [] : [`        ${part}_${name}: { at: ${at}, type: ${type}${metro2Formats[type] ?? ''} }`];
    });
  });
  return `
apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: credit, name: metro2, version: 1.0.0, owner: ops }
spec:
  sources: [{ id: api, type: http }]
  format: { type: fixed-width, lineEnds: false, recordLength: 1896 }
  schema:
    record:
      fields:
${lines.join('\n')}
  routes: { default: { to: [accounts] } }
  targets: { accounts: { type: file, connection: out, path: out } }
`;
}

type Metro2Part = Readonly<Record<string, string | number>>;

/** The record as the published JSON has it: a date there is midnight, an empty text is none here. */
function metro2Record(published: {
  header: Metro2Part;
  data: readonly Record<string, Metro2Part | readonly Metro2Part[]>[];
  trailer: Metro2Part;
}) {
  const { header, data, trailer } = published;
  const parts = { header, ...data[0], trailer };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, fields]) =>
      Object.entries((Array.isArray(fields) ? fields[0] : fields) as Metro2Part).map(([name, value]) => [
        `${part}_${name}`,
        value === '' ? null : typeof value === 'string' ? value.replace(/T00:00:00Z$|Z$/, '') : value,
      ]),
    ),
  );
}

/** The columns of univocity's example; its last byte of a record is the line end. */
const cars = (format: string) => `
apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: cars, name: cars, version: 1.0.0, owner: ops }
spec:
  sources: [{ id: api, type: http }]
  format: { type: fixed-width, ${format} }
  schema:
    record:
      fields:
        year: { at: [1, 4], type: string }
        make: { at: [5, 5], type: string }
        model: { at: [10, 40], type: string }
        description: { at: [50, 40], type: string }
        price: { at: [90, 8], type: string }
  routes: { default: { to: [cars] } }
  targets: { cars: { type: file, connection: out, path: out } }
`;

describe('public fixed-width files through headgate run', () => {
  itWithPublicData('fixedwidth', 'are those of the sets below', (folder) => {
    const files = expectedVerdicts<FixedWidthVerdict>(folder).map(({ file }) => file);
    expect(files.map((file) => file.split('/')[0])).toEqual(['cpa005', 'cpa005', 'metro2', 'univocity']);
  });

  itWithPublicData(
    'fixedwidth',
    'records that end at line ends give the published amounts and totals, wrong lengths are refused',
    (folder) => {
      const verdicts = verdictsOf(folder, 'cpa005/');
      for (const verdict of verdicts) {
        const { status, receipt, recordsOf } = run(cpa005, join(folder, verdict.file));
        expect([verdict.file, status]).toEqual([verdict.file, verdict.expect === 'accept' ? 0 : 1]);
        if (verdict.payments === undefined) {
          expect(receipt.errors.map(({ code }: { code: string }) => code)).toContain('E_WIDTH');
          continue;
        }
        expect(recordsOf('payments')).toEqual(
          verdict.payments.map(({ line, type, amountCents }) => ({
            line,
            type,
            amount: `${Math.floor(amountCents / 100)}.${String(amountCents % 100).padStart(2, '0')}`,
          })),
        );
        expect(receipt).toMatchObject({
          verdict: 'accepted',
          records: { read: verdict.payments.length },
          controlTotals: { balanced: true },
        });
        expect(receipt.controlTotals.declared).toMatchObject({ creditCount: String(verdict.trailer!.creditCount) });
      }
      expect(verdicts.length).toBe(2);
    },
  );

  itWithPublicData('fixedwidth', 'a record without a line end gives every published field', (folder) => {
    const [verdict] = verdictsOf(folder, 'metro2/');
    const { status, receipt, recordsOf } = run(metro2Flow(), join(folder, verdict!.file));
    expect([status, receipt.verdict]).toEqual([0, verdict!.expect === 'accept' ? 'accepted' : 'rejected']);
    const wanted = metro2Record(JSON.parse(readFileSync(join(folder, verdict!.fields!), 'utf8')));
    expect(Object.keys(wanted).length).toBeGreaterThan(120);
    // The word of the header: the file says 470, which is where the next record is, and its JSON 426.
    expect(wanted['header_recordDescriptorWord']).toBe(426);
    expect(recordsOf('accounts')).toEqual([{ ...wanted, header_recordDescriptorWord: 470 }]);
  });

  // Comment lines, which the format has not, are taken away here, and what fills the fields is made the spaces that it trims.
  itWithPublicData('fixedwidth', 'records with a line end inside a field give the rows that another reader gives', (folder) => {
    const [verdict] = verdictsOf(folder, 'univocity/');
    const lines = readFileSync(join(folder, verdict!.file), 'utf8').split('\n');
    const text = lines.slice(lines.findIndex((line) => line.startsWith('Year'))).join('\n');
    const path = join(mkdtempSync(join(tmpdir(), 'headgate-public-')), 'cars.txt');
    onTestFinished(() => rmSync(dirname(path), { recursive: true }));
    writeFileSync(path, `${text.trimEnd()}\n`.replaceAll('_', ' '));
    const { status, recordsOf } = run(cars('lineEnds: false, recordLength: 98'), path);
    expect(status).toBe(verdict!.expect === 'accept' ? 0 : 1);
    const rows = recordsOf('cars').map((record, index) => `${index + 1} [${Object.values(record).map(String).join(', ')}]\n`);
    const published = readFileSync(join(folder, verdict!.outputs!, 'FixedWidthParserExamples/example001ParseAll'), 'utf8');
    expect(rows).toEqual(published.split('-----------------------\n').filter((row) => row.trim() !== ''));
    expect(rows.length).toBe(6);
  });

  itWithPublicData('fixedwidth', 'as it stands, that file gives the records of whole lines, and E_WIDTH for each other line', (folder) => {
    const [verdict] = verdictsOf(folder, 'univocity/');
    const { receipt, recordsOf } = run(cars('recordLength: 97'), join(folder, verdict!.file));
    expect(recordsOf('cars').map(({ year }) => year)).toEqual(['Year', '1997', '1999', '1999', '____']);
    expect(receipt.errors).toMatchObject([{ code: 'E_WIDTH', count: 6 }]);
  });
});
