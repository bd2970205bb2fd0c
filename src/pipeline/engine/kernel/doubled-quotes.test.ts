import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import type { Plan } from '../plan.ts';
import { delimitedFormat, fieldPlan, outputField, planOf, recordField, recordPlan, targetPlan } from '../plans.fixture.ts';
import { describeRun, runInMemory } from '../runs.fixture.ts';
import { textsBytes } from '../window-memory.ts';
import { giveModules, takeModules } from './kernel-module.ts';

const fields = [
  fieldPlan('a', 'string', { column: 0, header: null }, { maxLength: 5_000 }),
  fieldPlan('b', 'string', { column: 1, header: null }, { required: false, trim: true }),
  fieldPlan('c', 'int', { column: 2, header: null }),
];
const record = recordPlan(fields);
const upper = { kind: 'call', name: 'upper', arguments: [recordField(record, 0)], type: 'string' } as const;

function plan(more: Partial<Plan['format']> = {}): Plan {
  return planOf({
    format: { ...delimitedFormat, columns: 'lenient', ...more } as Plan['format'],
    records: [record],
    output: [outputField('a', upper), outputField('b', recordField(record, 1)), outputField('c', recordField(record, 2))],
    targets: [
      targetPlan('lines', { format: 'ndjson' }),
      targetPlan('cells', { format: 'csv', delimiter: 0x3b, lineEnd: '\n', header: false }),
    ],
    routes: { mode: 'first', rules: [], default: [0, 1] },
  });
}

function both(text: string, of = plan()) {
  const bytes = Buffer.from(text, 'utf8');
  const flow = compileFlow(of);
  const slow = runInMemory({ plan: of, bytes, flow }, { path: 'slow' });
  const fast = runInMemory({ plan: of, bytes, flow }, { path: 'fast' });
  expect(describeRun(fast)).toEqual(describeRun(slow));
  return fast;
}

describe('doubled quotes', () => {
  it('are taken by the kernel, in any field, and written as they are meant', () => {
    const run = both('"say ""hi""","""",1\n"""a""","b ""c"" ",2\n"x","  ""y""",3\n"é""é",,4\n');
    expect(run.slowRecords).toBe(0);
    expect(run.targets[0]!.toString().split('\n')[0]).toBe('{"a":"SAY \\"HI\\"","b":"\\"","c":1}');
  });

  it('are run over in columns that no field reads', () => {
    expect(both('a,b,1,"x ""y"" z",more\n').slowRecords).toBe(0);
  });

  it('and backslashes are escaped in JSON; what needs more than a backslash is left to the slow path', () => {
    const run = both('a\\b,"\\""\\",1\n"tab\there",x,2\n');
    expect(run.slowRecords).toBe(1);
    expect(run.targets[0]!.toString().split('\n')[0]).toBe('{"a":"A\\\\B","b":"\\\\\\"\\\\","c":1}');
  });

  it('in a text that is longer than the place for them are left to the slow path', () => {
    const long = `"${'""'.repeat(textsBytes + 1)}",b,1\n`;
    const short = `"${'""'.repeat(textsBytes)}",b,1\n`;
    expect([both(short).slowRecords, both(long).slowRecords]).toEqual([0, 1]);
  });

  it('give what the slow path gives wherever they stand', () => {
    const part = fc.constantFrom('"', '""', ',', 'a', 'é', '\\', ' ', '\r', '\n', '\t', '1', '"x"', '"y""z"', '\u0000', '\u{1d11e}');
    const line = fc.array(part, { maxLength: 12 }).map((parts) => `${parts.join('')},1\n`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => void both(lines.join(''))),
      { numRuns: 300 },
    );
  });
});

it('a rejected record with quotes is named without the slow path', () => {
  const exact = { columns: 'exact' } as const;
  expect(both('"a, b",c,x\n"d","e, f","y"\n', plan(exact)).slowRecords).toBe(0);
  expect(both('"a ""b""",c,x\n', plan(exact)).slowRecords).toBe(1);
  expect(both('"a\\"b",c,x\n', plan({ ...exact, escape: 0x5c })).slowRecords).toBe(1);
});

it('a kernel that another thread has compiled is not compiled again', () => {
  const of = plan({ delimiter: 0x7c });
  takeModules();
  const text = Buffer.from('a|b|1\n');
  const first = runInMemory({ plan: of, bytes: text });
  const modules = takeModules();
  expect(modules.length).toBe(1);
  giveModules(modules);
  expect(describeRun(runInMemory({ plan: of, bytes: text }))).toEqual(describeRun(first));
  expect(takeModules()).toEqual([]);
});
