import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { packPage, ruleRows, settingRows } from '../statements/pack-page.fixture.ts';
import { runPack } from '../statements/pack-run.fixture.ts';
import { detailOnly, fileWith } from './bai2-files.fixture.ts';
import { good, mutants, small } from './bai2-mutants.fixture.ts';
import { bai2Pack } from './bai2-pack.ts';

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
    ['a text that holds a slash and a number after it', detailOnly('16,475,100,,,,PAID 3/ 16, 2026, ROOM 2/ 03, 49/ 49, 99/ 98,1', 100)],
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
