/**
 * Checks the calls of an expression against the table of functions, and the forms with a meaning of their own: `has`,
 * `coalesce` and the literals `date('…')`, `time('…')`, `datetime('…')`, `decimal('…')`.
 */
import { createMomentReader } from '../fields/moment-types.ts';
import type { Expression, ValueType } from './expression.ts';
import { type FunctionSignature, functionSignatures, insteadOf, type ParameterType, specialForms } from './functions.ts';
import { parseMomentPattern } from './moments.ts';
import type { Syntax } from './parse.ts';
import { patternProblem } from './patterns.ts';
import { textSize } from './text-functions.ts';
import { type CheckContext, call, isNumber, joinTypes, withNearest } from './typing.ts';
import { decimalText, parseDecimal, roundings } from './values.ts';

type CallSyntax = Extract<Syntax, { kind: 'call' }>;

export function checkCall(checker: CheckContext, syntax: CallSyntax): Expression | null {
  const { name, target } = syntax;
  if (target?.kind === 'name' && checker.environment.later.includes(target.name)) {
    return checker.refuse('E_NOT_SUPPORTED_YET', `${target.name}.${name} is not supported yet`, target);
  }
  if (target === null) {
    if (name === 'has') return checkHas(checker, syntax);
    if (name === 'coalesce') return checkCoalesce(checker, syntax);
    if (name === 'date' || name === 'time' || name === 'datetime') return checkMoment(checker, syntax, name);
  }
  const signature = Object.hasOwn(functionSignatures, name) ? functionSignatures[name] : undefined;
  if (signature === undefined) return refuseUnknown(checker, syntax);
  if (signature.style !== 'both' && (signature.style === 'method') !== (target !== null)) {
    const right = signature.style === 'method' ? `x.${name}(…)` : `${name}(…)`;
    return checker.refuse('E_EXPRESSION_NAME', `${name} is written ${right}`, syntax.nameRange);
  }
  const operands = target === null ? syntax.arguments : [target, ...syntax.arguments];
  const checked = operands.map((operand) => checker.check(operand));
  if (checked.some((operand) => operand === null)) return null;
  return checkOperands(checker, { syntax, signature, operands, checked: checked as Expression[] });
}

function refuseUnknown(checker: CheckContext, syntax: CallSyntax): null {
  const { name } = syntax;
  const instead = Object.hasOwn(insteadOf, name) ? insteadOf[name] : undefined;
  const message = `unknown function ${name}`;
  if (instead !== undefined) return checker.refuse('E_EXPRESSION_NAME', `${message}; write ${instead}`, syntax.nameRange);
  return checker.refuse(
    'E_EXPRESSION_NAME',
    withNearest(message, name, [...Object.keys(functionSignatures), ...specialForms]),
    syntax.nameRange,
  );
}

interface Operands {
  readonly syntax: CallSyntax;
  readonly signature: FunctionSignature;
  readonly operands: readonly Syntax[];
  readonly checked: readonly Expression[];
}

function checkOperands(checker: CheckContext, { syntax, signature, operands, checked }: Operands): Expression | null {
  const { parameters } = signature;
  const least = parameters.length - (signature.optional ?? 0);
  if (checked.length < least || checked.length > parameters.length) {
    const own = syntax.target === null ? 0 : 1;
    const wanted = least === parameters.length ? `${least - own}` : `${least - own} or ${parameters.length - own}`;
    return checker.refuse('E_EXPRESSION_TYPE', `${syntax.name} takes ${wanted} arguments, not ${checked.length - own}`, syntax);
  }
  for (const [index, operand] of checked.entries()) {
    const wrong = parameterProblem(parameters[index]!, operand);
    if (wrong === null) continue;
    const code = parameters[index] === 'literal:pattern' ? 'E_PATTERN_REFUSED' : 'E_EXPRESSION_TYPE';
    return checker.refuse(code, `${syntax.name}: ${wrong}`, operands[index]!);
  }
  if (signature.call === 'toDecimal' && checked[0]!.kind === 'literal') return decimalLiteral(checker, checked[0], operands[0]!);
  if (signature.call === 'formatDate' && checked[0]!.type === 'date' && /HH|mm|ss|SSS/.test(literalText(checked[1]!))) {
    return checker.refuse('E_EXPRESSION_TYPE', 'formatDate: a date has no time of day', operands[1]!);
  }
  return call(signature.call, signature.result, ...checked);
}

/** Null when the operand fits. */
function parameterProblem(wanted: ParameterType, operand: Expression): string | null {
  if (operand.type === 'null') return 'null is not a value here';
  switch (wanted) {
    case 'any':
      return null;
    case 'number':
      return isNumber(operand.type) ? null : `needs a number, not ${operand.type}`;
    case 'text-or-number':
      return isNumber(operand.type) || operand.type === 'string' ? null : `needs a string or a number, not ${operand.type}`;
    case 'moment':
      return operand.type === 'date' || operand.type === 'datetime' ? null : `needs a date or datetime, not ${operand.type}`;
    case 'literal:pattern':
    case 'literal:moment':
    case 'literal:rounding':
    case 'literal:fill':
    case 'literal:int':
      return literalProblem(wanted, operand);
    default:
      return operand.type === wanted ? null : `needs ${wanted}, not ${operand.type}`;
  }
}

type LiteralParameter = Extract<ParameterType, `literal:${string}`>;

function literalProblem(wanted: LiteralParameter, operand: Expression): string | null {
  const type: ValueType = wanted === 'literal:int' ? 'int' : 'string';
  if (operand.kind !== 'literal' || operand.type !== type) return `needs a literal ${type}`;
  const text = literalText(operand);
  switch (wanted) {
    case 'literal:pattern':
      return patternProblem(text);
    case 'literal:moment':
      return parseMomentPattern(text) === null || !/yyyy|MM|dd|HH|mm|ss/.test(text)
        ? 'the pattern may hold yyyy MM dd HH mm ss SSS and literals'
        : null;
    case 'literal:rounding':
      return roundings.some((rounding) => rounding === text) ? null : `rounding is one of ${roundings.join(', ')}`;
    case 'literal:fill':
      return textSize(text) === 1 ? null : 'fills with exactly one character';
    case 'literal:int':
      return BigInt(text) >= 0n && BigInt(text) <= 10_000n ? null : 'must be from 0 to 10000';
  }
}

function literalText(expression: Expression): string {
  return expression.kind === 'literal' ? (expression.value ?? '') : '';
}

function decimalLiteral(checker: CheckContext, operand: Expression, range: Syntax): Expression | null {
  try {
    return { kind: 'literal', type: 'decimal', value: decimalText(parseDecimal(literalText(operand))) };
  } catch {
    return checker.refuse(
      'E_EXPRESSION_TYPE',
      "decimal: needs digits with an optional point, such as decimal('1.50'), at most 38 of them",
      range,
    );
  }
}

function checkMoment(checker: CheckContext, syntax: CallSyntax, type: 'date' | 'time' | 'datetime'): Expression | null {
  const [operand] = syntax.arguments;
  if (syntax.arguments.length !== 1 || operand!.kind !== 'literal' || operand!.type !== 'string') {
    return checker.refuse('E_EXPRESSION_TYPE', `${type} takes one literal text in ISO 8601`, syntax);
  }
  const value = createMomentReader(type, null)(operand!.value);
  if (value === null) return checker.refuse('E_EXPRESSION_TYPE', `not a ${type} in ISO 8601`, operand!);
  return { kind: 'literal', type, value };
}

function checkHas(checker: CheckContext, syntax: CallSyntax): Expression | null {
  const [operand] = syntax.arguments;
  if (syntax.arguments.length !== 1 || operand!.kind !== 'select')
    return checker.refuse('E_EXPRESSION_TYPE', 'has takes one field: has(record.name)', syntax);
  const field = checker.check(operand!);
  if (field === null) return null;
  if (field.kind !== 'field') return checker.refuse('E_EXPRESSION_TYPE', 'has takes one field: has(record.name)', operand!);
  return call('not', 'bool', call('isNull', 'bool', field));
}

function checkCoalesce(checker: CheckContext, syntax: CallSyntax): Expression | null {
  const checked = syntax.arguments.map((argument) => checker.check(argument));
  if (checked.some((argument) => argument === null)) return null;
  if (checked.length < 2) return checker.refuse('E_EXPRESSION_TYPE', 'coalesce takes at least two values', syntax);
  const joined = joinTypes(checked as Expression[]);
  if (joined === null || checked.some((argument) => argument!.type === 'null')) {
    return checker.refuse(
      'E_EXPRESSION_TYPE',
      `coalesce needs values of one type, not ${checked.map((argument) => argument!.type).join(' and ')}`,
      syntax,
    );
  }
  return call('coalesce', joined.type, ...joined.expressions);
}
