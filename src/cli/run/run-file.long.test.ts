import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formats } from '../../main/catalogue.ts';
import { compileFlow } from '../../pipeline/engine/compile-flow.ts';
import { OutcomeSegment } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { BodyPlan, Plan } from '../../pipeline/engine/plan.ts';
import {
  call,
  delimitedFormat,
  fieldPlan,
  literal,
  planOf,
  recordField,
  recordPlan,
  targetPlan,
} from '../../pipeline/engine/plans.fixture.ts';
import { ReferenceRun } from '../../pipeline/engine/reference/reference-run.ts';
import { FileSource } from './plain-files.ts';
import { runFile } from './run-file.ts';
import { startLanes } from './run-threads.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = recordPlan(
  [
    fieldPlan('id', 'string', { column: 0, header: 'id' }, { unique: 'file' }),
    fieldPlan('amount', 'decimal', { column: 1, header: 'amount' }, { sum: true, currencyField: 2 }),
    fieldPlan('currency', 'currency', { column: 2, header: 'currency' }),
  ],
  { key: [0] },
);

function plan(
  more: Partial<Plan> = {},
  bodies: readonly BodyPlan[] = [{ format: 'ndjson' }, { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' }],
): Plan {
  return planOf({
    format: { ...delimitedFormat, header: true },
    records: [record],
    targets: bodies.map((body, index) => targetPlan(['big', 'small', 'third'][index]!, body, { batchRecords: 7 })),
    routes: {
      mode: 'first',
      rules: [{ id: 'large', when: call('bool', 'greaterOrEqual', recordField(record, 1), literal('decimal', '100')), to: [0] }],
      default: [1],
    },
    ...more,
  });
}

async function run(flow: Plan, text: string, threads: number | null = null, name = 'out', chunkBytes?: number) {
  const path = join(folder, 'in.csv');
  writeFileSync(path, text);
  const out = join(folder, name);
  const findings: string[] = [];
  const format = formats.find((candidate) => candidate.name === flow.format.type)!;
  const lanes = threads === null ? null : await startLanes(threads);
  const receipt = await runFile(
    compileFlow(flow),
    { format, pack: null },
    {
      path,
      name: 'in.csv',
      folder: out,
      lanes,
      chunkBytes,
      onFindings: threads === null ? (lines) => void findings.push(lines) : null,
    },
  );
  await lanes?.close();
  const read = (file: string) => readFileSync(join(out, file), 'utf8');
  return { receipt, findings: findings.join(''), read, out };
}

const small = 'id,amount,currency\na,150.00,EUR\nb,5.50,EUR\nc,x,EUR\nd,1.00,ZAR\n';

describe('headgate run over one file', () => {
  it('leaves a file per target, rejections, outcomes and a receipt, and no temporary file', async () => {
    const { receipt, read, out } = await run(plan(), small);
    expect(readdirSync(out).sort()).toEqual([
      'big.ndjson',
      'outcomes.bin',
      'outcomes.json',
      'receipt.json',
      'rejections.ndjson',
      'small.csv',
    ]);
    expect(read('big.ndjson')).toBe('{"id":"a","amount":"150.00","currency":"EUR"}\n');
    expect(read('small.csv')).toBe('id,amount,currency\nb,5.50,EUR\nd,1.00,ZAR\n');
    expect(JSON.parse(read('rejections.ndjson'))).toMatchObject({ record: 3, offset: 43, code: 'E_DECIMAL', field: 'amount', rule: null });
    expect(JSON.parse(read('receipt.json'))).toEqual(receipt);
    expect(receipt).toMatchObject({
      flow: 'test',
      file: { name: 'in.csv', bytes: small.length, sha256: createHash('sha256').update(small).digest('hex') },
      records: { read: 4, valid: 3, rejected: 1, filtered: 0 },
      byTarget: {
        big: { count: 1, amounts: { amount: { EUR: '150.00' } } },
        small: { count: 2, amounts: { amount: { EUR: '5.50', ZAR: '1.00' } } },
      },
      amounts: { valid: { amount: { EUR: '155.50', ZAR: '1.00' } }, unreadable: { amount: 1 } },
      verdict: 'partial',
      errors: [{ code: 'E_DECIMAL', field: 'amount', offset: 43, count: 1 }],
      warnings: [],
    });
  });

  it('outcomes.json says where the segments of outcomes.bin are', async () => {
    const { read, out } = await run(plan(), small);
    const { segments, status, targets } = JSON.parse(read('outcomes.json'));
    expect([status.valid, status.rejected, targets]).toEqual([0, 1, ['big', 'small']]);
    const segment = new OutcomeSegment(new FileSource(join(out, 'outcomes.bin')), segments[0].start);
    expect([0, 1, 2, 3].map((position) => segment.outcome(position).status)).toEqual(['valid', 'valid', 'rejected', 'valid']);
    expect(segment.outcome(3)).toMatchObject({ record: 4, targets: [1], offset: small.indexOf('\nd,') + 1 });
  });

  it('a duplicate leaves every target file and is rejected in record order, the first of its kind stays', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => `k${index % 15},${index % 2 === 0 ? 200 : 2}.00,EUR${index === 33 ? 'X' : ''}`);
    const { receipt, read, findings } = await run(plan(), `id,amount,currency\n${rows.join('\n')}\n`);
    const lines = [
      ...read('big.ndjson')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
      ...read('small.csv')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')[0]),
    ];
    expect(lines.sort()).toEqual(Array.from({ length: 15 }, (_, index) => `k${index}`).sort());
    const rejected = read('rejections.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rejected.map((finding) => finding.record)).toEqual(Array.from({ length: 25 }, (_, index) => index + 16));
    expect(rejected.filter((finding) => finding.code === 'E_CURRENCY').map((finding) => finding.record)).toEqual([34]);
    expect(receipt.records).toEqual({ read: 40, valid: 15, rejected: 25, filtered: 0 });
    expect(receipt.byTarget['big']!.count + receipt.byTarget['small']!.count).toBe(15);
    expect(receipt.errors.find(({ code }) => code === 'E_DUPLICATE_KEY')).toMatchObject({ field: 'id', count: 24 });
    expect(findings.trim().split('\n').length).toBe(25);
  });

  it('a receipt counts no warning of a duplicate', async () => {
    const assert = call('bool', 'less', recordField(record, 1), literal('decimal', '100'));
    const rule = { id: 'small', scope: 'record', severity: 'warn', onFail: 'hold-file', code: 'AMT01', message: 'large', assert } as const;
    for (const threads of [null, 1]) {
      const text = 'id,amount,currency\na,1.00,EUR\na,500.00,EUR\nb,500.00,EUR\n';
      const { receipt } = await run(plan({ rules: [rule] }), text, threads, `out-${threads}`);
      expect(receipt.warnings).toEqual([{ code: 'AMT01', rule: 'small', offset: text.indexOf('b,500'), count: 1, message: 'large' }]);
    }
  });

  it('of a file that is held nothing is in the target files', async () => {
    const strict = plan({ acceptance: { ...plan().acceptance, mode: 'all-or-nothing' } });
    const { receipt, read } = await run(strict, small);
    expect(receipt.verdict).toBe('held');
    expect([read('big.ndjson'), read('small.csv')]).toEqual(['', '']);
    expect(receipt.byTarget['small']).toEqual({ count: 0, amounts: {}, routed: 2, excluded: 0 });
    expect(receipt.errors.map(({ code }) => code)).toEqual(['E_ACCEPTANCE', 'E_DECIMAL']);
  });

  it('records are judged by the header record that the file begins with, in chunks and lanes of any number', async () => {
    const at = (column: number) => ({ column, header: null });
    const fields = [fieldPlan('kind', 'string', at(0)), fieldPlan('amount', 'int', at(1))];
    const head = recordPlan([fields[0]!, fieldPlan('most', 'int', at(1))], { name: 'head', role: 'header', tag: 'H' });
    const most = { kind: 'field', type: 'int', scope: 'header', index: 1, name: 'most' } as const;
    const detail = recordPlan(fields, { tag: 'D' });
    const assert = call('bool', 'lessOrEqual', recordField(detail, 1), most);
    const flow = planOf({
      format: { ...delimitedFormat, comment: 0x23, discriminator: 0 },
      records: [detail, head],
      rules: [{ id: 'limit', scope: 'record', severity: 'error', onFail: 'hold-file', code: 'LIM01', message: 'above it', assert }],
    });
    const details = 'D,9\nD,11\n'.repeat(20);
    for (const [text, valid] of [
      [`${'# noon\n'.repeat(20)}H,10\n${details}H,1\n${details}`, 40],
      [`D,1\nH,10\n${details}`, 0],
    ] as const) {
      const first = (await run(flow, text, null, `whole-${valid}`)).receipt;
      expect(first.records.valid).toBe(valid);
      for (const threads of [null, 2]) {
        const { receipt } = await run(flow, text, threads, `cut-${valid}-${threads}`, 30);
        expect([receipt.records, receipt.verdict, receipt.errors]).toEqual([first.records, first.verdict, first.errors]);
      }
    }
  });

  it('an open quote, a broken header row and an empty file are held or rejected with a code', async () => {
    const open = await run(plan(), `${small}"e,1.00,EUR\n`);
    expect([open.receipt.verdict, open.receipt.errors[0]!.code]).toEqual(['held', 'E_QUOTE_OPEN']);
    expect(open.receipt.records.read).toBe(5);
    const header = await run(plan(), 'id,amount,amount\na,1.00,EUR\n');
    expect([header.receipt.verdict, header.receipt.errors.map(({ code }) => code)]).toEqual([
      'held',
      ['E_COLUMN_DUPLICATE', 'E_COLUMN_MISSING'],
    ]);
    const empty = await run(plan(), '');
    expect([empty.receipt.verdict, empty.receipt.errors.map(({ code }) => code)]).toEqual(['rejected', ['E_EMPTY']]);
  });

  it.each([2, 3])('%i threads change nothing in what is written', async (threads) => {
    const rows = Array.from(
      { length: 30_000 },
      (_, index) => `k${index % 29_000},${index}.25,${index % 3 === 0 ? 'EUR' : index % 3 === 1 ? 'ZAR' : 'eur'}`,
    );
    const text = `id,amount,currency\n${rows.join('\n')}\n`;
    const one = await run(plan(), text, null, 'one', 50_000);
    const two = await run(plan(), text, threads, 'two', 50_000);
    expect(two.receipt).toEqual(one.receipt);
    for (const file of readdirSync(one.out)) expect([file, two.read(file) === one.read(file)]).toEqual([file, true]);
  });

  it('the targets hold exactly what the reference parser makes of the file', async () => {
    const rows = Array.from(
      { length: 500 },
      (_, index) => `k${index},${index % 7 === 0 ? 'x' : `${index}.5`},"${index % 5 === 0 ? 'EU\n' : 'EUR'}"`,
    );
    const text = `id,amount,currency\r\n${rows.join('\r\n')}\r\n`;
    const flow = plan({}, [{ format: 'ndjson' }, { format: 'ndjson' }]);
    const { read } = await run(flow, text);
    const records = [...new ReferenceRun(flow).records([Buffer.from(text)])];
    for (const [index, file] of ['big.ndjson', 'small.ndjson'].entries()) {
      expect(read(file)).toBe(records.map((each) => Buffer.from(each.outputs.get(index) ?? []).toString('utf8')).join(''));
    }
  });
});

it('a file that an output would take the place of is not read, and stays', async () => {
  const path = join(folder, 'big.ndjson');
  writeFileSync(path, 'id,amount,currency\n1,1.00,EUR\n');
  const flow = compileFlow(plan());
  const format = formats.find(({ name }) => name === 'delimited')!;
  for (const out of [folder, join(folder, '.', 'x', '..')])
    await expect(
      runFile(flow, { format, pack: null }, { path, name: 'big.ndjson', folder: out, lanes: null, onFindings: () => {} }),
    ).rejects.toMatchObject({ code: 'E_OUTPUT_FOLDER', message: expect.stringContaining('is the file that is read') });
  expect(readFileSync(path, 'utf8')).toContain('1,1.00,EUR');
  expect(readdirSync(folder)).toEqual(['big.ndjson']);
});

it('a target with the name of a file of the run has a file of its own', async () => {
  const named = plan();
  const targets = named.targets.map((target, index) => ({ ...target, id: ['rejections', 'small'][index]! }));
  const { read, receipt } = await run({ ...named, targets }, 'id,amount,currency\n1,200.00,EUR\n2,x,EUR\n');
  expect(receipt.records).toMatchObject({ read: 2, valid: 1 });
  expect(read('target-rejections.ndjson')).toContain('"1"');
  expect(JSON.parse(read('rejections.ndjson').trim())).toMatchObject({ record: 2 });
});
