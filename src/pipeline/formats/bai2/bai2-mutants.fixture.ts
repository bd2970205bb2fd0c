/** Files of BAI2 in which a single thing is wrong, by the rule that says so. */
import { Buffer } from 'node:buffer';
import { account, detailOnly, fileHeader, fileOf, fileWith, groupHeader } from './bai2-files.fixture.ts';

export const good = fileOf([[account, account], [account]]);
export const small = detailOnly('16,475,100,,,,', 100);

function replaced(file: string, from: string | RegExp, to: string): string {
  const result = file.replace(from, to);
  if (result === file) throw new Error(`nothing to replace: ${from}`);
  return result;
}

const withHeader = (header: string) => replaced(small, fileHeader, header);
const withGroup = (header: string) => replaced(small, groupHeader, header);
const withSummaries = (summaries: string, total: number) => fileWith({ header: `03,1,USD,${summaries}/`, details: [], total });

/** By rule: files in which a single thing is wrong. `~`: it is a warning. */
export const mutants: Readonly<Record<string, readonly (readonly [what: string, file: string | Uint8Array, severity?: 'warn'])[]>> = {
  encoding: [
    ['UTF-16', Buffer.from(`\ufeff${small}`, 'utf16le')],
    ['UTF-16 without a mark', Buffer.from(small, 'utf16le')],
  ],
  'control-character': [['NUL in a text', replaced(good, 'DEALER', 'DEA\0ER')]],
  'line-length': [['a text of 40,000 bytes', detailOnly(`16,475,100,,,,${'x'.repeat(40_000)}`, 100).replace(',80,1,2/', ',,,2/')]],
  'record-length': [['80 continuations of 20,000 bytes', withContinuations(80, 20_000)]],
  'blank-line': [['between details', replaced(good, '\n16,115', '\n\n16,115'), 'warn']],
  'record-code': [
    ['a code that is none', replaced(good, '16,409,000', '17,409,000')],
    ['a detail without a comma', replaced(good, '16,409,000', '16409,000')],
  ],
  'records-in-line': [
    ['two details', replaced(good, '/17,/\n16,409', '/17,/  16,409'), 'warn'],
    ['an account behind its group', replaced(small.replace(',80,1,2/', ',,,2/'), '/\n03,', '/  03,'), 'warn'],
    ['trailers behind each other', replaced(good, /\/\n(98|99),/g, '/ $1,'), 'warn'],
    ['a group behind the header', replaced(small.replace(',80,1,2/', ',,,2/'), '/\n02,', '/   02,'), 'warn'],
  ],
  'line-wrapped': [['a text in two lines', replaced(good, 'DEALER PAYMENTS', 'DEALER\nPAYMENTS'), 'warn']],
  'record-order': [
    ['a detail before the account', movedDetail()],
    ['a second file header', replaced(small, '\n02,', `\n${fileHeader}\n02,`).replace(',7/\n', ',8/\n')],
    ['a continuation at the beginning', `88,x/\n${small}`],
    ['a group trailer without a group', replaced(small, '\n99,', '\n98,0,0,1/\n99,').replace(',7/\n', ',8/\n')],
    ['an account trailer too many', replaced(small, '\n98,', '\n49,0,1/\n98,').replace(',5/', ',6/').replace(',7/\n', ',8/\n')],
  ],
  'file-header-missing': [
    ['the header left out', replaced(small, `${fileHeader}\n`, '').replace(',7/\n', ',6/\n')],
    ['an empty file', ''],
  ],
  'account-trailer-missing': [
    [
      'left out',
      replaced(small, /49,.*\n/, '')
        .replace(',5/', ',4/')
        .replace(',7/\n', ',6/\n'),
    ],
  ],
  'group-trailer-missing': [['left out', replaced(small, /98,.*\n/, '').replace(',7/\n', ',6/\n')]],
  'file-trailer-missing': [['left out', replaced(good, /99,.*\n$/, '')]],
  'after-file-trailer': [['a second file', small + small]],
  'file-without-groups': [['only header and trailer', `${fileHeader}\n99,0,0,2/\n`, 'warn']],
  'group-without-accounts': [['no account', fileOf([[]]), 'warn']],
  'physical-record-length': [
    ['longer than declared', replaced(good, ',80,1,2/', ',40,1,2/'), 'warn'],
    ['a later line', replaced(good, 'DEALER', 'DEALER DEALER DEALER DEALER DEALER DEALER DEALER DEALER DEALER'), 'warn'],
  ],
  'delimiter-missing': [
    ['file trailer', replaced(small, ',7/\n', ',7\n'), 'warn'],
    ['an account line', replaced(good, '190,70000000,4,0/\n88', '190,70000000,4,0\n88'), 'warn'],
  ],
  'delimiter-inside': [['something behind the slash', withGroup(`${groupHeader} 3,1,,,,,/`)]],
  'field-missing': [
    ['version', withHeader('01,122099999,123456789,260621,0200,1,80,1/')],
    ['references', detailOnly('16,475,100,/', 100)],
    ['record count', replaced(small, ',7/\n', '/\n')],
  ],
  'field-extra': [['a field after the version', withHeader('01,122099999,123456789,260621,0200,1,80,1,2,7/'), 'warn']],
  'field-required': [
    ['sender', withHeader('01,,123456789,260621,0200,1,80,1,2/')],
    ['file number', withHeader('01,122099999,123456789,260621,0200,,80,1,2/')],
    ['originator', withGroup('02,031001234,,1,260620,2359,USD,2/')],
    ['as-of date', withGroup('02,031001234,122099999,1,,2359,USD,2/')],
    ['account number', replaced(small, '03,1,', '03,,')],
  ],
  date: [
    ['30 February', withHeader('01,122099999,123456789,260230,0200,1,80,1,2/')],
    ['eight digits', withGroup('02,031001234,122099999,1,20260620,2359,USD,2/')],
    ['value date', replaced(good, 'V,260620,2400', 'V,261320,2400')],
  ],
  time: [
    ['2460', withHeader('01,122099999,123456789,260621,2460,1,80,1,2/')],
    ['1260', withGroup('02,031001234,122099999,1,260620,1260,USD,2/')],
    ['letters', replaced(good, 'V,260620,2400', 'V,260620,noon')],
  ],
  'time-clock': [['with colons', withHeader('01,122099999,123456789,260621,14:59:35,1,80,1,2/'), 'warn']],
  number: [['block size', withHeader('01,122099999,123456789,260621,0200,1,80,x,2/')]],
  version: [['3', withHeader('01,122099999,123456789,260621,0200,1,80,1,3/')]],
  'group-status': [
    ['5', withGroup('02,031001234,122099999,5,260620,2359,USD,2/')],
    ['0', withGroup('02,031001234,122099999,0,260620,2359,USD,2/'), 'warn'],
    ['empty', withGroup('02,031001234,122099999,,260620,2359,USD,2/'), 'warn'],
  ],
  'as-of-date-modifier': [['7', withGroup('02,031001234,122099999,1,260620,2359,USD,7/')]],
  'currency-form': [['two letters', withGroup('02,031001234,122099999,1,260620,2359,US,2/')]],
  'currency-unknown': [['DEM', withGroup('02,031001234,122099999,1,260620,2359,DEM,2/'), 'warn']],
  'type-code-form': [
    ['two digits', replaced(good, '16,165,', '16,65,')],
    ['a letter', withSummaries('1O0,5,,', 5)],
    ['none', replaced(good, '16,165,', '16,,'), 'warn'],
  ],
  'type-code-unknown': [['detail 111', replaced(good, '16,165,', '16,111,'), 'warn']],
  'type-code-level': [
    ['a status as detail', replaced(good, '16,165,', '16,010,'), 'warn'],
    ['a detail as summary', withSummaries('475,5,,', 5), 'warn'],
  ],
  'status-availability': [['item count', withSummaries('010,5,2,', 5), 'warn']],
  'non-monetary-amount': [['an amount', detailOnly('16,890,100,,,,LATE', 100), 'warn']],
  'amount-form': [
    ['decimal point', replaced(detailOnly('16,475,100,,,,', 0), '16,475,100', '16,475,1.00')],
    ['25 digits', replaced(detailOnly('16,475,100,,,,', 0), '16,475,100', `16,475,${'9'.repeat(25)}`)],
    ['availability', replaced(good, 'S,500,300,200', 'S,500,3x0,200')],
  ],
  'amount-sign': [['a negative detail', detailOnly('16,475,-100,,,,', -100), 'warn']],
  'item-count': [['letters', withSummaries('100,5,some,', 5)]],
  'funds-type': [
    ['X', detailOnly('16,475,100,X,,,', 100)],
    ['two letters', withSummaries('100,5,1,00', 5)],
  ],
  'availability-sum': [
    ['three days', replaced(good, 'S,500,300,200', 'S,500,300,201'), 'warn'],
    ['distributions', replaced(good, 'D,2,0,100,1,150', 'D,2,0,100,1,151'), 'warn'],
  ],
  'account-control-total': [
    ['trailer', replaced(small, '49,100,3/', '49,101,3/').replace('98,100', '98,101').replace('99,100', '99,101')],
    ['a detail', replaced(good, '16,165,1500000', '16,165,1500001')],
  ],
  'account-record-count': [['49', replaced(small, '49,100,3/', '49,100,4/')]],
  'group-control-total': [['98', replaced(small, '98,100', '98,-100').replace('99,100', '99,-100')]],
  'group-account-count': [['98', replaced(small, '98,100,1,5/', '98,100,2,5/')]],
  'group-record-count': [['98', replaced(small, '98,100,1,5/', '98,100,1,6/')]],
  'file-control-total': [['99', replaced(small, '99,100,', '99,99,')]],
  'file-group-count': [['99', replaced(small, '99,100,1,7/', '99,100,0,7/')]],
  'file-record-count': [['99', replaced(small, '99,100,1,7/', '99,100,1,8/')]],
};

function withContinuations(count: number, bytes: number): string {
  return detailOnly(['16,475,100,,,,', ...Array.from({ length: count }, () => `88,${'x'.repeat(bytes)}`)].join('\n'), 100).replace(
    ',80,1,2/',
    ',,,2/',
  );
}

function movedDetail(): string {
  const file = fileWith({ header: '03,1,,,,,/', details: [], total: 0 });
  return replaced(file, '\n03,', '\n16,475,0,,,,x\n03,').replace('98,0,1,4/', '98,0,1,5/').replace('99,0,1,6/', '99,0,1,7/');
}
