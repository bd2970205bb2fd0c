import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { packPage, ruleRows, settingRows } from '../statements/pack-page.fixture.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import { account, detailOnly, fileHeader, fileOf, fileWith, groupHeader } from './bai2-files.fixture.ts';
import { bai2Pack } from './bai2-pack.ts';

const good = fileOf([[account, account], [account]]);
const small = detailOnly('16,475,100,,,,', 100);

function replaced(file: string, from: string | RegExp, to: string): string {
  const result = file.replace(from, to);
  if (result === file) throw new Error(`nothing to replace: ${from}`);
  return result;
}

const withHeader = (header: string) => replaced(small, fileHeader, header);
const withGroup = (header: string) => replaced(small, groupHeader, header);
const withSummaries = (summaries: string, total: number) => fileWith({ header: `03,1,USD,${summaries}/`, details: [], total });

/** By rule: files in which a single thing is wrong. `~`: it is a warning. */
const mutants: Readonly<Record<string, readonly (readonly [what: string, file: string | Uint8Array, severity?: 'warn'])[]>> = {
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

it('a file without mistakes has no findings', () => {
  expect(runPack(bai2Pack, good).findings).toEqual([]);
  expect(runPack(bai2Pack, small).findings).toEqual([]);
});

it('every rule has a mutant', () => {
  expect(Object.keys(mutants).sort()).toEqual(Object.keys(bai2Pack.rules).sort());
});

const rows = Object.entries(mutants).flatMap(([rule, list]) => list.map(([what, file, severity]) => ({ rule, what, file, severity })));

it.each(rows)('$rule: $what', ({ rule, file, severity = 'error' }) => {
  const { findings } = runPack(bai2Pack, file);
  expect(findings.map((finding) => [finding.rule, finding.severity, finding.code])).toEqual(
    findings.map(() => [rule, severity, bai2Pack.rules[rule]!.code]),
  );
  expect(findings.length).toBeGreaterThan(0);
});

describe('what harms nothing is not refused', () => {
  it.each([
    ['CR', good.replaceAll('\n', '\r')],
    ['CRLF', good.replaceAll('\n', '\r\n')],
    ['no line end at the end', good.trimEnd()],
    ['blank lines at the end', `${good}\n \n\u001a`],
    ['a byte order mark', `\ufeff${good}`],
    ['lines filled with spaces', good.replaceAll('\n', '   \n')],
    ['spaces around fields', good.replace('02,031001234,122099999', '02, 031001234 , 122099999')],
    ['another letter in a text', good.replace('DEALER', 'DEALES')],
    ['letters outside ASCII', good.replace('DEALER', 'DÉALER')],
    ['bytes that are no UTF-8', Buffer.from(good.replace('DEALER', 'DÉALER'), 'latin1')],
    ['another amount with its totals', detailOnly('16,475,101,,,,', 101)],
    ['another account number', good.replace('0975312468', '0975312469')],
    ['no currency', good.replaceAll('USD', '')],
    ['9999 as time', good.replace('2359', '9999')],
    ['a code of the bank', good.replace('16,165,', '16,925,')],
    ['a detail that says nothing of money', detailOnly('16,890,,,,,REPORTS WILL BE LATE', 0)],
    ['slashes in a text', good.replace('DEALER', 'A/B/C')],
    ['an account that reports nothing', fileWith({ header: '03,5765432,,,,,/', details: [], total: 0 })],
    ['empty totals', fileWith({ header: '03,5765432,/', details: [], total: 0 }).replace('49,0,', '49,,')],
    ['a comma too many in a line', fileWith({ header: '03,1,USD,010,5,,,/\n88,015,6,,,/', details: [], total: 11 })],
    ['leading zeros', good.replace(/^99,(\d+),/m, '99,+00000$1,')],
    ['a text that begins in a continuation', detailOnly('16,475,100,,NW17,/\n88,TEXT, AND MORE', 100)],
    ['funds type Z', detailOnly('16,475,100,Z,,,', 100)],
  ])('%s', (_, file) => {
    expect(runPack(bai2Pack, file).errors).toEqual([]);
  });
});

describe('settings', () => {
  it('totals: warn lets wrong totals pass, and says that the file does not balance', () => {
    const run = runPack(bai2Pack, good.replace('16,165,1500000', '16,165,1500001'), { settings: { totals: 'warn' } });
    expect(run.errors).toEqual([]);
    expect(run.rules).toEqual(['account-control-total']);
    expect(run.summary.controlTotals.balanced).toBe(false);
  });

  it('unknownTypeCodes: refuse and allow', () => {
    const file = good.replace('16,165,', '16,111,');
    expect(runPack(bai2Pack, file, { settings: { unknownTypeCodes: 'refuse' } }).errors.length).toBe(1);
    expect(runPack(bai2Pack, file, { settings: { unknownTypeCodes: 'allow' } }).findings).toEqual([]);
  });

  it('otherVersions reads a file that says 3', () => {
    expect(runPack(bai2Pack, good.replace(',80,1,2/', ',80,1,3/'), { settings: { otherVersions: true } }).errors).toEqual([]);
  });
});

it('the page of the pack has every rule and setting', () => {
  const page = packPage(bai2Pack).split('\n');
  expect(page).toEqual(expect.arrayContaining([...ruleRows(bai2Pack), ...settingRows(bai2Pack)]));
});
