import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression } from '../expressions/expression.ts';
import type { FieldPlan, FormatPlan, Plan } from '../plan.ts';
import {
  call,
  delimitedFormat,
  fieldPlan,
  literal,
  oneOf,
  outputField,
  planOf,
  recordField,
  recordPlan,
  targetPlan,
} from '../plans.fixture.ts';
import { describeRun, runInMemory } from '../runs.fixture.ts';

/** Every kind of field, required or not, with the checks that kernels compile and those that they ask for. */
function manyFields(place: (column: number) => FieldPlan['at'], trim: boolean): FieldPlan[] {
  const optional = { required: false };
  const list: [string, FieldPlan['type'], Partial<FieldPlan>][] = [
    ['id', 'string', { pattern: '^[A-Z]{1,3}[0-9]{2,9}(-[0-9]+)?$', unique: 'file' }],
    ['text', 'string', { maxLength: 12 }],
    ['free', 'string', { ...optional, minLength: 2, maxLength: 20 }],
    ['amount', 'decimal', { scale: 2, min: '-500.50', maxLength: 15, sum: true, currencyField: 6 }],
    ['count', 'int', { ...optional, max: '100000', maxLength: 6, sum: true, currencyField: null }],
    ['day', 'date', {}],
    ['currency', 'currency', {}],
    ['country', 'country', optional],
    ['flag', 'boolean', optional],
    ['kind', 'string', { enum: ['A', 'AB', 'ABC', 'CREDIT', 'DEBIT-X'] }],
    ['iban', 'iban', optional],
    ['stamp', 'datetime', optional],
    ['code', 'string', { ...optional, pattern: '(x|y)+z?' }],
    ['legacy', 'date', { ...optional, dateFormat: 'dd/MM/yyyy' }],
    ['cents', 'decimal', { ...optional, point: 'implied', scale: 3 }],
    ['bic', 'bic', optional],
  ];
  return list.map(([name, type, more], column) => fieldPlan(name, type, place(column), { trim, ...more }));
}

const texts: Record<string, readonly string[]> = {
  id: ['AB12', 'X99', 'ABC123-4', 'Q1', 'AB12-', 'ab12', 'ÄB12'],
  text: [
    'some Text',
    'Ab',
    'plain',
    'Ünïcode',
    'back\\slash',
    'tab\there',
    '  spaced ',
    'exactly12chr',
    'thirteenchars',
    '𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞',
    '',
    '"',
    'a"b',
    'a,b',
    'line\nbreak',
    '\0',
    'x\ry',
  ],
  free: ['', 'ok no', 'é', 'more text', 'z'.repeat(21), 'tRiM me ', '漢字'],
  amount: [
    '12.5',
    '-3.07',
    '0',
    '500.00',
    '-500.51',
    '1e3',
    '999999999999.99',
    '12345678901234567890.12',
    '007.10',
    '-0',
    '.5',
    '5.',
    '1.234',
    '+1',
    '-',
  ],
  count: ['', '5', '0', '-7', '100001', '12345678901234567890', '1.0', '00042'],
  day: ['2026-01-31', '2024-02-29', '2026-02-30', '0000-01-01', '2026-13-01', '2026-1-1', '99991231'],
  currency: ['EUR', 'ZAR', 'JPY', 'XXX', 'ABC', 'eur'],
  country: ['', 'DE', 'ZA', 'XX', 'de'],
  flag: ['', 'true', 'false', 'TRUE', 'truex'],
  kind: ['A', 'AB', 'ABC', 'CREDIT', 'DEBIT-X', 'ABCD', 'CRED'],
  iban: [
    '',
    'DE89370400440532013000',
    'GB29NWBK60161331926819',
    'FR1420041010050500013M02606',
    'DE00370400440532013000',
    'NI45BAPR00000013000003558124',
    'DE8937040044053201300',
  ],
  stamp: ['', '2026-01-31T10:00:00', '2026-01-31T23:30:00.125-02:00', '2026-01-31 10:00:00'],
  code: ['', 'xyx', 'yz', 'zz'],
  legacy: ['', '31/01/2026', '29/02/2023', '1/1/2026'],
  cents: ['', '1500', '-15', '1.5'],
  bic: ['', 'DEUTDEFF', 'DEUTDEFF500', 'DEUTXXFF'],
};

type Field = (name: string) => Expression;
const text = (value: string) => literal('string', value);
const int = (value: number) => literal('int', String(value));

function manyOutputs(f: Field): [string, Expression][] {
  const isBig = call('bool', 'greaterOrEqual', f('amount'), literal('decimal', '10.00'));
  return [
    ['id', f('id')],
    ['text "quoted"', f('text')],
    ['free', f('free')],
    ['amount', f('amount')],
    ['count', f('count')],
    ['day', f('day')],
    ['flag', f('flag')],
    ['kind', f('kind')],
    ['stamp', f('stamp')],
    ['legacy', f('legacy')],
    ['cents', f('cents')],
    ['iban', f('iban')],
    ['upper', call('string', 'upper', f('text'))],
    ['upperAscii', call('string', 'upperAscii', f('text'))],
    ['lowerAscii', call('string', 'lowerAscii', f('text'))],
    ['lower', call('string', 'lower', call('string', 'trim', f('text')))],
    ['sub', call('string', 'substring', f('text'), int(1), int(4))],
    ['subFrom', call('string', 'substring', call('string', 'trim', f('text')), int(3))],
    ['mask', call('string', 'mask', f('id'), int(1), int(2))],
    ['maskText', call('string', 'mask', f('text'), int(4), int(4))],
    ['concat', call('string', 'concat', call('string', 'concat', f('kind'), text('"/\\')), call('string', 'upper', f('id')))],
    ['size', call('string', 'conditional', isBig, text('BIG'), f('kind'))],
    ['minor', call('int', 'minorUnits', f('amount'))],
    ['compact', call('string', 'formatDate', f('day'), text('yyMMdd'.replace('yy', 'yyyy')))],
    ['padLeft', call('string', 'padLeft', call('string', 'toString', f('amount')), int(9), text('0'))],
    ['padRight', call('string', 'padRight', f('kind'), int(5), text('.'))],
    ['coalesce', call('string', 'coalesce', f('free'), text('none'))],
    ['coalesceCount', call('int', 'coalesce', f('count'), int(7))],
    ['replaced', call('string', 'replace', f('text'), text('a'), text('"b"'))],
    ['sum', call('decimal', 'add', f('amount'), literal('decimal', '1.005'))],
    ['length', call('int', 'size', f('text'))],
    ['literal', text('lit"eral\n')],
    ['number', literal('decimal', '-0.50')],
    ['nothing', literal('string', null)],
  ];
}

function manyRules(f: Field): Plan['rules'] {
  const rule = (id: string, assert: Expression, severity: 'error' | 'warn' = 'error') => ({
    id,
    scope: 'record' as const,
    severity,
    onFail: 'hold-file' as const,
    code: id,
    message: id,
    assert,
  });
  const absentOr = (name: string, test: Expression) => call('bool', 'or', call('bool', 'isNull', f(name)), test);
  return [
    rule('R1', call('bool', 'notEqual', f('amount'), literal('decimal', '0'))),
    rule('R2', absentOr('count', call('bool', 'less', f('count'), int(99_999)))),
    rule(
      'R3',
      call(
        'bool',
        'or',
        call('bool', 'not', oneOf(f('kind'), 'A', 'CREDIT')),
        call('bool', 'lessOrEqual', f('day'), literal('date', '2026-06-30')),
      ),
    ),
    rule('W1', call('bool', 'notEqual', f('currency'), text('ZAR')), 'warn'),
    rule('R4', absentOr('iban', call('bool', 'startsWith', f('iban'), text('DE')))),
    rule('R5', call('bool', 'or', call('bool', 'equal', f('free'), literal('null', null)), call('bool', 'contains', f('free'), text('o')))),
    rule('R6', absentOr('flag', f('flag'))),
    rule('W2', absentOr('cents', call('bool', 'greater', f('cents'), literal('decimal', '1'))), 'warn'),
    // The evaluator's, about a field that is summed and may be absent.
    rule('R7', call('bool', 'less', call('int', 'coalesce', f('count'), int(0)), int(40))),
    rule('R8', call('bool', 'notEqual', call('int', 'coalesce', f('count'), int(0)), call('int', 'size', f('id')))),
  ];
}

interface PlanChoices {
  readonly isWithoutWarnings?: boolean;
}

function formsPlan(
  format: FormatPlan,
  place: (column: number) => FieldPlan['at'],
  trim: boolean,
  mode: 'first' | 'all',
  more: PlanChoices = {},
): Plan {
  const record = recordPlan(manyFields(place, trim), { key: [0, 1] });
  const f: Field = (name) =>
    recordField(
      record,
      record.fields.findIndex((field) => field.name === name),
    );
  const outputs = manyOutputs(f).map(([name, value]) => outputField(name, value));
  const widths = outputs.map((_, index) => ({
    width: index % 3 === 0 ? 40 : 30,
    align: index % 2 === 0 ? ('left' as const) : ('right' as const),
    pad: 0x2e,
  }));
  return planOf({
    format,
    records: [record],
    rules: manyRules(f).filter(({ severity }) => more.isWithoutWarnings !== true || severity === 'error'),
    filters: [{ id: 'small', when: call('bool', 'equal', f('text'), text('plain')), reason: 'plain' }],
    output: outputs,
    routes: {
      mode,
      rules: [
        {
          id: 'credit',
          when: call('bool', 'equal', { kind: 'field', type: 'string', scope: 'out', index: 7, name: 'kind' }, text('CREDIT')),
          to: [0, 1],
        },
        { id: 'short', when: oneOf(f('kind'), 'A', 'AB'), to: [2] },
        { id: 'late', when: call('bool', 'greater', f('day'), literal('date', '2025-01-01')), to: [1, 3] },
      ],
      default: [3],
    },
    targets: [
      targetPlan('lines', { format: 'ndjson' }, { batchRecords: 5, batchBytes: 2_000 }),
      targetPlan('cells', { format: 'csv', delimiter: 0x3b, header: true, lineEnd: '\r\n' }),
      targetPlan('copy', { format: 'ndjson' }),
      targetPlan('columns', { format: 'fixed-width', columns: widths, lineEnd: '\n' }, { batchRecords: 100, batchBytes: 3_000 }),
    ],
  });
}

function quoteCell(value: string, die: number, delimiter = ','): string {
  return die === 0 || value.includes(delimiter) || /["\n\r]/.test(value) ? (die === 9 ? value : `"${value.replaceAll('"', '""')}"`) : value;
}

const names = Object.keys(texts);
/** Mostly right values, so that many records get far. */
const row = fc.tuple(
  ...names.map((name) =>
    fc.oneof(
      { weight: 24, arbitrary: fc.constantFrom(...texts[name]!.slice(0, 2)) },
      { weight: 1, arbitrary: fc.constantFrom(...texts[name]!) },
    ),
  ),
);
const dice = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 17 });

interface Forms {
  readonly plan: (mode: 'first' | 'all') => Plan;
  readonly line: (values: readonly string[], dice: readonly number[]) => string;
}

const width = 30;
const delimited = (more: PlanChoices = {}): Forms => ({
  plan: (mode) => formsPlan(delimitedFormat, (column) => ({ column, header: null }), false, mode, more),
  line: (values, rolls) => values.map((value, index) => quoteCell(value, rolls[index % rolls.length]!)).join(','),
});
const fixedWidth = (more: PlanChoices = {}): Forms => ({
  plan: (mode) =>
    formsPlan(
      { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'pad', skipBlankLines: true },
      (column) => ({ start: column * width, length: width }),
      true,
      mode,
      more,
    ),
  line: (values) => values.map((value) => value.padEnd(width, ' ').slice(0, width)).join(''),
});
const cases: Record<string, Forms> = {
  delimited: delimited(),
  // Without warnings the kernel says itself why it did not take a record.
  'delimited, without warnings': delimited({ isWithoutWarnings: true }),
  'delimited, trimmed and lenient': {
    plan: (mode) => formsPlan({ ...delimitedFormat, columns: 'lenient' }, (column) => ({ column, header: null }), true, mode),
    line: (values, rolls) =>
      [
        ...values.map((value, index) => quoteCell(rolls[index % rolls.length] === 1 ? ` ${value} ` : value, rolls[index % rolls.length]!)),
        ...(rolls[0]! > 6 ? ['more', '"x"'] : []),
      ].join(','),
  },
  'fixed width': fixedWidth(),
  'fixed width, without warnings': fixedWidth({ isWithoutWarnings: true }),
  'JSON lines': {
    plan: (mode) =>
      formsPlan(
        { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true },
        (column) => ({ path: column % 5 === 4 ? ['deep', names[column]!] : [names[column]!] }),
        false,
        mode,
      ),
    line: (values, rolls) => {
      const value = (index: number) =>
        values[index] === ''
          ? 'null'
          : ['amount', 'count', 'flag'].includes(names[index]!) && rolls[1]! < 8
            ? values[index]!
            : JSON.stringify(values[index]);
      const member = (index: number) => `"${names[index]}":${value(index)}`;
      const top = names.map((_, index) => index).filter((index) => index % 5 !== 4);
      const deep = names.map((_, index) => index).filter((index) => index % 5 === 4);
      const parts = [...top.map(member), `"extra":${rolls[2]! < 8 ? '12' : '"x"'}`, `"deep":{${deep.map(member).join(',')}}`];
      return `{${(rolls[0] === 9 ? parts.reverse() : parts).join(',')}}`;
    },
  },
};

describe('a generated kernel', () => {
  for (const [name, { plan, line }] of Object.entries(cases)) {
    for (const mode of ['first', 'all'] as const) {
      it(`leaves the same bytes, findings and totals as the slow path (${name}, routes ${mode})`, () => {
        let valid = 0;
        let fast = 0;
        fc.assert(
          fc.property(
            fc.array(fc.tuple(row, dice), { minLength: 1, maxLength: 40 }),
            fc.integer({ min: 1, max: 3_000 }),
            fc.boolean(),
            (rows, blockBytes, isCrLf) => {
              const bytes = Buffer.from(rows.map(([values, rolls]) => line(values, rolls)).join(isCrLf ? '\r\n' : '\n'), 'utf8');
              const input = { plan: plan(mode), bytes };
              const slow = runInMemory(input, { path: 'slow' });
              valid += slow.summary.records.valid;
              const quick = runInMemory(input, { path: 'fast', blockBytes });
              fast += quick.summary.records.read - quick.slowRecords;
              expect(describeRun(quick)).toEqual(describeRun(slow));
              expect(slow.summary.records.read).toBe(
                slow.summary.records.valid + slow.summary.records.rejected + slow.summary.records.filtered,
              );
            },
          ),
          { numRuns: 80 },
        );
        expect(valid).toBeGreaterThan(60);
        expect(fast).toBeGreaterThan(5);
      });
    }
  }

  it('ends a field at any delimiter, also where the text of its type may hold it', () => {
    let valid = 0;
    const delimiters = fc.constantFrom(...';|:/.-0279aeEfiItzADERX_~ ');
    fc.assert(
      fc.property(
        delimiters,
        fc.constantFrom('exact', 'lenient'),
        fc.array(fc.tuple(row, dice), { minLength: 1, maxLength: 12 }),
        (delimiter, columns, rows) => {
          const format = { ...delimitedFormat, delimiter: delimiter.charCodeAt(0), columns };
          const plan = formsPlan(format as FormatPlan, (column) => ({ column, header: null }), false, 'first', { isWithoutWarnings: true });
          const lines = rows.map(([values, rolls]) =>
            values.map((value, index) => quoteCell(value, rolls[index % rolls.length]!, rolls[0] === 1 ? '\n' : delimiter)).join(delimiter),
          );
          const input = { plan, bytes: Buffer.from(lines.join('\n'), 'utf8') };
          const slow = runInMemory(input, { path: 'slow' });
          valid += slow.summary.records.valid;
          expect(describeRun(runInMemory(input, { path: 'fast' }))).toEqual(describeRun(slow));
        },
      ),
      { numRuns: 400 },
    );
    expect(valid).toBeGreaterThan(30);
  });
});
