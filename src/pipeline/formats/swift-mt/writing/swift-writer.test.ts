import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../../test/support/public-data.ts';
import { packPage, settingRows } from '../../statements/pack-page.fixture.ts';
import { runPack } from '../../statements/pack-run.fixture.ts';
import { type Options, refusalOf, writeDocument } from '../../writing/pack-writing.fixture.ts';
import {
  balanceReportFields,
  bankTransferFields,
  changed,
  everyMessage,
  finMessage,
  interimFields,
  pages,
  plainMessage,
  requestFields,
  shortStatementFields,
  statementFields,
  transferFields,
} from '../swift-files.fixture.ts';
import { swiftPack } from '../swift-pack.ts';

const documentOf = (content: string | Uint8Array, settings: Readonly<Record<string, string>> = {}) =>
  JSON.parse(runPack(swiftPack, content, { settings }).document);
const write = (document: unknown, options: Options = {}): string => writeDocument(swiftPack, document, options).text;

describe('a document that was parsed', () => {
  it.each<[string, readonly string[], string | null]>([
    ['940', statementFields, null],
    ['942', interimFields, null],
    ['941', balanceReportFields, '941'],
    ['950', shortStatementFields, '950'],
    ['103', transferFields, null],
    ['202', bankTransferFields, null],
    ['101', requestFields, null],
  ])('of an MT %s is written as the same message, with headers and without', (type, fields, told) => {
    const fin = documentOf(finMessage(type, fields));
    const text = write(fin);
    expect(runPack(swiftPack, text).findings).toEqual([]);
    expect(documentOf(text)).toEqual(fin);
    expect(write(documentOf(text))).toBe(text);
    const settings: Record<string, string> = told === null ? {} : { messageType: told };
    const plain = documentOf(plainMessage(fields), settings);
    expect(documentOf(write(plain, { ...settings, lineEnd: 'LF' }), settings)).toEqual(plain);
  });

  it('of an entry without a type and a reference is written as it was', () => {
    const text = plainMessage(changed(statementFields, '61', ':61:2601020103DR800,00//55555'));
    const document = documentOf(text);
    expect(documentOf(write(document, { lineEnd: 'LF' }))).toEqual(document);
    expect(write(document)).toContain(':61:2601020103DR800,00//55555\r\n');
  });

  it('of several messages keeps them all', () => {
    const document = documentOf(everyMessage);
    const { text, written } = writeDocument(swiftPack, document);
    expect(documentOf(text)).toEqual(document);
    expect(written.details).toEqual(runPack(swiftPack, everyMessage).summary.details);
  });

  it('of payments is written byte by byte', () => {
    for (const [type, fields] of [
      ['103', transferFields],
      ['202', bankTransferFields],
      ['101', requestFields],
    ] as const) {
      const message = `${finMessage(type, fields).replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')}\r\n`;
      expect(write(documentOf(message))).toBe(message);
    }
  });

  itWithPublicData('swift', 'of a good public file is written as messages with the same document', (folder) => {
    let written = 0;
    for (const { file } of expectedVerdicts<{ readonly file: string }>(folder)) {
      const settings = { strictness: 'lenient', balances: 'warn' };
      const { errors, document } = runPack(swiftPack, readFileSync(join(folder, file)), { settings });
      const { messages } = JSON.parse(document);
      if (errors.length > 0 || messages.length === 0) continue;
      const { text } = writeDocument(swiftPack, { messages }, settings);
      expect([file, documentOf(text, settings)]).toEqual([file, { messages }]);
      written++;
    }
    expect(written).toBeGreaterThan(20);
  });
});

const statement = () => ({
  messageType: '940',
  transactionReference: 'STMT1',
  accountIdentification: '10020030/1234567',
  statementNumber: '5',
  sequenceNumber: '1',
  openingBalance: { mark: 'D', date: '2026-01-02', currency: 'EUR', amount: '10.00' },
  entries: [
    {
      valueDate: '2025-12-31',
      entryDate: '2026-01-02',
      mark: 'C',
      amount: '15.5',
      transactionType: 'NTRF',
      information: { text: 'INVOICE 17' },
    },
    {
      valueDate: '2026-01-02',
      mark: 'RC',
      amount: '1',
      transactionType: 'NCHG',
      customerReference: 'REF',
      bankReference: 'BANK',
      supplementaryDetails: 'DETAILS',
    },
  ],
  closingBalance: { date: '2026-01-02' },
});

const interim = () => ({
  messageType: '942',
  transactionReference: 'INTERIM1',
  accountIdentification: '1234567',
  statementNumber: '7',
  floorLimits: [{ currency: 'EUR', amount: '0' }],
  dateTimeIndication: '2601031200+0100',
  entries: [{ valueDate: '2026-01-03', mark: 'D', amount: '12.50', transactionType: 'NTRF' }],
  debitEntries: {},
  creditEntries: {},
});

const transfer = () => ({
  messageType: '202',
  basicHeader: 'F01BANKBEBBAXXX2222123456',
  applicationHeader: 'I202BANKDEFFXXXXN',
  fields: [
    { tag: '20', value: 'BT1' },
    { tag: '21', value: 'RELATED1' },
    { tag: '32A', date: '2026-01-03', currency: 'JPY', amount: '100000' },
    { tag: '58A', value: '/12345\nBANKUS33' },
  ],
});

describe('a message', () => {
  it('has the closing balance and the totals of its entries where they are left open', () => {
    expect(write({ messages: [statement(), interim()] }, { lineEnd: 'LF' }).split('\n')).toEqual([
      ':20:STMT1',
      ':25:10020030/1234567',
      ':28C:5/1',
      ':60F:D260102EUR10,00',
      ':61:2512310102C15,50NTRFNONREF',
      ':86:INVOICE 17',
      ':61:260102RC1,00NCHGREF//BANK',
      'DETAILS',
      ':62F:C260102EUR4,50',
      '-',
      ':20:INTERIM1',
      ':25:1234567',
      ':28C:7',
      ':34F:EUR0,00',
      ':13D:2601031200+0100',
      ':61:260103D12,50NTRFNONREF',
      ':90D:1EUR12,50',
      ':90C:0EUR0,00',
      '-',
      '',
    ]);
  });

  it('has fields that are made of their parts, and headers in blocks', () => {
    expect(write({ messages: [transfer()] })).toBe(
      '{1:F01BANKBEBBAXXX2222123456}{2:I202BANKDEFFXXXXN}{4:\r\n:20:BT1\r\n:21:RELATED1\r\n:32A:260103JPY100000,\r\n:58A:/12345\r\nBANKUS33\r\n-}\r\n',
    );
  });

  it.each<readonly [string, readonly (readonly [readonly (string | number)[], unknown])[], () => object]>([
    [
      '/messages/0/closingBalance: declared 4.51, computed 4.50 (rule closing-balance)',
      [[['closingBalance'], { mark: 'C', date: '2026-01-02', amount: '4.51' }]],
      statement,
    ],
    ['/messages/0/debitEntries: declared 2, computed 1 (rule interim-count)', [[['debitEntries'], { count: 2 }]], interim],
    ['/messages/0/entries/1/entryDate: the entry date', [[['entries', 1, 'entryDate'], '2025-01-02']], statement],
    ['/messages/0/entries/0/amount: an amount is digits', [[['entries', 0, 'amount'], '-1']], statement],
    ['/messages/0/entries/0/amount: the amount has more decimals', [[['entries', 0, 'amount'], '1.005']], statement],
    ['/messages/0/entries/0/mark: the text does not have the form', [[['entries', 0, 'mark'], 'X']], statement],
    ['/messages/0/entries/0/customerReference: the text', [[['entries', 0, 'customerReference'], 'a//b']], statement],
    ['/messages/0/entries/0/information/text: a line begins as', [[['entries', 0, 'information', 'text'], 'a\n:61:b']], statement],
    ['/messages/0/entries/0/information/text: a line begins as', [[['entries', 0, 'information', 'text'], 'a\n-']], statement],
    ['/messages/0/entries/0/information/text: blank lines', [[['entries', 0, 'information', 'text'], 'a\n\nb']], statement],
    ['/messages/0/entries/0/information/text: spaces at the end', [[['entries', 0, 'information', 'text'], 'a ']], statement],
    [
      '/messages/0/entries/0/information/form: it is not what the text says',
      [[['entries', 0, 'information', 'form'], 'tagged']],
      statement,
    ],
    ['/messages/0/openingBalance/date: a date is', [[['openingBalance', 'date'], '1979-01-01']], statement],
    ['/messages/0/messageType: without headers the message would be read as MT 940', [[['messageType'], '950']], statement],
    ['/messages/0/messageType: no type of message', [[['messageType'], '199']], statement],
    ['/messages/0/applicationHeader: it is not that', [[['applicationHeader'], 'I103BANKDEFFXXXXN']], transfer],
    ['/messages/0/basicHeader: the basic header', [[['basicHeader'], 'F01']], transfer],
    ['/messages/0/basicHeader: the content of a block', [[['basicHeader'], 'F01BANKBEBBAXXX2222123456}{3:']], transfer],
    ['/messages/0/entries/0/transactionType: the text does not', [[['entries', 0, 'transactionType'], 'NTRÄ']], statement],
    ['/messages/0/trailer: the content of a block', [[['trailer'], '{CHK:Ä}']], transfer],
    ['/messages/0/fields/2/value: it is not what date, currency, amount say', [[['fields', 2, 'value'], '260103JPY100001,']], transfer],
    ['/messages/0/fields/0/value: the field is not 16x', [[['fields', 0, 'value'], 'x'.repeat(17)]], transfer],
    ['/messages/0/extra: there is no such key', [[['extra'], 1]], transfer],
    ['/messages/0: the message has no fields', [[['fields'], []]], transfer],
  ])('is refused: %s', (message, changes, make) => {
    const document = make();
    for (const [way, part] of changes) place(document, way, part);
    expect(refusalOf(swiftPack, { messages: [document] })).toEqual(['E_SWIFT_DOCUMENT', expect.stringContaining(message)]);
    expect(refusalOf(swiftPack, { messages: [document] })![1].startsWith(message)).toBe(true);
  });

  it('without headers is not in a file with others that have some', () => {
    expect(refusalOf(swiftPack, { messages: [transfer(), statement()] })).toEqual([
      'E_SWIFT_DOCUMENT',
      '/messages/1: messages with headers and without are not in one file',
    ]);
  });

  it('keeps lines of information that look like fields that the message does not have', () => {
    const document = statement();
    document.entries[0]!.information = { text: 'AT\n:12:30 O CLOCK' };
    expect(documentOf(write({ messages: [document] })).messages[0].entries[0].information.text).toBe('AT\n:12:30 O CLOCK');
  });

  it('tells the place of a finding far into a file', () => {
    expect(writeDocument(swiftPack, { messages: Array.from({ length: 2_000 }, statement) }).written.records).toBe(4_000);
    const balance = { mark: 'C', date: '2026-01-02', amount: '1.00' };
    const message = { ...statement(), forwardAvailableBalances: [balance, balance, balance, balance] };
    const bytes = write({ messages: [message] }).length;
    for (let extra = 0; extra < 30; extra += 2) {
      // A piece of 64 KiB ends within this message or the one beside it, each time at another of its fields.
      const first = { ...message, transactionReference: 'X'.repeat(1 + (extra % 16)), accountIdentification: 'Y'.repeat(17 + extra) };
      const length = Math.ceil(65_536 / bytes) + 3;
      for (const index of [length - 5, length - 4, length - 3]) {
        const messages = Array.from({ length }, (_, each) =>
          each === 0 ? first : each === index ? { ...message, closingBalance: balance } : message,
        );
        expect(refusalOf(swiftPack, { messages })![1]).toMatch(
          new RegExp(`^/messages/${index}/closingBalance: declared 1\\.00, computed 4\\.50`),
        );
      }
    }
  });

  it('keeps letters beyond ASCII, whatever field they are in', () => {
    const document = {
      ...statement(),
      transactionReference: 'É1',
      accountIdentification: 'Ü2',
      statementNumber: 'Ä3',
      sequenceNumber: 'Ö',
    };
    document.entries[0]!.information = { text: 'Überweisung' };
    const { entries, ...read } = documentOf(write({ messages: [document] })).messages[0];
    expect(read).toMatchObject({ transactionReference: 'É1', accountIdentification: 'Ü2', statementNumber: 'Ä3', sequenceNumber: 'Ö' });
    expect(entries[0].information.text).toBe('Überweisung');
  });

  it('has pages that join', () => {
    const document = documentOf(pages.map(plainMessage).join(''));
    document.messages[1].openingBalance.amount = '6.00';
    document.messages[1].closingBalance.amount = '1.00';
    expect(refusalOf(swiftPack, document)![1]).toMatch(/^\/messages\/1\/openingBalance: .*\(rule page-balance\)$/);
  });
});

it('the documentation names the settings of the writer', () => {
  for (const row of settingRows({ ...swiftPack, settings: swiftPack.writer!.settings })) expect(packPage(swiftPack)).toContain(row);
});

function place(document: unknown, way: readonly (string | number)[], part: unknown): void {
  let at = document as Record<string | number, unknown>;
  for (const key of way.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[way.at(-1)!] = part;
}
