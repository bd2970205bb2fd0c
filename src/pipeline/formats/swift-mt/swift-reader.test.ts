import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../test/support/public-data.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import { expectAnyBytesAreRead, expectSameInPieces } from '../statements/same-in-pieces.fixture.ts';
import {
  changed,
  everyMessage,
  finMessage,
  interimFields,
  pages,
  plainMessage,
  requestFields,
  shortStatementFields,
  statementFields,
} from './swift-files.fixture.ts';
import { swiftPack } from './swift-pack.ts';

const documentOf = (file: string) => JSON.parse(runPack(swiftPack, file).document);

describe('the same bytes in other pieces', () => {
  it.each([
    ['every type', everyMessage],
    ['the text alone, with mistakes', plainMessage(changed(statementFields, '61', ':61:260199XX')) + plainMessage(interimFields)],
    ['parts of messages', ':86:x\n:NS:y\n\n:25:1'],
    ['longer than what is looked at first', everyMessage.repeat(2)],
  ])('%s', (_, file) => {
    expectSameInPieces(swiftPack, file);
  });
});

it('any bytes are read without failing, and what is printed is JSON', () => {
  expectAnyBytesAreRead(swiftPack, everyMessage.split(/(?<=\n)|(?=[:{}-])/));
});

it('a finding says where it is', () => {
  const file = everyMessage.replace(':61:2601020103CR3000,05', ':61:2601020103CR3000,055');
  const offset = file.indexOf('3000,055');
  expect(runPack(swiftPack, file).errors).toEqual([
    {
      code: 'E_SWIFT_FIELD',
      severity: 'error',
      line: file.slice(0, offset).split('\n').length,
      columns: [17, 24],
      offset,
      record: 'MT940',
      field: '61',
      rule: 'amount-decimals',
      message: 'the amount has more than 2 decimals',
    },
  ]);
});

it('messages hold no accounts and no texts', () => {
  const file = everyMessage.replaceAll(':25:', ':25://').replace('JOHN DOE', 'JOHN & DOE').replace('CR3000,05', 'CR3001,05');
  const { findings } = runPack(swiftPack, file);
  expect(findings.length).toBeGreaterThan(1);
  expect(findings.map(({ message }) => message).join()).not.toMatch(/1234567|JOHN|DOE|INVOICE/);
});

it('counts entries and payments, and sums them by side and currency', () => {
  const { summary } = runPack(swiftPack, everyMessage);
  expect(summary.records).toEqual({ read: 4 + 1 + 1 + 2 + 1 + 1 + 1 + 2, rejected: 0 });
  expect(summary.amounts).toEqual({
    credit: { EUR: '3117.05' },
    debit: { EUR: '818.50', JPY: '40' },
    payments: { USD: '1005.50', JPY: '100000', EUR: '10.00' },
  });
  expect(summary.controlTotals).toEqual({
    declared: { 'closingBalance.EUR': '4394.00', 'closingBalance.JPY': '60' },
    computed: { 'closingBalance.EUR': '4394.00', 'closingBalance.JPY': '60' },
    balanced: true,
  });
  expect(summary.details['messages']).toEqual({ '101': 1, '103': 1, '202': 1, '940': 3, '941': 1, '942': 1, '950': 1 });
});

it('an entry or a payment with an error of its own is counted as rejected', () => {
  expect(runPack(swiftPack, plainMessage(changed(statementFields, '61', ':61:2601020103XR800,NSTO'))).summary.records).toEqual({
    read: 4,
    rejected: 1,
  });
  expect(runPack(swiftPack, finMessage('101', changed(requestFields, '32B', null))).summary.records).toEqual({ read: 2, rejected: 1 });
});

it('the document has the parts of a statement', () => {
  const [message] = documentOf(finMessage('940', statementFields)).messages;
  const { entries, ...rest } = message;
  const balance = { mark: 'C', date: '2026-01-03', currency: 'EUR', amount: '4389.00' };
  expect(rest).toEqual({
    messageType: '940',
    basicHeader: 'F01BANKBEBBAXXX2222123456',
    applicationHeader: 'O9401200260103BANKDEFFAXXX22221234562601031201N',
    userHeader: '{108:MT940REF1}',
    transactionReference: 'STMT260103',
    accountIdentification: '10020030/1234567',
    statementNumber: '5',
    sequenceNumber: '1',
    openingBalance: { tag: '60F', mark: 'C', date: '2026-01-02', currency: 'EUR', amount: '2187.95' },
    closingBalance: { tag: '62F', ...balance },
    closingAvailableBalance: { tag: '64', ...balance },
    forwardAvailableBalances: [
      { tag: '65', ...balance, date: '2026-01-04' },
      { tag: '65', ...balance, date: '2026-01-05' },
    ],
    information: { form: 'free', code: null, parts: [], text: 'TOTAL OF THE DAY' },
    trailer: '{CHK:123456789ABC}',
  });
  expect(entries.slice(0, 2)).toEqual([
    {
      valueDate: '2026-01-02',
      entryDate: '2026-01-03',
      mark: 'D',
      fundsCode: 'R',
      amount: '800.00',
      transactionType: 'NSTO',
      customerReference: 'NONREF',
      bankReference: '55555',
      supplementaryDetails: null,
      information: {
        form: 'structured',
        code: '008',
        parts: [
          { code: '00', text: 'DAUERAUFTRAG' },
          { code: '10', text: '0599' },
          { code: '20', text: 'Miete November' },
          { code: '30', text: '10020030' },
          { code: '31', text: '234567' },
          { code: '32', text: 'MUELLER' },
        ],
        text: '008?00DAUERAUFTRAG?100599?20Miete Nov\nember?3010020030?31234567?32MUELLER',
      },
    },
    {
      valueDate: '2026-01-02',
      entryDate: '2026-01-03',
      mark: 'C',
      fundsCode: 'R',
      amount: '3000.05',
      transactionType: 'NTRF',
      customerReference: 'REF 17',
      bankReference: null,
      supplementaryDetails: '/OCMT/EUR3000,05/',
      information: {
        form: 'tagged',
        code: null,
        parts: [
          { code: 'EREF', text: 'E2E-4711' },
          { code: 'BENM', text: '' },
          { code: 'NAME', text: 'ACME B.V.' },
          { code: 'REMI', text: 'INVOICE 17' },
        ],
        text: '/EREF/E2E-4711/BENM//NAME/ACME B.V./REMI/INVOICE 17',
      },
    },
  ]);
  expect(entries.slice(2).map(({ mark, amount }: { mark: string; amount: string }) => [mark, amount])).toEqual([
    ['RC', '1.00'],
    ['RD', '2.00'],
  ]);
});

it('the document has the fields of payments and the totals of interim reports', () => {
  const [request, interim] = documentOf(finMessage('101', requestFields) + finMessage('942', interimFields)).messages;
  expect(request.fields.slice(4, 8)).toEqual([
    { tag: '30', value: '260104', date: '2026-01-04' },
    { tag: '21', value: 'TX1' },
    { tag: '32B', value: 'EUR10,00', currency: 'EUR', amount: '10.00' },
    { tag: '59', value: '/DE89370400440532013000\nJANE DOE' },
  ]);
  expect(interim).toMatchObject({
    dateTimeIndication: '2601031200+0100',
    floorLimits: [
      { currency: 'EUR', mark: 'D', amount: '0.00' },
      { currency: 'EUR', mark: 'C', amount: '100.00' },
    ],
    debitEntries: { count: 1, currency: 'EUR', amount: '12.50' },
    creditEntries: { count: 3, currency: 'EUR', amount: '140.00' },
  });
});

it.each(['auto', '940'])('a type as a tag before a message begins none: %s', (messageType) => {
  const file = `:940:\n${plainMessage(shortStatementFields)}:940:\n${plainMessage(pages[0]!)}`;
  const { document, summary, findings } = runPack(swiftPack, file, { settings: { messageType } });
  expect(findings).toEqual([]);
  expect(summary.details).toEqual({ messages: { 940: 2 } });
  expect(JSON.parse(document).messages.map((each: Record<string, unknown>) => [each['messageType'], each['transactionReference']])).toEqual(
    [
      ['940', 'MT950'],
      ['940', 'PAGE1'],
    ],
  );
});

it('of an entry that cannot be read nothing of the entry before is printed', () => {
  const fields = [...statementFields.slice(0, 5), ':61:2601020103XR800,NSTO', ':61:26', ...statementFields.slice(-1)];
  const [{ entries }] = documentOf(plainMessage(fields)).messages;
  expect(entries.slice(1)).toEqual([
    { valueDate: '2026-01-02', entryDate: '2026-01-03' },
    { valueDate: null, entryDate: null, information: { form: 'free', code: null, parts: [], text: 'TOTAL OF THE DAY' } },
  ]);
});

it('of an entry without a type the reference of the bank is no type', () => {
  const [{ entries }] = documentOf(plainMessage(changed(statementFields, '61', ':61:2601020103DR800,//55555667788'))).messages;
  expect(entries[0]).toMatchObject({ amount: '800.00', transactionType: null, customerReference: null, bankReference: '55555667788' });
});

it('information before the first entry is of the account, and of no entry', () => {
  const fields = [...statementFields.slice(0, 4), ':86:SEE OUR TERMS', ...statementFields.slice(4, -1)];
  const [{ information, entries }] = documentOf(plainMessage(fields)).messages;
  expect(information.text).toBe('SEE OUR TERMS');
  expect(entries).toEqual(documentOf(plainMessage(statementFields)).messages[0].entries);
});

it('amounts that a double cannot hold are exact', () => {
  const nines = `${'9'.repeat(20)},99`;
  const fields = [
    ':20:X',
    ':25:1',
    ':28C:1',
    ':60F:C260102EUR0,01',
    `:61:260102C${nines}NTRFNONREF`,
    `:62F:C260102EUR1${'0'.repeat(20)},00`,
  ];
  const { errors, summary } = runPack(swiftPack, plainMessage(fields));
  expect(errors).toEqual([]);
  expect(summary.amounts).toEqual({ credit: { EUR: `${'9'.repeat(20)}.99` } });
});

interface Money {
  readonly amount: string;
  readonly currency: string | null;
}
interface TheirBalance {
  readonly status: string;
  readonly amount: Money;
  readonly date: string;
}
interface Expected {
  readonly file: string;
  readonly data: Readonly<Record<string, string | TheirBalance>>;
  readonly transactions: readonly {
    readonly status: string;
    readonly funds_code: string | null;
    readonly amount: Money;
    readonly id: string;
    readonly date: string;
    readonly entry_date?: string;
  }[];
}

/** Of theirs by name: the last of a file by tag. */
const balanceTags: Readonly<Record<string, string>> = {
  final_opening_balance: '60F',
  intermediate_opening_balance: '60M',
  final_closing_balance: '62F',
  intermediate_closing_balance: '62M',
  available_balance: '64',
  forward_available_balance: '65',
};

interface OurBalance {
  readonly tag: string;
  readonly mark: string;
  readonly date: string;
  readonly currency: string;
  readonly amount: string;
}
interface OurMessage {
  readonly accountIdentification?: string;
  readonly statementNumber?: string;
  readonly entries?: readonly Record<string, string | null>[];
  readonly openingBalance?: OurBalance;
  readonly closingBalance?: OurBalance;
  readonly closingAvailableBalance?: OurBalance;
  readonly forwardAvailableBalances?: readonly OurBalance[];
}

const plain = (amount: string) => amount.replace(/\.(\d*?)0*$/, (_, digits: string) => (digits === '' ? '' : `.${digits}`));

itWithPublicData('swift', 'the public files are read as another reader reads them', (folder) => {
  const expected = expectedVerdicts<Expected>(folder);
  expect(expected.length).toBeGreaterThan(20);
  for (const { file, data, transactions } of expected) {
    const { document } = runPack(swiftPack, Buffer.from(readFileSync(join(folder, file))), { settings: { strictness: 'lenient' } });
    const messages: OurMessage[] = JSON.parse(document).messages;
    const entries = messages.flatMap((message) => (message.entries ?? []).map((entry) => ({ entry, currency: currencyOf(message) })));
    expect([file, entries.map(({ entry, currency }) => ours(entry, currency))]).toEqual([file, transactions.map(theirs)]);
    const balances = messages.flatMap((message) => [
      ...[message.openingBalance, message.closingBalance, message.closingAvailableBalance].filter((balance) => balance !== undefined),
      ...(message.forwardAvailableBalances ?? []),
    ]);
    for (const [name, tag] of Object.entries(balanceTags)) {
      const wanted = data[name] as TheirBalance | undefined;
      if (wanted === undefined) continue;
      const { mark, date, currency, amount } = balances.findLast((balance) => balance.tag === tag)!;
      expect([file, tag, mark, date, currency, plain(amount)]).toEqual([
        file,
        tag,
        wanted.status,
        wanted.date,
        wanted.amount.currency,
        plain(wanted.amount.amount.replace('-', '')),
      ]);
    }
    const last = messages.at(-1)!;
    if (data['account_identification'] !== undefined) expect(last.accountIdentification).toBe(data['account_identification']);
    if (data['statement_number'] !== undefined) expect(last.statementNumber).toBe(data['statement_number']);
  }
});

const currencyOf = ({ openingBalance, closingBalance }: OurMessage) => openingBalance?.currency ?? closingBalance?.currency ?? null;

function ours(entry: Readonly<Record<string, string | null>>, currency: string | null): readonly unknown[] {
  const sign = entry['mark'] === 'D' || entry['mark'] === 'RC' ? '-' : '';
  return [
    entry['valueDate'],
    entry['entryDate'],
    entry['mark'],
    entry['fundsCode'],
    sign + plain(entry['amount']!),
    currency,
    entry['transactionType'],
  ];
}

function theirs({ date, entry_date, status, funds_code, amount, id }: Expected['transactions'][number]): readonly unknown[] {
  return [date, entry_date ?? null, status, funds_code, plain(amount.amount), amount.currency, id];
}

itWithPublicData('swift', 'whole statements of the public files are told apart from those that do not add up', (folder) => {
  for (const { file } of expectedVerdicts<Expected>(folder)) {
    const content = Buffer.from(readFileSync(join(folder, file)));
    const { errors, summary } = runPack(swiftPack, content);
    const isPart = errors.some(({ rule }) => rule === 'field-missing');
    if (!isPart) expect([file, errors.every(({ rule }) => rule === 'closing-balance')]).toEqual([file, true]);
    expect(summary.controlTotals.balanced).toBe(!errors.some(({ rule }) => rule === 'closing-balance'));
  }
});
