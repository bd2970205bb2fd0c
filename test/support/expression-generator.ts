/**
 * Random typed expressions and values for property tests: every tree it gives is one that the checker could have made,
 * with every function of the language, and `printExpression` writes it back as CEL text.
 */
import fc from 'fast-check';
import type { FieldBinding } from '../../src/pipeline/engine/expressions/environment.ts';
import type { Expression, FunctionName, Scope, ValueType } from '../../src/pipeline/engine/expressions/expression.ts';
import { decimalText, type Value } from '../../src/pipeline/engine/expressions/values.ts';

export interface GeneratorFields {
  readonly scope: Scope;
  readonly fields: readonly FieldBinding[];
}

type Computed = Exclude<ValueType, 'null'>;

const shortText = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -._', 'é', '€', '😀', '\ue000'), maxLength: 8 });
const dates = fc.constantFrom('2026-01-31', '2024-02-29', '0001-01-01', '9999-12-31', '2026-02-01');
const times = fc.constantFrom('00:00:00', '23:59:59', '12:30:00', '12:30:00.125');
const datetimes = fc.constantFrom('2026-01-31T00:00:00', '2026-01-31T23:59:59.125', '2026-01-31T23:59:59Z', '2024-02-29T12:00:00Z');
const integers = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt(-1_000n, 1_000n) },
  { weight: 1, arbitrary: fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 10n ** 18n) },
  { weight: 1, arbitrary: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
);
const decimals = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.bigInt(-100_000n, 100_000n) }, { weight: 1, arbitrary: fc.bigInt(-(10n ** 18n), 10n ** 18n) }),
    fc.nat({ max: 4 }),
  )
  .map(([unscaled, scale]) => ({ unscaled, scale }));

/** A value that a field of the type may hold; absent now and then. */
export function arbitraryValue(type: ValueType): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 8, arbitrary: presentValue(type as Computed) }, { weight: 1, arbitrary: fc.constant(null) });
}

function presentValue(type: Computed): fc.Arbitrary<Value> {
  switch (type) {
    case 'string':
      return shortText;
    case 'int':
      return integers;
    case 'decimal':
      return decimals;
    case 'bool':
      return fc.boolean();
    case 'date':
      return dates;
    case 'time':
      return times;
    case 'datetime':
      return datetimes;
  }
}

function literal(type: Computed): fc.Arbitrary<Expression> {
  return presentValue(type).map((value) => ({
    kind: 'literal',
    type,
    value: typeof value === 'object' && value !== null ? decimalText(value) : String(value),
  }));
}

function text(value: string): Expression {
  return { kind: 'literal', type: 'string', value };
}

function call(name: FunctionName, type: ValueType, ...parts: fc.Arbitrary<Expression>[]): fc.Arbitrary<Expression> {
  return fc.tuple(...parts).map((operands) => ({ kind: 'call', type, name, arguments: operands }));
}

/** One call of each name over the same operands. */
function callsNamed(names: readonly FunctionName[], type: ValueType, ...parts: fc.Arbitrary<Expression>[]): fc.Arbitrary<Expression> {
  return fc.tuple(fc.constantFrom(...names), ...parts).map(([name, ...operands]) => ({ kind: 'call', type, name, arguments: operands }));
}

function oneOfTypes<Made>(types: readonly Computed[], make: (type: Computed) => fc.Arbitrary<Made>): fc.Arbitrary<Made> {
  return fc.oneof(...types.map(make));
}

/** The checker reads `decimal('…')` as a literal, so its text must be a decimal. */
function toDecimalOf(operand: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> {
  return operand.map((from) => {
    const readable: Expression =
      from.kind === 'literal' && from.type === 'string' ? { kind: 'literal', type: 'string', value: '-1.50' } : from;
    return { kind: 'call', type: 'decimal', name: 'toDecimal', arguments: [readable] };
  });
}

const smallCount = fc.nat({ max: 12 }).map((count): Expression => ({ kind: 'literal', type: 'int', value: String(count) }));
const anyPosition = fc.integer({ min: -3, max: 12 }).map((count): Expression => ({ kind: 'literal', type: 'int', value: String(count) }));
const fills = fc.constantFrom(text('0'), text(' '), text('€'));
const patterns = fc.constantFrom(text('^[0-9]+$'), text('a|b'), text('^[A-Z]{2}'), text('\\d\\d'), text('(a+)+$'), text('é'));
const roundings = fc.constantFrom(text('half-up'), text('half-even'), text('down'));
const dayPatterns = fc.constantFrom(text('yyyyMMdd'), text('dd/MM/yyyy'), text('MM'));
const datetimePatterns = fc.constantFrom(text('yyyy-MM-ddTHH:mm:ss.SSS'), text('HHmm'), text('yyyyMMdd'));

/** Trees of the type, at most `depth` calls deep, that name only the given fields. */
export function arbitraryExpression(request: {
  type: Computed;
  depth: number;
  from: readonly GeneratorFields[];
}): fc.Arbitrary<Expression> {
  // One arbitrary per type and depth: building them anew for every operand would grow with the power of the depth.
  const made = new Map<string, fc.Arbitrary<Expression>>();
  const build = (type: Computed, depth: number): fc.Arbitrary<Expression> => {
    const known = made.get(`${type} ${depth}`);
    if (known !== undefined) return known;
    const leaves = leavesOf(type, request.from);
    const sub = (wanted: Computed): fc.Arbitrary<Expression> => build(wanted, depth - 1);
    const built = depth <= 0 ? leaves : fc.oneof({ weight: 2, arbitrary: leaves }, { weight: 5, arbitrary: innerCalls(type, sub) });
    made.set(`${type} ${depth}`, built);
    return built;
  };
  return build(request.type, request.depth);
}

function innerCalls(type: Computed, sub: Sub): fc.Arbitrary<Expression> {
  return fc.oneof(
    ...callsOf(type, sub),
    call('conditional', type, sub('bool'), sub(type), sub(type)),
    call('coalesce', type, sub(type), sub(type)),
  );
}

function leavesOf(type: Computed, from: readonly GeneratorFields[]): fc.Arbitrary<Expression> {
  const fields = from.flatMap(({ scope, fields: bindings }) =>
    bindings
      .filter((field) => field.type === type)
      .map((field): Expression => ({ kind: 'field', type, scope, index: field.index, name: field.name })),
  );
  if (fields.length === 0) return literal(type);
  return fc.oneof({ weight: 1, arbitrary: literal(type) }, { weight: 3, arbitrary: fc.constantFrom(...fields) });
}

type Sub = (type: Computed) => fc.Arbitrary<Expression>;

function callsOf(type: Computed, sub: Sub): fc.Arbitrary<Expression>[] {
  switch (type) {
    case 'bool':
      return boolCalls(sub);
    case 'string':
      return stringCalls(sub);
    case 'int':
      return intCalls(sub);
    case 'decimal':
      return decimalCalls(sub);
    case 'date':
    case 'time':
    case 'datetime':
      return [];
  }
}

const comparisons: readonly FunctionName[] = ['less', 'lessOrEqual', 'greater', 'greaterOrEqual', 'equal', 'notEqual'];
const comparedTypes: readonly (readonly [Computed, Computed])[] = [
  ['string', 'string'],
  ['int', 'int'],
  ['decimal', 'decimal'],
  ['int', 'decimal'],
  ['decimal', 'int'],
  ['date', 'date'],
  ['time', 'time'],
  ['datetime', 'datetime'],
];

function boolCalls(sub: Sub): fc.Arbitrary<Expression>[] {
  const compared = fc.oneof(...comparedTypes.map(([left, right]) => callsNamed(comparisons, 'bool', sub(left), sub(right))));
  const membership = oneOfTypes(['string', 'int', 'decimal', 'date'], (type) =>
    fc
      .tuple(sub(type), fc.array(literal(type), { minLength: 1, maxLength: 4 }))
      .map(([value, list]): Expression => ({ kind: 'in', type: 'bool', value, list })),
  );
  const absence = oneOfTypes(['string', 'int', 'decimal', 'date'], (type) => call('isNull', 'bool', sub(type)));
  return [
    compared,
    compared,
    callsNamed(['and', 'or'], 'bool', sub('bool'), sub('bool')),
    call('not', 'bool', sub('bool')),
    membership,
    absence,
    callsNamed(['startsWith', 'endsWith', 'contains'], 'bool', sub('string'), sub('string')),
    call('matches', 'bool', sub('string'), patterns),
  ];
}

function stringCalls(sub: Sub): fc.Arbitrary<Expression>[] {
  return [
    call('concat', 'string', sub('string'), sub('string')),
    call('substring', 'string', sub('string'), anyPosition),
    call('substring', 'string', sub('string'), anyPosition, anyPosition),
    call('trim', 'string', sub('string')),
    call('upper', 'string', sub('string')),
    call('lower', 'string', sub('string')),
    call('upperAscii', 'string', sub('string')),
    call('lowerAscii', 'string', sub('string')),
    call('replace', 'string', sub('string'), sub('string'), sub('string')),
    call('padLeft', 'string', sub('string'), smallCount, fills),
    call('padRight', 'string', sub('string'), smallCount, fills),
    call('mask', 'string', sub('string'), smallCount, smallCount),
    oneOfTypes(['string', 'int', 'decimal', 'bool', 'date', 'datetime'], (type) => call('toString', 'string', sub(type))),
    call('formatDate', 'string', sub('date'), dayPatterns),
    call('formatDate', 'string', sub('datetime'), datetimePatterns),
  ];
}

function intCalls(sub: Sub): fc.Arbitrary<Expression>[] {
  return [
    callsNamed(['add', 'subtract', 'multiply', 'modulo'], 'int', sub('int'), sub('int')),
    call('negate', 'int', sub('int')),
    call('size', 'int', sub('string')),
    oneOfTypes(['string', 'int', 'decimal'], (type) => call('toInt', 'int', sub(type))),
    call('minorUnits', 'int', sub('decimal')),
    oneOfTypes(['date', 'datetime'], (type) => callsNamed(['year', 'month', 'day'], 'int', sub(type))),
  ];
}

function decimalCalls(sub: Sub): fc.Arbitrary<Expression>[] {
  const operands: readonly (readonly [Computed, Computed])[] = [
    ['decimal', 'decimal'],
    ['int', 'decimal'],
    ['decimal', 'int'],
  ];
  return [
    ...operands.map(([left, right]) => callsNamed(['add', 'subtract', 'multiply'], 'decimal', sub(left), sub(right))),
    ...operands.map(([left, right]) => call('divide', 'decimal', sub(left), sub(right), smallCount, roundings)),
    call('negate', 'decimal', sub('decimal')),
    oneOfTypes(['string', 'int', 'decimal'], (type) => toDecimalOf(sub(type))),
  ];
}

/** Maps, because a function of the language is called toString. */
const infix: ReadonlyMap<FunctionName, string> = new Map([
  ['and', '&&'],
  ['or', '||'],
  ['equal', '=='],
  ['notEqual', '!='],
  ['less', '<'],
  ['lessOrEqual', '<='],
  ['greater', '>'],
  ['greaterOrEqual', '>='],
  ['add', '+'],
  ['subtract', '-'],
  ['multiply', '*'],
  ['modulo', '%'],
  ['concat', '+'],
]);
const functionStyle: ReadonlyMap<FunctionName, string> = new Map([
  ['divide', 'div'],
  ['toString', 'string'],
  ['toInt', 'int'],
  ['toDecimal', 'decimal'],
  ['minorUnits', 'minorUnits'],
  ['coalesce', 'coalesce'],
  ['mask', 'mask'],
  ['size', 'size'],
]);

/** CEL text that the checker reads back as the same tree, nested operands in brackets. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return printLiteral(expression.type, expression.value);
    case 'field':
      return `${expression.scope}.${expression.name}`;
    case 'statistic':
      return (
        ['stats', expression.name, expression.field].filter((part) => part !== null).join('.') +
        (expression.key === null ? '' : `['${expression.key}']`)
      );
    case 'in':
      return `(${printExpression(expression.value)} in [${expression.list.map(printExpression).join(', ')}])`;
    case 'call':
      return printCall(expression.name, expression.arguments.map(printExpression));
  }
}

function printCall(name: FunctionName, operands: string[]): string {
  const operator = infix.get(name);
  if (operator !== undefined) return `(${operands.join(` ${operator} `)})`;
  if (name === 'not') return `!${operands[0]}`;
  if (name === 'negate') return `-(${operands[0]})`;
  if (name === 'conditional') return `(${operands[0]} ? ${operands[1]} : ${operands[2]})`;
  if (name === 'isNull') return `(${operands[0]} == null)`;
  const written = functionStyle.get(name);
  return written === undefined ? `${operands[0]}.${name}(${operands.slice(1).join(', ')})` : `${written}(${operands.join(', ')})`;
}

function printLiteral(type: ValueType, value: string | null): string {
  if (value === null) return 'null';
  if (type === 'int' || type === 'bool') return value;
  if (type === 'string') return JSON.stringify(value);
  return `${type}('${value}')`;
}
