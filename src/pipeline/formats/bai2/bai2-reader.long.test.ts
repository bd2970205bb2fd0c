import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../test/support/public-data.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import { expectAnyBytesAreRead, expectSameInPieces } from '../statements/same-in-pieces.fixture.ts';
import { account, detailOnly, fileOf } from './bai2-files.fixture.ts';
import { bai2Pack } from './bai2-pack.ts';

const good = fileOf([[account, account], [account]]);

/** Cut by the physical record length, without a line end. */
function blocked(file: string, width: number): string {
  return file
    .trimEnd()
    .split('\n')
    .map((line) => line.padEnd(width))
    .join('');
}

describe('the same bytes in other pieces', () => {
  it.each([
    ['a good file', good],
    ['longer than what is looked at first', fileOf(Array.from({ length: 8 }, () => [account, account]))],
    ['CRLF and mistakes', good.replaceAll('\n', '\r\n').replace('16,165', '16,1x5').replace('49,', '48,')],
    ['CR', good.replaceAll('\n', '\r')],
    ['LF after what is looked at first', `${fileOf(Array.from({ length: 8 }, () => [account, account])).replaceAll('\n', '\r')}\n`],
    ['without line ends', blocked(good, 80)],
    ['a byte order mark', `\ufeff${good}`],
    ['a long line', detailOnly(`16,475,100,,,,${'x'.repeat(33_000)}`, 100)],
  ])('%s', (_, file) => {
    expectSameInPieces(bai2Pack, file);
  });
});

it('any bytes are read without failing, and what is printed is JSON', () => {
  expectAnyBytesAreRead(bai2Pack, good.split(/(?<=[\n,/])/));
});

it('a file without line ends is cut by its physical record length', () => {
  const whole = runPack(bai2Pack, good);
  const cut = runPack(bai2Pack, blocked(good, 80));
  expect(cut.findings).toEqual([]);
  expect(cut.summary).toEqual(whole.summary);
  expect(JSON.parse(cut.document)).toEqual(JSON.parse(whole.document));
});

it('a finding says where it is', () => {
  const file = good.replace('D,2,0,100,1,150', 'D,2,0,100,1,15x');
  const { errors } = runPack(bai2Pack, file);
  const offset = file.indexOf('15x');
  const line = file.slice(0, offset).split('\n').length;
  const column = offset - file.lastIndexOf('\n', offset);
  expect(errors).toEqual([
    {
      code: 'E_BAI2_FIELD',
      severity: 'error',
      line,
      columns: [column, column + 2],
      offset,
      record: 'detail',
      field: 'amount',
      rule: 'amount-form',
      message: expect.any(String) as string,
    },
  ]);
});

it('a finding in a continuation says the line of the continuation', () => {
  const { errors } = runPack(bai2Pack, good.replace('88,100,1500000,1,V,260620', '88,100,1500000,1,V,260631'));
  expect(errors[0]).toMatchObject({ rule: 'date', line: 4, columns: [20, 25], record: 'account', field: 'date' });
});

it('messages hold no accounts and no texts', () => {
  const file = good.replace('16,165,1500000', '16,165,1500001').replace('S,500', 'S,5o0').replace('V,260620', 'V,269920');
  expect(
    runPack(bai2Pack, file)
      .findings.map(({ message }) => message)
      .join(),
  ).not.toMatch(/0975312468|DEALER|LOCKBOX|5o0/);
});

it('counts details, sums them by direction and currency, and keeps what is exact exact', () => {
  const huge = '9'.repeat(24);
  const file = detailOnly(`16,475,${huge},,,,\n16,165,1,,,,`, 0).replace('49,0,', `49,1${'0'.repeat(24)},`);
  const { summary } = runPack(bai2Pack, file.replace('03,1,,', '03,1,JPY,'));
  expect(summary.amounts).toEqual({ credit: { JPY: '1' }, debit: { JPY: huge } });
  expect(summary.records).toEqual({ read: 2, rejected: 0 });
  expect(summary.controlTotals.computed['fileControlTotal']).toBe(`1${'0'.repeat(24)}`);
});

it('a record with an error of its own is counted as rejected', () => {
  expect(runPack(bai2Pack, good.replace('S,500', 'S,5o0')).summary.records).toEqual({ read: 12, rejected: 1 });
});

it('the document has every field', () => {
  const { groups, ...file } = JSON.parse(runPack(bai2Pack, fileOf([[account]])).document);
  expect(file).toEqual({
    fileHeader: {
      sender: '122099999',
      receiver: '123456789',
      fileCreatedDate: '260621',
      fileCreatedTime: '0200',
      fileIdNumber: '1',
      physicalRecordLength: 80,
      blockSize: 1,
      versionNumber: 2,
    },
    fileTrailer: { fileControlTotal: '73501500', numberOfGroups: 1, numberOfRecords: 12 },
  });
  expect(groups[0].accounts[0].summaries.at(-1)).toEqual({ typeCode: '400', amount: '250', itemCount: 1, fundsType: null });
  expect(groups[0].accounts[0].details).toEqual([
    {
      typeCode: '165',
      amount: '1500000',
      fundsType: { typeCode: '1' },
      bankReferenceNumber: 'DD1620',
      customerReferenceNumber: null,
      text: 'DEALER PAYMENTS',
    },
    {
      typeCode: '115',
      amount: '1000',
      fundsType: { typeCode: 'S', immediateAmount: '500', oneDayAmount: '300', twoDayAmount: '200' },
      bankReferenceNumber: 'AX13612',
      customerReferenceNumber: 'B096132',
      text: 'LOCKBOX\nDEPOSIT, MISC. RECEIVABLES',
    },
    {
      typeCode: '475',
      amount: '250',
      fundsType: {
        typeCode: 'D',
        distributionNumber: 2,
        distributions: [
          { day: 0, amount: '100' },
          { day: 1, amount: '150' },
        ],
      },
      bankReferenceNumber: null,
      customerReferenceNumber: 'CHECK/17',
      text: null,
    },
    {
      typeCode: '409',
      amount: '000',
      fundsType: { typeCode: 'V', date: '260620', time: '2400' },
      bankReferenceNumber: null,
      customerReferenceNumber: null,
      text: null,
    },
  ]);
  expect(groups[0].trailer).toEqual({ groupControlTotal: '73501500', numberOfAccounts: 1, numberOfRecords: 10 });
});

interface Expected {
  readonly file: string;
  readonly moovValid: boolean;
  readonly moovParsed: ReaderFile;
}

type Field = string | number | undefined;
interface ReaderItem {
  readonly TypeCode: string;
  readonly Amount: string;
  readonly ItemCount?: number;
  readonly FundsType: { readonly type_code?: string; readonly date?: string };
  readonly Text?: string;
}
interface ReaderFile {
  readonly Groups: readonly ({
    readonly Accounts: readonly ({ readonly summaries: readonly ReaderItem[]; readonly Details: readonly ReaderItem[] | null } & Record<
      string,
      Field
    >)[];
  } & Record<string, Field>)[];
}

itWithPublicData('bai2', 'the public files are accepted and read as another reader reads them', (folder) => {
  for (const { file, moovValid, moovParsed } of expectedVerdicts<Expected>(folder)) {
    const { errors, document } = runPack(bai2Pack, Buffer.from(readFileSync(join(folder, file))));
    expect([file, errors.length === 0]).toEqual([file, moovValid]);
    const { fileHeader, groups, fileTrailer } = JSON.parse(document);
    const { Groups, ...ofFile } = moovParsed;
    expect(Object.fromEntries(Object.entries({ ...fileHeader, ...fileTrailer }).filter(([, value]) => value !== null))).toEqual(ofFile);
    expect(groups.map(comparableGroup)).toEqual(
      Groups.map(({ Accounts, ...group }) => ({ ...group, Accounts: Accounts.map(comparableTheirs) })),
    );
  }
});

const theirAmount = (item: ReaderItem) => [
  item.TypeCode,
  item.Amount,
  item.ItemCount ?? 0,
  item.FundsType.type_code ?? null,
  item.FundsType.date ?? null,
];

function comparableTheirs({ summaries, Details, ...account }: ReaderFile['Groups'][number]['Accounts'][number]): unknown {
  return {
    ...account,
    summaries: summaries.map(theirAmount),
    // Their text keeps the slash that ends the record.
    Details: (Details ?? []).map((item) => [...theirAmount(item), item.Text?.replace(/ *\/$/, '')]),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what is compared is the document as it is parsed.
function comparableGroup({ groupHeader, accounts, trailer }: any): unknown {
  const present = (values: object) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const item = (each: any) => [
    each.typeCode,
    each.amount,
    each.itemCount ?? 0,
    each.fundsType?.typeCode ?? null,
    each.fundsType?.date ?? null,
  ];
  return {
    ...present({ ...groupHeader, ...trailer }),
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    Accounts: accounts.map(({ summaries, details, trailer: { numberOfRecords, accountControlTotal }, ...account }: any) => ({
      ...present({ ...account, accountControlTotal, numberRecords: numberOfRecords }),
      summaries: summaries.map(item),
      // biome-ignore lint/suspicious/noExplicitAny: as above.
      Details: details.map((each: any) => [...item(each), (each.text ?? '').trimEnd()]),
    })),
  };
}
