import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldErrors, outputErrors, structureErrors } from '../engine-errors.ts';
import { expressionErrors } from '../expressions/expression-errors.ts';
import type { FieldPlan, FieldType, FormatPlan, Plan } from '../plan.ts';
import { call, delimitedFormat, fieldPlan, literal, outputField, planOf, recordField, recordPlan, targetPlan } from '../plans.fixture.ts';
import { textsByType } from './random-plans.fixture.ts';
import { type Account, runEngine, runReference } from './run-accounts.fixture.ts';

/** Name, type and checks of each field but the tag. */
const fieldsOf: readonly (readonly [string, FieldType, Partial<FieldPlan>?])[] = [
  ...(Object.keys(textsByType) as FieldType[]).map((type) => [type, type] as const),
  ['needed', 'string', { required: true }],
  ['short', 'string', { maxLength: 3 }],
  ['long', 'string', { minLength: 3 }],
  ['sized', 'string', { minLength: 2, maxLength: 4 }],
  ['listed', 'string', { enum: ['a', 'b'] }],
  ['upper', 'string', { pattern: '[A-Z]+' }],
  ['bounded', 'int', { min: '1', max: '9' }],
];
const width = 40;

/** A field of each type, each check of a field, rules, an expression that may fail, and a body that a value may not fit. */
function planFor(format: FormatPlan, at: (index: number, name: string) => FieldPlan['at']): Plan {
  const fields = [
    fieldPlan('tag', 'string', at(0, 'tag'), { required: false }),
    ...fieldsOf.map(([name, type, checks], index) => fieldPlan(name, type, at(index + 1, name), { required: false, ...checks })),
  ];
  const record = recordPlan(fields, { tag: 'D' });
  const indexOf = (name: string) => fields.findIndex((each) => each.name === name);
  const field = (name: string) => recordField(record, indexOf(name));
  const isSeven = call('bool', 'equal', field('int'), literal('int', '7'));
  const isAboveOne = call('bool', 'greater', field('bounded'), literal('int', '1'));
  const rule = { scope: 'record', onFail: 'hold-file' } as const;
  return planOf({
    format,
    records: [record],
    rules: [
      { ...rule, id: 'seven', severity: 'error', code: 'R07', message: 'seven is not allowed', assert: call('bool', 'not', isSeven) },
      { ...rule, id: 'above', severity: 'warn', code: 'R08', message: 'it is low', assert: isAboveOne },
    ],
    output: [outputField('needed', field('needed')), outputField('listed', field('listed'))],
    targets: [
      targetPlan('narrow', {
        format: 'fixed-width',
        columns: [
          { width: 6, align: 'left', pad: 32 },
          { width: 6, align: 'left', pad: 32 },
        ],
        lineEnd: '\n',
      }),
    ],
  });
}

type Texts = Readonly<Record<string, string>>;

interface Kind {
  readonly plan: Plan;
  /** The line of a record with these texts; its other fields are absent. */
  readonly line: (texts: Texts) => string;
  /** Lines that the format itself refuses. */
  readonly broken: readonly string[];
}

const textsOf = (texts: Texts) => ['D', ...fieldsOf.map(([name]) => texts[name] ?? '')];

const json = (rest: string) => `{"tag":"D","needed":${rest}`;
const nested = (depth: number) => json(`${'['.repeat(depth)}1${']'.repeat(depth)}}`);

const kinds: Readonly<Record<'delimited' | 'fixed-width' | 'json-lines', Kind>> = {
  delimited: {
    plan: planFor({ ...delimitedFormat, discriminator: 0 }, (column) => ({ column, header: null })),
    line: (texts) =>
      textsOf(texts)
        .map((text) => `"${text.replaceAll('"', '""')}"`)
        .join(','),
    broken: ['D,x', `D${','.repeat(99)}`, 'D,a"b', 'D,"a"b', 'D,"a" ,', 'D,a\rb', 'X,1', 'D,\0'],
  },
  'fixed-width': {
    plan: planFor(
      { type: 'fixed-width', recordLength: null, discriminator: { start: 0, length: 1 }, shortLines: 'reject', skipBlankLines: true },
      (index) => ({ start: index * width, length: width }),
    ),
    line: (texts) =>
      textsOf(texts)
        .map((text) => text.replace(/[\r\n].*/s, '').slice(0, 9))
        .map((text) => text + ' '.repeat(width - Buffer.byteLength(text)))
        .join(''),
    broken: ['D', `D${'x'.repeat(5_000)}`, 'X', `D${' '.repeat(width - 2)}${'é'.repeat(600)}`, 'D\0'],
  },
  'json-lines': {
    plan: planFor({ type: 'json-lines', discriminator: 'tag', unknownKeys: 'reject', skipBlankLines: true }, (_, name) => ({
      path: [name],
    })),
    line: (texts) => JSON.stringify({ tag: 'D', ...texts }),
    broken: [
      ...['x', ' [1]', '"', '["\\u0000"]', `${'['.repeat(70)}`, '{', '{}x', '{,}', '{"a"}', '{"a" 1}', '{"a":1;}', '{"a":tru}', '{"a":01}'],
      ...['"x', '"\t"', '"\\x"', '"\\u12g4"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\\ud800\\u12g4"', '"\\u0000"'].map(json),
      ...['+1}', '-}', 'nul}', '[1,]}', '[1;2]}', '[', '{"a":{"a":1,"a":2}}}', '1,"needed":2}', '1,"other":2}', 'true}', '{}}'].map(json),
      ...[nested(64), nested(63), json('1}'), '{"tag":"X"}', '{"tag":1}', '\ufeff{}', '{"é":\u00a01}'],
    ],
  },
};

/** One record for each text of each field, the others being right. */
function linesOf({ line, broken }: Kind): string[] {
  const right = { needed: 'x', int: '5', bounded: '5' };
  const checked = {
    needed: [''],
    short: ['abcd'],
    long: ['ab'],
    sized: ['a'],
    listed: ['c', 'b'],
    upper: ['a'],
    bounded: ['0', '1', '10', ''],
  };
  const wrong: [string, readonly string[]][] = [...Object.entries(textsByType), ...Object.entries(checked)];
  const ofOutput = [{ needed: 'x'.repeat(9) }, { needed: 'a\nb' }];
  return [
    ...wrong.flatMap(([name, texts]) => texts.map((text) => line({ ...right, [name]: text }))),
    ...ofOutput.map((texts) => line({ ...right, ...texts })),
    ...broken,
  ];
}

function accounts(plan: Plan, lines: readonly Uint8Array[], lineEnd = '\n'): { readonly engine: Account[]; readonly reference: Account } {
  const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from(lineEnd)]));
  const engine = (['slow', 'fast'] as const).map((path) => runEngine(plan, bytes, { path, chunkBytes: 2_000, blockBytes: 65_536 }));
  return { engine, reference: runReference(plan, bytes) };
}

function expectSameWords(plan: Plan, lines: readonly Uint8Array[]): Account {
  const { engine, reference } = accounts(plan, lines);
  for (const account of engine) {
    expect(account.findings).toEqual(reference.findings);
    expect(account.warnings).toEqual(reference.warnings);
    expect(account.damage).toEqual(reference.damage);
  }
  return reference;
}

const packed = fieldPlan('packed', 'decimal', { start: 0, length: 3 }, { usage: 'packed', point: 'implied' });
const zoned = fieldPlan('zoned', 'int', { start: 3, length: 3 }, { usage: 'zoned' });
const punched = fieldPlan('punched', 'int', { start: 6, length: 2 }, { usage: 'overpunch', sign: 'leading' });
const heldFormat = {
  type: 'fixed-width',
  encoding: 'ibm037',
  lineEnds: false,
  discriminator: null,
  recordLength: 8,
  shortLines: 'reject',
  skipBlankLines: true,
} as const;
/** Records of IBM-037, in hexadecimal, without line ends. */
const heldNumbers = [
  {
    plan: planOf({ format: heldFormat, records: [recordPlan([packed, zoned, punched])] }),
    lines: [
      '12345cf1f2d3d1f2',
      '12345af1f2f3c1f2',
      '1a345cf1f2d3d1f2',
      '123456f1f2d3d1f2',
      '12345cf1f282d1f2',
      '12345cf1f2d3f1c1',
      '12345c00f2d3d1f2',
    ].map((hex) => Buffer.from(hex, 'hex')),
    codes: ['E_PACKED', 'E_PACKED', 'E_ZONED', 'E_ZONED', 'E_CHARACTER'],
  },
];

const codesOf = ({ findings }: Account) => findings.map((finding) => (finding as unknown[])[2] as string);

describe('the reference parser words findings as the engine does', () => {
  it.each(Object.entries(kinds))('in a file of %s, whatever a record is refused for', (_name, kind) => {
    const { findings, warnings } = expectSameWords(
      kind.plan,
      linesOf(kind).map((line) => Buffer.from(line)),
    );
    expect(findings.length).toBeGreaterThan(50);
    expect(warnings.length).toBeGreaterThan(0);
  });

  it('saying of a decimal whether it is none or has too many digits, and of a line how long it is', () => {
    const wrong = { needed: 'x', int: '5', bounded: '5' };
    const { plan, line } = kinds.delimited;
    const { findings } = expectSameWords(
      plan,
      ['1.005', '1.0', '1e3', '0.0000'].map((decimal) => Buffer.from(line({ ...wrong, decimal }))),
    );
    const tooMany = 'more digits after the point than its scale of 2';
    expect(findings.map((finding) => (finding as unknown[]).at(-1))).toEqual([tooMany, 'not a decimal number', tooMany]);
    const fixed = kinds['fixed-width'];
    const words = expectSameWords(fixed.plan, [Buffer.from('Dabc'), Buffer.from(`${fixed.line(wrong)}xyz`)]).findings;
    const width = Buffer.byteLength(fixed.line(wrong));
    expect(words.map((finding) => (finding as unknown[]).at(-1))).toEqual([
      `expected ${width} bytes, found 4`,
      `expected ${width} bytes, found ${width + 3}`,
    ]);
  });

  it('saying of an output field how wide its column is', () => {
    const { plan, line } = kinds.delimited;
    const lines = [{ needed: 'x'.repeat(9) }, { needed: 'a\nb' }].map((texts) => Buffer.from(line({ int: '5', bounded: '5', ...texts })));
    const words = expectSameWords(plan, lines).findings.map((finding) => (finding as unknown[]).at(-1));
    expect(words).toEqual(['longer than its output column of 6 bytes', 'a line end in an output column']);
  });

  it('of numbers that are not as a program holds them', () => {
    for (const { plan, lines, codes } of heldNumbers) {
      const { engine, reference } = accounts(plan, lines, '');
      for (const account of engine) expect(account.findings).toEqual(reference.findings);
      expect(codesOf(reference)).toEqual(codes);
    }
  });

  it('of every code that a record can have', () => {
    const held = heldNumbers.flatMap(({ codes }) => codes);
    const seen = Object.values(kinds).flatMap((kind) => {
      const lines = linesOf(kind).map((line) => Buffer.from(line));
      return codesOf(expectSameWords(kind.plan, [...lines, Buffer.from([0xff])]));
    });
    const known = [structureErrors, fieldErrors, outputErrors, expressionErrors].flatMap((errors) => Object.keys(errors));
    expect(known.filter((code) => !seen.includes(code) && !held.includes(code))).toEqual([]);
  });

  it('about bytes that are no UTF-8, down to which byte it is', () => {
    const unit = fc.constantFrom(
      ...['41', 'c3a9', 'e282ac', 'f09d849e', 'efbfbd', '80', 'c3', 'e282', 'f09d84', 'c0af', 'eda080', 'f4908080', 'ff', 'e0', '00'],
    );
    const line = fc.array(unit, { maxLength: 8 }).map((units) => Buffer.from(`442c${units.join('')}`, 'hex'));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        expectSameWords(kinds.delimited.plan, lines);
      }),
      { numRuns: 200 },
    );
  });

  it('about lines that are no JSON object, down to which character it is', () => {
    const token = fc.constantFrom(
      ...['{', '}', '[', ']', ':', ',', '"a"', '"b"', '"tag"', '"D"', '1', '-', '01', 'true', 'nul', ' ', '\t', '"', '\\', '\\u0000'],
      ...['"\\n"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u00g0"', '\u00a0', 'é', '😀', '\r', '['.repeat(64), '{"a":'.repeat(64)],
    );
    const line = fc.tuple(fc.constantFrom('', '{', '{"tag":"D",', '{"a":'), fc.array(token, { maxLength: 9 }));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        expectSameWords(
          kinds['json-lines'].plan,
          lines.map(([start, tokens]) => Buffer.from(start + tokens.join(''))),
        );
      }),
      { numRuns: 300 },
    );
  });
});
