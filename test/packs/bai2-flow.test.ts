/** Flows whose format is bai2: what they read of reports, good and bad. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { account, detailOnly, fileOf, fileWith } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { good, mutants, small } from '../../src/pipeline/formats/bai2/bai2-mutants.fixture.ts';
import { bai2Pack } from '../../src/pipeline/formats/bai2/bai2-pack.ts';
import { headerFields, recordFields, trailerFields } from '../../src/pipeline/formats/bai2/flow-fields.ts';
import { documentedCells, fieldCells, packPage } from '../../src/pipeline/formats/statements/pack-page.fixture.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import {
  accountsOf,
  convert,
  documentedExample,
  expectSameByEveryPath,
  isRefused,
  linesOf,
  packFlow,
  problemsOf,
  sumsOf,
} from '../support/pack-flows.ts';
import { expectedVerdicts, itWithPublicData } from '../support/public-data.ts';

/** A report may have no transactions. */
const plan = packFlow('{ type: bai2 }', ['acceptance: { emptyFile: accept }']);

it('reads a detail with its group and its account as one record', async () => {
  const [header, first, second, , , ...rest] = linesOf(await convert(plan, Buffer.from(good)));
  expect(header).toEqual({
    record: 'header',
    line: 1,
    offset: 0,
    sender: '122099999',
    receiver: '123456789',
    fileCreatedDate: '2026-06-21',
    fileCreatedTime: '0200',
    fileIdNumber: '1',
    physicalRecordLength: 80,
    blockSize: 1,
    versionNumber: 2,
  });
  const context = {
    record: 'record',
    groupNumber: 1,
    receiver: '031001234',
    originator: '122099999',
    groupStatus: 1,
    asOfDate: '2026-06-20',
    asOfTime: '2359',
    asOfDateModifier: 2,
    accountNumber: '0975312468',
    currency: 'USD',
    openingLedger: '5000.00',
    closingLedger: null,
    openingAvailable: null,
    closingAvailable: null,
    immediateAmount: null,
    oneDayAmount: null,
    twoDayAmount: null,
    valueDate: null,
    valueTime: null,
    distributions: null,
    bankReferenceNumber: null,
    customerReferenceNumber: null,
  };
  expect(first).toEqual({
    ...context,
    line: 5,
    offset: good.indexOf('16,165'),
    detailNumber: 1,
    typeCode: '165',
    amount: 15_000,
    credit: 15_000,
    debit: null,
    controlAmount: 1_500_000,
    fundsType: '1',
    bankReferenceNumber: 'DD1620',
    text: 'DEALER PAYMENTS',
    lines: 1,
  });
  expect(second).toMatchObject({
    detailNumber: 2,
    amount: 10,
    credit: 10,
    fundsType: 'S',
    immediateAmount: 5,
    oneDayAmount: 3,
    twoDayAmount: 2,
    text: 'LOCKBOX\nDEPOSIT, MISC. RECEIVABLES',
    lines: 2,
  });
  expect(rest[0]).toMatchObject({ groupNumber: 1, detailNumber: 5 });
  expect(rest.at(-1)).toMatchObject({
    record: 'trailer',
    fileControlTotal: String(3 * account.total),
    numberOfGroups: 2,
    groups: 2,
    accounts: 3,
    summaryTotal: String(3 * (500_000 + 70_000_000 + 1_500_000 + 250)),
    otherLines: 15,
  });
});

it.each([
  ['S', '16,475,6,S,1,2,3,BANK,CUSTOMER,T', { immediateAmount: 0.01, oneDayAmount: 0.02, twoDayAmount: 0.03 }],
  ['v', '16,475,6,v,260620,2400,BANK,CUSTOMER,T', { valueDate: '2026-06-20', valueTime: '2400' }],
  ['D', '16,475,6,D,2,0,1,3,5,BANK,CUSTOMER,T', { distributions: '0,1,3,5' }],
  ['Z', '16,475,6,Z,BANK,CUSTOMER,T', {}],
])('reads what follows the funds type %s', async (_, detail, funds) => {
  const [, line] = linesOf(await convert(plan, Buffer.from(detailOnly(detail, 6))));
  const none = { immediateAmount: null, oneDayAmount: null, twoDayAmount: null, valueDate: null, valueTime: null, distributions: null };
  expect(line).toMatchObject({
    amount: 0.06,
    bankReferenceNumber: 'BANK',
    customerReferenceNumber: 'CUSTOMER',
    text: 'T',
    ...none,
    ...funds,
  });
});

it.each([
  ['JPY', '16,475,-17,,,,', { amount: -17, debit: -17, controlAmount: -17 }],
  ['KWD', '16,165,12345,,,,', { amount: 12.345, credit: 12.345, debit: null, controlAmount: 12_345 }],
  ['USD', '16,890,,,,,LATE', { amount: null, credit: null, debit: null, controlAmount: null }],
])('counts amounts in units of %s', async (currency, detail, amounts) => {
  const file = fileWith({ header: `03,1,${currency},015,-250,,/`, details: [detail], total: -250 + (amounts.controlAmount ?? 0) });
  const converted = await convert(plan, Buffer.from(file));
  expect(converted.damage).toEqual([]);
  expect(linesOf(converted)[1]).toMatchObject({ currency, ...amounts });
  const { reference } = accountsOf(plan, converted.lines);
  expect(reference.findings).toEqual([]);
});

it('keeps texts in UTF-8, in ISO 8859-1 and with control characters of JSON', async () => {
  for (const bytes of [Buffer.from(small), Buffer.from(small, 'latin1')].map((_, index) =>
    Buffer.from(detailOnly('16,475,100,,,,"D\u00c9ALER" \\ \tX', 100), index === 0 ? 'utf8' : 'latin1'),
  ))
    expect(linesOf(await convert(plan, bytes))[1]).toMatchObject({ text: '"D\u00c9ALER" \\ \tX' });
});

it('comes to the same by every path, and to what the pack comes to', async () => {
  for (const file of [good, small, fileOf([[account], [account, account, account]])]) {
    const { lines, damage } = await convert(plan, Buffer.from(file));
    expect(damage).toEqual([]);
    const { summary } = runPack(bai2Pack, file);
    const reference = expectSameByEveryPath(plan, lines);
    expect(reference.findings).toEqual([]);
    expect(reference.totals).toMatchObject({ records: { read: summary.records.read, rejected: 0 } });
    for (const side of ['credit', 'debit'] as const) expect([side, sumsOf(reference, side)]).toEqual([side, summary.amounts[side]]);
    expect(problemsOf(plan, lines)).toEqual([]);
  }
});

it('gives the same lines in whatever pieces the file comes', async () => {
  const bytes = Buffer.from(good);
  const whole = await convert(plan, bytes);
  for (let pieceBytes = 1; pieceBytes < 200; pieceBytes += 7) expect(await convert(plan, bytes, pieceBytes)).toEqual(whole);
});

const named = Object.entries(mutants).flatMap(([rule, list]) => list.map(([what, file]) => ({ rule, what, bytes: Buffer.from(file) })));

it.each(named)('refuses of a file what the pack refuses: $rule: $what', async ({ bytes }) => {
  expect(await isRefused(plan, bytes)).toBe(runPack(bai2Pack, bytes).errors.length > 0);
});

it('lets totals that are wrong pass where the flow says so', async () => {
  const file = good.replace('16,165,1500000', '16,165,1500001');
  expect(await isRefused(plan, Buffer.from(file))).toBe(true);
  expect(await isRefused(packFlow('{ type: bai2, totals: warn }'), Buffer.from(file))).toBe(false);
});

it.each([
  ['a detail that is left out', (lines: string[]) => lines.toSpliced(2, 1), ['BAI2-TOTAL', 'BAI2-RECORDS']],
  ['a detail that comes twice', (lines: string[]) => lines.toSpliced(2, 0, lines[2]!), ['BAI2-TOTAL', 'BAI2-RECORDS']],
  ['another number of groups', (lines: string[]) => lines.with(-2, lines.at(-2)!.replace('"groups":2', '"groups":3')), ['BAI2-GROUPS']],
])('holds a file of whose lines the totals are others: %s', async (_, change, codes) => {
  const { lines } = await convert(plan, Buffer.from(good));
  expect(problemsOf(plan, Buffer.from(change(lines.toString().split('\n')).join('\n')))).toEqual(codes);
});

it.each([
  ['in a field', '16,115,1000,S', '16,115,1000,X', 6, 'funds-type'],
  ['in its first line', 'LOCKBOX', 'LOCK\u0001BOX', 6, 'control-character'],
  ['in its last line', 'DEPOSIT', 'DE\u0001OSIT', 7, 'control-character'],
])('rejects a detail for what is wrong %s, and no other', async (_, from, to, line, rule) => {
  const file = good.replace(from, to);
  const { lines, damage } = await convert(plan, Buffer.from(file));
  expect(damage).toEqual([]);
  const { findings } = expectSameByEveryPath(plan, lines);
  const [finding] = runPack(bai2Pack, file).errors;
  const said = `line ${line}, columns ${finding!.columns!.join(' to ')}: ${finding!.message}`;
  expect(findings).toEqual([[2, expect.any(Number), finding!.code, finding!.field, rule, said]]);
  expect(runPack(bai2Pack, file).summary.records.rejected).toBe(1);
});

it('says what is wrong with a line of a detail of that detail, where lines hold several', async () => {
  const file = good.replace('16,165', '16,165').replace('PAYMENTS\n16,115', 'PAY\u0001MENTS/ 16,115');
  const { lines, damage } = await convert(packFlow('{ type: bai2, totals: warn }'), Buffer.from(file));
  expect(damage).toEqual([]);
  const { findings } = expectSameByEveryPath(packFlow('{ type: bai2, totals: warn }'), lines);
  expect(findings).toMatchObject([[1, expect.any(Number), 'E_BAI2_STRUCTURE', null, 'control-character', expect.any(String)]]);
});

it('holds a file for a detail outside of accounts, which has nothing of the account before it', async () => {
  const file = small.replace('\n98,', '\n16,475,5,,,,\n98,');
  const { lines, damage } = await convert(plan, Buffer.from(file));
  expect(damage[0]).toMatchObject({ rule: 'record-order', message: expect.stringContaining('not in an account') });
  const [, , outside] = linesOf({ lines, damage });
  expect(outside).toMatchObject({ detailNumber: 2, accountNumber: null, currency: null, originator: null });
});

it('adds what a flow says of a field', () => {
  const refined = packFlow('{ type: bai2 }', ['schema: { record: { fields: { amount: { type: decimal, scale: 4, max: "1000.00" } } } }']);
  expect(refined.records[1]!.fields.find(({ name }) => name === 'amount')).toMatchObject({ max: '1000.00', sum: true });
});

it('masks account numbers and texts', () => {
  const masked = plan.records[1]!.fields.filter(({ mask }) => mask !== 'none').map(({ name, mask }) => [name, mask]);
  expect(masked).toEqual([
    ['accountNumber', 'last4'],
    ['text', 'all'],
  ]);
});

it('is on its page with every field, and with an example that holds', async () => {
  const page = packPage(bai2Pack);
  expect(documentedCells(page, 'Fields of the file header')).toEqual(fieldCells(headerFields));
  expect(documentedCells(page, 'Fields of a detail')).toEqual(fieldCells(recordFields));
  expect(documentedCells(page, 'Fields of the file trailer')).toEqual(fieldCells(trailerFields));
  const { made, said } = await documentedExample(page);
  expect(said).not.toBe('');
  expect(made).toBe(said);
});

itWithPublicData('bai2', 'flows take the public files, and read as many details as another reader', async (folder) => {
  interface Group {
    readonly Accounts: readonly { readonly Details: readonly { readonly Amount: string }[] | null }[];
  }
  const verdicts = expectedVerdicts<{ file: string; moovValid: boolean; moovParsed: { Groups: readonly Group[] } }>(folder);
  expect(verdicts.length).toBeGreaterThan(0);
  for (const { file, moovValid, moovParsed } of verdicts) {
    const bytes = readFileSync(join(folder, file));
    expect([file, await isRefused(plan, bytes)]).toEqual([file, !moovValid]);
    const theirs = moovParsed.Groups.flatMap(({ Accounts }) => Accounts.flatMap(({ Details }) => Details ?? [])).map(({ Amount }) =>
      Number(Amount),
    );
    const ours = linesOf(await convert(plan, bytes)).filter(({ record }) => record === 'record');
    expect([file, ours.map(({ controlAmount }) => controlAmount ?? 0)]).toEqual([file, theirs]);
  }
});
