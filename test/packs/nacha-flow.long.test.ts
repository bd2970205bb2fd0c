/** Flows whose format is nacha: what they read of ACH files, good and bad. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { achFile, readAch } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { moreMutants } from '../../src/pipeline/formats/nacha/more-mutants.fixture.ts';
import type { Mutant } from '../../src/pipeline/formats/nacha/mutant-making.fixture.ts';
import { mutants } from '../../src/pipeline/formats/nacha/mutants.fixture.ts';
import { type SampleName, sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import {
  accountsOf,
  convert,
  expectSameByEveryPath,
  isRefused,
  linesOf,
  packFlow,
  packFlowText,
  problemsOf,
} from '../support/pack-flows.ts';
import { expectedVerdicts, itWithPublicData } from '../support/public-data.ts';

/** A file without entries is as good as another. */
const more = ['acceptance: { emptyFile: accept }'];
const plan = packFlow('{ type: nacha }', more);
const samples = Object.keys(sampleBatches) as SampleName[];
const fileOf = (...names: SampleName[]) => Buffer.from(achFile(...names.map((name) => sampleBatches[name])).text(), 'latin1');

it.each(samples)('reads an entry of class %s as one record, whatever path takes it', async (name) => {
  const bytes = fileOf(name);
  const { summary } = readAch(bytes);
  const converted = await convert(plan, bytes);
  expect(converted.damage).toEqual([]);
  const { reference, engines } = accountsOf(plan, converted.lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  expect(reference.findings).toEqual([]);
  expect(reference.totals).toMatchObject({ records: { read: summary.records.read, rejected: 0 } });
  const sums = (reference.totals as { amounts: { read: Record<string, { byCurrency: Record<string, string> }> } }).amounts.read;
  for (const side of ['credit', 'debit'] as const)
    expect([side, sums[side]?.byCurrency['USD'] ?? '0']).toEqual([side, String(Number(summary.amounts[side]!['USD']!.replace('.', '')))]);
});

it('gives the same lines in whatever pieces the file comes', async () => {
  const bytes = fileOf('IAT');
  const whole = await convert(plan, bytes);
  for (let pieceBytes = 1; pieceBytes < 200; pieceBytes += 7) expect(await convert(plan, bytes, pieceBytes)).toEqual(whole);
});

const named: readonly (readonly [string, Mutant])[] = [
  ...Object.entries(mutants),
  ...moreMutants.map((mutant) => [`${mutant.rule}: ${mutant.name}`, mutant] as const),
];

it.each(named)('refuses of a file what the pack refuses: %s', async (_, { of, change, settings }) => {
  const changed = change(achFile(...of.map((name) => sampleBatches[name])));
  const bytes = Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1');
  const flow = settings === undefined ? plan : packFlow(JSON.stringify({ type: 'nacha', ...settings }), more);
  const { findings } = readAch(bytes, settings);
  expect(await isRefused(flow, bytes)).toBe(findings.some(({ severity }) => severity === 'error'));
});

type Change = (file: ReturnType<typeof achFile>) => string;

it.each<readonly [setting: string, policy: string, change: Change]>([
  ...['warn', 'accept'].flatMap((policy): [string, string, Change][] => [
    ['missingFileControl', policy, (file) => file.text().replace(/^9[\s\S]*/m, '')],
    ['missingFileHeader', policy, (file) => file.text().replace(/^1.*\n/, '')],
    ['addendaCounts', policy, (file) => file.set('fileControl', 'entryAddendaCount', 7).text()],
    ['transactionCodes', policy, (file) => file.set('entryDetail', 'transactionCode', 25).text()],
  ]),
])('takes what its settings take of the file as a whole: %s: %s', async (setting, policy, change) => {
  const bytes = Buffer.from(change(achFile(sampleBatches.PPD)), 'latin1');
  const flow = packFlow(JSON.stringify({ type: 'nacha', [setting]: policy }));
  expect(readAch(bytes, { [setting]: policy }).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(await isRefused(flow, bytes)).toBe(false);
  expect(await isRefused(plan, bytes)).toBe(true);
  const { lines } = await convert(flow, bytes);
  expectSameByEveryPath(flow, lines);
});

it('compares the totals of a file control that is there also where it may be missing', async () => {
  const flow = packFlow('{ type: nacha, missingFileControl: accept }');
  const { lines } = await convert(flow, fileOf('PPD'));
  expect(problemsOf(flow, lines)).toEqual([]);
  const other = Buffer.from(lines.toString().replace(/"totalDebit":[0-9.]+/, '"totalDebit":0.01'));
  expect(other).not.toEqual(lines);
  expect(problemsOf(flow, other)).toEqual(['NACHA-DEBIT']);
});

it('compares both totals together with the amounts of all entries where one is neither debit nor credit', async () => {
  const settings = { transactionCodes: 'accept' };
  const flow = packFlow(JSON.stringify({ type: 'nacha', ...settings }));
  const file = achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 25);
  const right = (await convert(flow, Buffer.from(file.text(), 'latin1'))).lines;
  expect(problemsOf(flow, right)).toEqual([]);
  expect(problemsOf(flow, Buffer.from(right.toString().replace(/"totalDebit":[0-9.]+/, '"totalDebit":0.01')))).toEqual(['NACHA-DEBIT']);
  file.set('batchControl', 'totalDebit', 1).set('fileControl', 'totalCredit', 2);
  const { findings, summary } = readAch(Buffer.from(file.text(), 'latin1'), settings);
  expect(findings.map(({ rule, message }) => [rule, message])).toEqual([
    ['batch-debit', 'debits and credits declared 10.01, computed 20.00'],
    ['file-debit', 'debits and credits declared 10.02, computed 20.00'],
  ]);
  expect(summary.controlTotals.balanced).toBe(false);
});

it.each(['refuse', 'accept'])(
  'rejects an entry of an unknown transaction code, where it is refused, and not its file: %s',
  async (policy) => {
    const flow = packFlow(JSON.stringify({ type: 'nacha', transactionCodes: policy }));
    // 10.00 to credit, 10.00 to debit: declared 10.00 and 10.00.
    const file = achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 25);
    const { lines, damage } = await convert(flow, Buffer.from(file.text(), 'latin1'));
    expect(damage).toEqual([]);
    const { findings } = expectSameByEveryPath(flow, lines);
    expect((findings as unknown[][]).map(([record, , code, field]) => [record, code, field])).toEqual(
      policy === 'refuse' ? [[1, 'E_NACHA_FIELD', 'transactionCode']] : [],
    );
    expect(problemsOf(flow, lines)).toEqual([]);
  },
);

it.each([
  ['debit', 2_500, 2_500, 'NACHA-DEBIT', 'declared 25.00, computed 30.00 at the least'],
  ['credit', 4_500, 500, 'NACHA-CREDIT', 'declared 5.00, computed 10.00 at the least'],
] as const)('lets no total be less than the %ss that are known where an entry is neither', async (side, debits, credits, code, message) => {
  const settings = { transactionCodes: 'accept' };
  const flow = packFlow(JSON.stringify({ type: 'nacha', ...settings }));
  // 10.00 of an unknown code, 10.00 to credit, 30.00 to debit.
  const entries = achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 27, 2).set('entryDetail', 'amount', 3_000, 2);
  const right = entries.set('entryDetail', 'transactionCode', 25);
  const declaring = (debit: number, credit: number) =>
    ['batchControl', 'fileControl'].reduce(
      (file, record) => file.set(record as 'fileControl', 'totalDebit', debit).set(record as 'fileControl', 'totalCredit', credit),
      right,
    );
  const good = Buffer.from(declaring(4_000, 1_000).text(), 'latin1');
  expect(readAch(good, settings).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { lines } = await convert(flow, good);
  expect(problemsOf(flow, lines)).toEqual([]);
  const [debit, credit] = [debits / 100, credits / 100].map((amount) => amount.toFixed(2));
  const wrong = lines.toString().replace(/"totalDebit":[0-9.]+,"totalCredit":[0-9.]+/, `"totalDebit":${debit},"totalCredit":${credit}`);
  expect(problemsOf(flow, Buffer.from(wrong))).toContain(code);
  const { findings } = readAch(Buffer.from(declaring(debits, credits).text(), 'latin1'), settings);
  expect(findings.filter(({ severity }) => severity === 'error').map(({ rule, message: said }) => [rule, said])).toEqual([
    [`batch-${side}`, message],
    [`file-${side}`, message],
  ]);
});

it('says what is wrong with an entry, and where it is in the file as received', async () => {
  const file = achFile(sampleBatches.PPD);
  file.set('entryDetail', 'checkDigit', 9);
  const bytes = Buffer.from(file.text(), 'latin1');
  const { lines } = await convert(plan, bytes);
  const { reference } = accountsOf(plan, lines);
  const [finding] = readAch(bytes).findings;
  expect(reference.findings).toEqual([
    [1, expect.any(Number), finding!.code, 'checkDigit', 'check-digit', `line 3, columns 12 to 12: ${finding!.message}`],
  ]);
  expect(linesOf(await convert(plan, bytes))[1]).toMatchObject({ line: 3, offset: 190 });
});

it('says of what the flow itself finds in an entry at which line of the file as received it is', async () => {
  const strict = packFlow('{ type: nacha }', [
    'schema: { record: { fields: { amount: { type: decimal, scale: 2, max: "1.00" } } } }',
    'validate: [{ id: payroll, assert: "record.companyEntryDescription == \'PAYROLL\'", code: ACH1, message: "line of business is another" }]',
  ]);
  const warning = packFlow('{ type: nacha }', [
    'validate: [{ id: known, assert: "record.amount < 0", code: ACH2, message: "not below zero", severity: warn }]',
  ]);
  const failing = packFlow('{ type: nacha }', ['transform: [{ id: shape, set: { number: "int(record.individualName)" } }]']);
  const { lines } = await convert(strict, fileOf('PPD'));
  expect(expectSameByEveryPath(strict, lines).findings).toEqual([
    [1, expect.any(Number), 'E_RANGE', 'amount', null, 'line 3: out of bounds'],
    [2, expect.any(Number), 'E_RANGE', 'amount', null, 'line 4: out of bounds'],
    [3, expect.any(Number), 'ACH1', null, 'payroll', 'line 6: line of business is another'],
  ]);
  const { findings } = expectSameByEveryPath(failing, lines);
  expect(findings).toContainEqual([1, expect.any(Number), 'E_EXPRESSION', 'number', null, expect.stringMatching(/^line 3: /)]);
  expect(expectSameByEveryPath(warning, lines).warnings).toContainEqual([
    3,
    expect.any(Number),
    'ACH2',
    null,
    'known',
    'line 6: not below zero',
  ]);
});

it('says of a total that does not agree which field it is, and amounts as amounts', async () => {
  const file = achFile(sampleBatches.PPD);
  file.set('fileControl', 'totalCredit', 12_345);
  const { damage } = await convert(plan, Buffer.from(file.text(), 'latin1'));
  expect(damage.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^line \d+, columns 44 to 55, totalCredit: declared 123\.45, computed \d+\.\d\d$/),
  ]);
});

it('keeps an entry of which there is only a warning, and the warning', async () => {
  const bytes = Buffer.from(
    achFile(sampleBatches.IAT)
      .text()
      .replace(/^(6.{15}).{13}/m, '$1RESERVED     '),
    'latin1',
  );
  const { rule, code, severity } = readAch(bytes).findings[0]!;
  expect([rule, severity]).toEqual(['reserved', 'warn']);
  const { reference, engines } = accountsOf(plan, (await convert(plan, bytes)).lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  expect(reference.findings).toEqual([]);
  expect(reference.warnings).toEqual([
    [1, expect.any(Number), code, 'reserved', rule, expect.stringMatching(/^line 3, columns 17 to 29: /)],
  ]);
  expect(reference.totals).toMatchObject({ records: { read: 2, valid: 2 }, warned: 1 });
});

it('adds what a flow says of a field, and refuses what is the pack’s own', () => {
  const refined = packFlow('{ type: nacha }', ['schema: { record: { fields: { amount: { type: decimal, scale: 2, max: "1000.00" } } } }']);
  expect(refined.records[1]!.fields.find(({ name }) => name === 'amount')).toMatchObject({ max: '1000.00', required: true, sum: true });
  const codes = (schema: string) => loadFlow(packFlowText('{ type: nacha }', [`schema: ${schema}`])).diagnostics.map(({ code }) => code);
  expect(codes('{ record: { fields: { amuont: { type: string } } } }')).toEqual(['E_CONFIG_REFERENCE']);
  expect(codes('{ record: { fields: { amount: { type: string } } } }')).toEqual(['E_CONFIG_CONFLICT']);
  expect(codes('{ records: { a: { fields: { amount: { type: string } } } } }')).toEqual(['E_CONFIG_CONFLICT']);
});

itWithPublicData('ach', 'flows refuse of public ACH files those that are invalid', async (folder) => {
  const verdicts = expectedVerdicts<{ file: string; kind?: string; valid: boolean }>(folder).filter(
    ({ file, kind }) => kind === undefined && !file.endsWith('.json'),
  );
  expect(verdicts.length).toBeGreaterThan(0);
  for (const { file, valid } of verdicts) expect([file, await isRefused(plan, readFileSync(join(folder, file)))]).toEqual([file, !valid]);
});

it.each([
  ['the header', 45],
  ['an entry', 250],
] as const)('reads no more and no fewer records where a NUL stands in %s', async (_, at) => {
  const bytes = fileOf('PPD');
  bytes[at] = 0;
  const converted = await convert(plan, bytes);
  const { reference, engines } = accountsOf(plan, converted.lines);
  for (const engine of engines) expect(engine).toEqual(reference);
  const { records, amounts } = reference.totals as unknown as {
    records: { read: number };
    amounts: { read: { amount: { unreadable: number } } };
  };
  expect([records.read, amounts.read.amount.unreadable]).toEqual([3, 0]);
  expect(converted.damage.length + reference.findings.length).toBeGreaterThan(0);
  expect((reference.findings as string[][]).map(([, , code]) => code)).not.toContain('E_CHARACTER');
});
