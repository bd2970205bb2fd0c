/**
 * The meaning of expressions: evaluates a checked tree over one record (or one file's totals). Exact, without clock,
 * randomness or side effects, bounded by the tree's own size. Kernels that compile an expression must agree with this.
 */
import type { Expression, FunctionName, Scope, ValueType } from './expression.ts';
import { ExpressionFailure } from './expression-errors.ts';
import { datePart, formatMoment } from './moments.ts';
import { compilePattern } from './patterns.ts';
import {
  beginTexts,
  concatTexts,
  lowerAsciiText,
  lowerText,
  maskText,
  padText,
  replaceText,
  substringText,
  textSize,
  trimText,
  upperAsciiText,
  upperText,
} from './text-functions.ts';
import {
  addNumbers,
  compareMoments,
  compareNumbers,
  compareTexts,
  type Decimal,
  decimalToInt,
  divideNumbers,
  isDecimal,
  moduloInts,
  multiplyNumbers,
  negateNumber,
  parseDecimal,
  parseInteger,
  type Rounding,
  roundings,
  subtractNumbers,
  type Value,
  valueText,
} from './values.ts';

type Call = Extract<Expression, { kind: 'call' }>;
export type Statistic = Extract<Expression, { kind: 'statistic' }>['name'];

export interface EvaluationScope {
  /** Null where the field is absent. */
  field(scope: Scope, index: number): Value;
  statistic(name: Statistic, field: string | null, key: string | null): Value;
}

/** Throws `ExpressionFailure` (E_EXPRESSION) where the tree has no value for this record. */
export function evaluate(expression: Expression, scope: EvaluationScope): Value {
  beginTexts();
  return resultOf(expression, scope);
}

function resultOf(expression: Expression, scope: EvaluationScope): Value {
  switch (expression.kind) {
    case 'literal':
      return literalValue(expression.type, expression.value);
    case 'field':
      return scope.field(expression.scope, expression.index);
    case 'statistic':
      return scope.statistic(expression.name, expression.field, expression.key);
    case 'in':
      return evaluateIn(expression, scope);
    case 'call':
      return evaluateCall(expression, scope);
  }
}

/** An assert or `when`: anything but true or false is a failure. */
export function evaluateBoolean(expression: Expression, scope: EvaluationScope): boolean {
  beginTexts();
  return truthOf(expression, scope);
}

function truthOf(expression: Expression, scope: EvaluationScope): boolean {
  const value = resultOf(expression, scope);
  if (typeof value !== 'boolean') throw new ExpressionFailure('condition is absent');
  return value;
}

export function literalValue(type: ValueType, text: string | null): Value {
  if (text === null) return null;
  switch (type) {
    case 'int':
      return BigInt(text);
    case 'decimal':
      return parseDecimal(text);
    case 'bool':
      return text === 'true';
    case 'null':
      return null;
    case 'string':
    case 'date':
    case 'time':
    case 'datetime':
      return text;
  }
}

function evaluateIn(expression: Extract<Expression, { kind: 'in' }>, scope: EvaluationScope): boolean {
  const value = present(resultOf(expression.value, scope));
  const type = expression.value.type;
  return expression.list.some((item) => compareValues(value, present(resultOf(item, scope)), type) === 0);
}

function evaluateCall(call: Call, scope: EvaluationScope): Value {
  switch (call.name) {
    case 'and':
      return evaluateLogic(call, scope, false);
    case 'or':
      return evaluateLogic(call, scope, true);
    case 'conditional':
      return resultOf(call.arguments[truthOf(call.arguments[0]!, scope) ? 1 : 2]!, scope);
    case 'isNull':
      return resultOf(call.arguments[0]!, scope) === null;
    case 'coalesce':
      return firstPresent(call.arguments, scope);
    case 'equal':
    case 'notEqual':
      return evaluateEquality(call, scope);
    default:
      return applyFunction(
        call.name,
        call.arguments.map((argument) => present(resultOf(argument, scope))),
        call.arguments[0]!.type,
      );
  }
}

/** `decisive` is the operand that settles the result: false for `&&`, true for `||`. It absorbs a failure on the other side. */
function evaluateLogic(call: Call, scope: EvaluationScope, decisive: boolean): boolean {
  let failure: ExpressionFailure | null = null;
  for (const argument of call.arguments) {
    try {
      if (truthOf(argument, scope) === decisive) return decisive;
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error;
      failure ??= error;
    }
  }
  if (failure !== null) throw failure;
  return !decisive;
}

function firstPresent(candidates: readonly Expression[], scope: EvaluationScope): Value {
  for (const candidate of candidates) {
    const value = resultOf(candidate, scope);
    if (value !== null) return value;
  }
  return null;
}

function evaluateEquality(call: Call, scope: EvaluationScope): boolean {
  const [left, right] = [call.arguments[0]!, call.arguments[1]!];
  const wanted = call.name === 'equal';
  if (isNullLiteral(left) || isNullLiteral(right)) {
    return ((resultOf(left, scope) === null) === (resultOf(right, scope) === null)) === wanted;
  }
  const type = left.type;
  return (compareValues(present(resultOf(left, scope)), present(resultOf(right, scope)), type) === 0) === wanted;
}

function isNullLiteral(expression: Expression): boolean {
  return expression.kind === 'literal' && expression.value === null;
}

function present(value: Value): Exclude<Value, null> {
  if (value === null) throw new ExpressionFailure('a value is absent');
  return value;
}

/** Negative, zero or positive. `type` tells texts from moments; numbers compare across int and decimal. */
export function compareValues(left: Exclude<Value, null>, right: Exclude<Value, null>, type: ValueType): number {
  if (typeof left === 'string' && typeof right === 'string')
    return type === 'datetime' || type === 'time' ? compareMoments(left, right) : compareTexts(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  return compareNumbers(left as bigint | Decimal, right as bigint | Decimal);
}

type Applied = Exclude<FunctionName, 'and' | 'or' | 'conditional' | 'isNull' | 'coalesce' | 'equal' | 'notEqual'>;

/** Functions whose arguments are all evaluated and present. `type` is the first argument's. */
export function applyFunction(name: Applied, values: readonly Exclude<Value, null>[], type: ValueType): Value {
  const [a, b, c, d] = values as [Exclude<Value, null>, Exclude<Value, null>, Exclude<Value, null>, Exclude<Value, null>];
  switch (name) {
    case 'not':
      return !(a as boolean);
    case 'less':
      return compareValues(a, b, type) < 0;
    case 'lessOrEqual':
      return compareValues(a, b, type) <= 0;
    case 'greater':
      return compareValues(a, b, type) > 0;
    case 'greaterOrEqual':
      return compareValues(a, b, type) >= 0;
    case 'add':
      return addNumbers(a as bigint, b as bigint);
    case 'subtract':
      return subtractNumbers(a as bigint, b as bigint);
    case 'multiply':
      return multiplyNumbers(a as bigint, b as bigint);
    case 'modulo':
      return moduloInts(a as bigint, b as bigint);
    case 'negate':
      return negateNumber(a as bigint);
    case 'divide':
      return divideNumbers(a as bigint, b as bigint, { scale: c as bigint, rounding: checkRounding(d as string) });
    case 'toString':
      return valueText(a);
    case 'toInt':
      return typeof a === 'string' ? parseInteger(a) : isDecimal(a) ? decimalToInt(a) : a;
    case 'toDecimal':
      return typeof a === 'string' ? parseDecimal(a) : typeof a === 'bigint' ? { unscaled: a, scale: 0 } : a;
    case 'minorUnits':
      return decimalToInt({ unscaled: (a as Decimal).unscaled, scale: 0 });
    case 'year':
    case 'month':
    case 'day':
      return datePart(a as string, name);
    case 'formatDate':
      return formatMoment(a as string, b as string);
    default:
      return applyTextFunction(name, values as readonly (string | bigint)[]);
  }
}

type TextFunction = Extract<
  Applied,
  | 'concat'
  | 'size'
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'matches'
  | 'substring'
  | 'trim'
  | 'upper'
  | 'lower'
  | 'upperAscii'
  | 'lowerAscii'
  | 'replace'
  | 'padLeft'
  | 'padRight'
  | 'mask'
>;

function applyTextFunction(name: TextFunction, values: readonly (string | bigint)[]): Value {
  const text = values[0] as string;
  const other = values[1] as string;
  switch (name) {
    case 'concat':
      return concatTexts(text, other);
    case 'size':
      return BigInt(textSize(text));
    case 'startsWith':
      return text.startsWith(other);
    case 'endsWith':
      return text.endsWith(other);
    case 'contains':
      return text.includes(other);
    case 'matches':
      return compilePattern(other, 'part')(text);
    case 'substring':
      return substringText(text, values[1] as bigint, values.length > 2 ? (values[2] as bigint) : null);
    case 'trim':
      return trimText(text);
    case 'upper':
      return upperText(text);
    case 'lower':
      return lowerText(text);
    case 'upperAscii':
      return upperAsciiText(text);
    case 'lowerAscii':
      return lowerAsciiText(text);
    case 'replace':
      return replaceText(text, { search: other, replacement: values[2] as string });
    case 'padLeft':
    case 'padRight':
      return padText(text, { side: name === 'padLeft' ? 'left' : 'right', width: values[1] as bigint, fill: values[2] as string });
    case 'mask':
      return maskText(text, { first: values[1] as bigint, last: values[2] as bigint });
  }
}

function checkRounding(text: string): Rounding {
  const rounding = roundings.find((candidate) => candidate === text);
  if (rounding === undefined) throw new ExpressionFailure('unknown rounding');
  return rounding;
}
