/**
 * Checks CEL text against what it may name and gives the typed tree that everything else runs: all names resolved to
 * indexes, every operator's types known, regular expressions proven linear. Whatever passes can not fail by its type.
 */
import { checkCall } from './check-call.ts';
import type { Environment } from './environment.ts';
import type { Expression, FunctionName, Scope, ValueType } from './expression.ts';
import { parseExpression, type Syntax } from './parse.ts';
import { type ExpressionProblem, type ExpressionProblemCode, problem, type TextRange } from './problem.ts';
import { type CheckContext, call, isNumber, joinTypes, withNearest } from './typing.ts';

export interface CheckedExpression {
  /** Null when there are problems. */
  readonly expression: Expression | null;
  readonly problems: readonly ExpressionProblem[];
}

/** `expected` null: any type but null. An int stands where a decimal is expected. */
export function checkExpression(request: { source: string; environment: Environment; expected: ValueType | null }): CheckedExpression {
  const parsed = parseExpression(request.source);
  if ('problem' in parsed) return { expression: null, problems: [parsed.problem] };
  const checker = new Checker(request.environment);
  const expression = checker.check(parsed.syntax);
  if (expression !== null) checker.expectResult(expression, request.expected, parsed.syntax);
  return { expression: checker.problems.length > 0 ? null : expression, problems: checker.problems };
}

const ordered: readonly ValueType[] = ['string', 'date', 'time', 'datetime'];
const comparisons: Readonly<Record<string, FunctionName>> = { '<': 'less', '<=': 'lessOrEqual', '>': 'greater', '>=': 'greaterOrEqual' };
const arithmetic: Readonly<Record<string, FunctionName>> = { '+': 'add', '-': 'subtract', '*': 'multiply' };

class Checker implements CheckContext {
  readonly problems: ExpressionProblem[] = [];
  readonly environment: Environment;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** Null when a problem was reported in this part of the tree. */
  check(syntax: Syntax): Expression | null {
    switch (syntax.kind) {
      case 'literal':
        return this.#literal(syntax);
      case 'name':
        return this.#loneName(syntax);
      case 'select':
      case 'index':
        return this.#reference(syntax);
      case 'call':
        return checkCall(this, syntax);
      case 'unary':
        return this.#unary(syntax);
      case 'binary':
        return this.#binary(syntax);
      case 'conditional':
        return this.#conditional(syntax);
      case 'list':
        return this.refuse('E_EXPRESSION_TYPE', 'a list stands only after "in"', syntax);
    }
  }

  refuse(code: ExpressionProblemCode, message: string, range: TextRange): null {
    this.problems.push(problem(code, message, range));
    return null;
  }

  expectResult(expression: Expression, expected: ValueType | null, range: TextRange): void {
    if (expression.type === 'null') this.refuse('E_EXPRESSION_TYPE', 'the result is always null', range);
    else if (expected !== null && expression.type !== expected && !(expected === 'decimal' && expression.type === 'int')) {
      this.refuse('E_EXPRESSION_TYPE', `the result must be ${expected}, not ${expression.type}`, range);
    }
  }

  #literal(syntax: Extract<Syntax, { kind: 'literal' }>): Expression | null {
    if (syntax.type === 'null') return { kind: 'literal', type: 'null', value: null };
    if (syntax.type === 'int') {
      const value = BigInt(syntax.value);
      if (value >= 2n ** 63n || value < -(2n ** 63n)) return this.refuse('E_EXPRESSION_LIMIT', 'integer does not fit 64 bits', syntax);
    }
    return { kind: 'literal', type: syntax.type, value: syntax.value };
  }

  #loneName(syntax: Extract<Syntax, { kind: 'name' }>): null {
    const { scopes, statistics } = this.environment;
    const isScope = Object.hasOwn(scopes, syntax.name) || (syntax.name === 'stats' && statistics !== null);
    if (isScope) return this.refuse('E_EXPRESSION_TYPE', `${syntax.name} is not a value; name one of its fields`, syntax);
    const holder = Object.entries(scopes).find(([, fields]) => fields.some((field) => field.name === syntax.name));
    if (holder !== undefined)
      return this.refuse('E_EXPRESSION_NAME', `unknown name ${syntax.name}; did you mean ${holder[0]}.${syntax.name}?`, syntax);
    return this.#unknownScope(syntax.name, syntax);
  }

  #unknownScope(name: string, range: TextRange): null {
    if (this.environment.later.includes(name)) return this.refuse('E_NOT_SUPPORTED_YET', `${name} is not supported yet`, range);
    const absent = Object.hasOwn(this.environment.absent, name) ? this.environment.absent[name as Scope] : undefined;
    if (absent !== undefined) return this.refuse('E_EXPRESSION_NAME', `${name} can not be used here: ${absent}`, range);
    const known = [...Object.keys(this.environment.scopes), ...(this.environment.statistics === null ? [] : ['stats'])];
    return this.refuse('E_EXPRESSION_NAME', withNearest(`unknown name ${name}`, name, known), range);
  }

  #reference(syntax: Extract<Syntax, { kind: 'select' | 'index' }>): Expression | null {
    const path = referencePath(syntax);
    if (path === null) return this.refuse('E_EXPRESSION_TYPE', 'only record, out, header, trailer and stats have fields', syntax);
    const [root, ...rest] = path;
    if (root!.text === 'stats' && this.environment.statistics !== null) return this.#statistic(rest, syntax);
    const fields = Object.hasOwn(this.environment.scopes, root!.text) ? this.environment.scopes[root!.text as Scope] : undefined;
    if (fields === undefined) return this.#unknownScope(root!.text, root!.range);
    if (rest.length !== 1 || rest[0]!.isKey)
      return this.refuse('E_EXPRESSION_TYPE', `a field has no parts; write ${root!.text}.name`, syntax);
    const { text: name, range } = rest[0]!;
    const field = fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return { kind: 'field', type: field.type, scope: root!.text as Scope, index: field.index, name };
    const hidden = root!.text === 'record' ? this.environment.hiddenFields.get(name) : undefined;
    if (hidden !== undefined) return this.refuse('E_EXPRESSION_NAME', hidden, range);
    const known = fields.map((candidate) => candidate.name);
    return this.refuse('E_EXPRESSION_NAME', withNearest(`${root!.text} has no field ${name}`, name, known), range);
  }

  #statistic(path: readonly PathStep[], range: TextRange): Expression | null {
    const { sums, recordTypes } = this.environment.statistics!;
    const [name, part, key] = path;
    const kind = name!.text;
    if (kind === 'records' || kind === 'valid' || kind === 'rejected' || kind === 'filtered') {
      if (path.length !== 1) return this.refuse('E_EXPRESSION_TYPE', `stats.${kind} is a number`, range);
      return { kind: 'statistic', type: 'int', name: kind, field: null, key: null };
    }
    if (kind === 'count') {
      if (path.length !== 2) return this.refuse('E_EXPRESSION_TYPE', 'write stats.count.recordType', range);
      if (!recordTypes.includes(part!.text))
        return this.refuse('E_EXPRESSION_NAME', withNearest(`no counted record type ${part!.text}`, part!.text, recordTypes), part!.range);
      return { kind: 'statistic', type: 'int', name: 'count', field: part!.text, key: null };
    }
    if (kind !== 'sum' && kind !== 'sumBy') {
      const known = ['records', 'valid', 'rejected', 'filtered', 'sum', 'sumBy', 'count'];
      return this.refuse('E_EXPRESSION_NAME', withNearest(`stats has no ${kind}`, kind, known), name!.range);
    }
    if (path.length !== (kind === 'sum' ? 2 : 3) || (kind === 'sumBy' && !key!.isKey)) {
      return this.refuse('E_EXPRESSION_TYPE', kind === 'sum' ? 'write stats.sum.field' : "write stats.sumBy.field['ZAR']", range);
    }
    const sum = sums.find((candidate) => candidate.field === part!.text);
    if (sum === undefined) {
      const known = sums.map((candidate) => candidate.field);
      return this.refuse('E_EXPRESSION_NAME', withNearest(`${part!.text} is not summed (sum: true)`, part!.text, known), part!.range);
    }
    if (kind === 'sum') return { kind: 'statistic', type: sum.type, name: 'sum', field: sum.field, key: null };
    if (sum.currencies === null) return this.refuse('E_EXPRESSION_TYPE', `${sum.field} names no currency field`, part!.range);
    if (!/^[A-Z]{3}$/.test(key!.text))
      return this.refuse('E_EXPRESSION_TYPE', "a currency is three capital letters, such as 'ZAR'", key!.range);
    if (!sum.currencies.includes(key!.text)) {
      const message = withNearest(`no currency ${key!.text} for ${sum.field}`, key!.text, sum.currencies);
      return this.refuse('E_EXPRESSION_NAME', message, key!.range);
    }
    return { kind: 'statistic', type: sum.type, name: 'sumBy', field: sum.field, key: key!.text };
  }

  #unary(syntax: Extract<Syntax, { kind: 'unary' }>): Expression | null {
    const operand = this.check(syntax.operand);
    if (operand === null) return null;
    if (syntax.operator === '!') {
      return operand.type === 'bool'
        ? call('not', 'bool', operand)
        : this.refuse('E_EXPRESSION_TYPE', `! needs bool, not ${operand.type}`, syntax.operand);
    }
    return isNumber(operand.type)
      ? call('negate', operand.type, operand)
      : this.refuse('E_EXPRESSION_TYPE', `- needs a number, not ${operand.type}`, syntax.operand);
  }

  #conditional(syntax: Extract<Syntax, { kind: 'conditional' }>): Expression | null {
    const condition = this.check(syntax.condition);
    const then = this.check(syntax.then);
    const otherwise = this.check(syntax.otherwise);
    if (condition === null || then === null || otherwise === null) return null;
    if (condition.type !== 'bool')
      return this.refuse('E_EXPRESSION_TYPE', `the condition must be bool, not ${condition.type}`, syntax.condition);
    const joined = joinTypes([then, otherwise]);
    if (joined === null)
      return this.refuse('E_EXPRESSION_TYPE', `both results must have one type, not ${then.type} and ${otherwise.type}`, syntax);
    return call('conditional', joined.type, condition, joined.expressions[0]!, joined.expressions[1]!);
  }

  #binary(syntax: Extract<Syntax, { kind: 'binary' }>): Expression | null {
    if (syntax.operator === 'in') return this.#membership(syntax.left, syntax.right);
    const left = this.check(syntax.left);
    const right = this.check(syntax.right);
    if (left === null || right === null) return null;
    const { operator } = syntax;
    if (operator === '==' || operator === '!=') return this.#equality({ operator, left, right, range: syntax });
    const nulls = [left, right].some((operand) => operand.type === 'null');
    if (nulls) return this.refuse('E_EXPRESSION_TYPE', 'null is only compared with == and !=; ask has(…) first', syntax);
    if (operator === '&&' || operator === '||') {
      if (left.type === 'bool' && right.type === 'bool') return call(operator === '&&' ? 'and' : 'or', 'bool', left, right);
      return this.#mismatch(syntax, left, right, 'two bools');
    }
    const comparison = comparisons[operator];
    if (comparison !== undefined) {
      const comparable = (isNumber(left.type) && isNumber(right.type)) || (left.type === right.type && ordered.includes(left.type));
      return comparable ? call(comparison, 'bool', left, right) : this.#mismatch(syntax, left, right, 'two values of one ordered type');
    }
    if (operator === '/')
      return this.refuse('E_EXPRESSION_TYPE', "a division says how it rounds: write div(a, b, scale, 'half-even')", syntax);
    if (operator === '%') {
      return left.type === 'int' && right.type === 'int'
        ? call('modulo', 'int', left, right)
        : this.#mismatch(syntax, left, right, 'two ints');
    }
    if (operator === '+' && left.type === 'string' && right.type === 'string') return call('concat', 'string', left, right);
    if (!isNumber(left.type) || !isNumber(right.type))
      return this.#mismatch(syntax, left, right, operator === '+' ? 'two numbers or two strings' : 'two numbers');
    return call(arithmetic[operator]!, left.type === 'int' && right.type === 'int' ? 'int' : 'decimal', left, right);
  }

  #equality(pair: { operator: '==' | '!='; left: Expression; right: Expression; range: TextRange }): Expression | null {
    const { left, right, range } = pair;
    const negated = pair.operator === '!=';
    if (left.type === 'null' || right.type === 'null') {
      if (left.type === right.type) return this.refuse('E_EXPRESSION_TYPE', 'null is compared with null', range);
      const absent = call('isNull', 'bool', left.type === 'null' ? right : left);
      return negated ? call('not', 'bool', absent) : absent;
    }
    if (left.type !== right.type && !(isNumber(left.type) && isNumber(right.type)))
      return this.#mismatch(range, left, right, 'two values of one type');
    return call(negated ? 'notEqual' : 'equal', 'bool', left, right);
  }

  #mismatch(range: TextRange, left: Expression, right: Expression, wanted: string): null {
    const moment = [left, right].find((side) => side.type === 'date' || side.type === 'datetime' || side.type === 'time');
    const text = [left, right].some((side) => side.type === 'string');
    const hint = moment !== undefined && text ? `; write ${moment.type}('…')` : '';
    return this.refuse('E_EXPRESSION_TYPE', `this operator needs ${wanted}, not ${left.type} and ${right.type}${hint}`, range);
  }

  #membership(valueSyntax: Syntax, listSyntax: Syntax): Expression | null {
    const value = this.check(valueSyntax);
    if (listSyntax.kind !== 'list') return this.refuse('E_EXPRESSION_TYPE', "after in stands a list: x in ['A', 'B']", listSyntax);
    const items = listSyntax.items.map((item) => ({ item, expression: this.check(item) }));
    if (value === null || items.some(({ expression }) => expression === null)) return null;
    if (items.length === 0) return this.refuse('E_EXPRESSION_TYPE', 'nothing is in an empty list', listSyntax);
    for (const { item, expression } of items) {
      if (expression!.kind !== 'literal' || expression!.type === 'null')
        return this.refuse('E_EXPRESSION_TYPE', 'a list holds literals only', item);
      const fits = expression!.type === value.type || (isNumber(expression!.type) && isNumber(value.type));
      if (!fits) return this.refuse('E_EXPRESSION_TYPE', `the list must hold ${value.type}, not ${expression!.type}`, item);
    }
    return { kind: 'in', type: 'bool', value, list: items.map(({ expression }) => expression!) };
  }
}

interface PathStep {
  readonly text: string;
  readonly range: TextRange;
  /** Written in brackets. */
  readonly isKey: boolean;
}

function referencePath(syntax: Syntax): PathStep[] | null {
  if (syntax.kind === 'name') return [{ text: syntax.name, range: syntax, isKey: false }];
  if (syntax.kind === 'select') {
    const path = referencePath(syntax.target);
    return path === null ? null : [...path, { text: syntax.name, range: syntax.nameRange, isKey: false }];
  }
  if (syntax.kind === 'index' && syntax.index.kind === 'literal' && syntax.index.type === 'string') {
    const path = referencePath(syntax.target);
    return path === null ? null : [...path, { text: syntax.index.value, range: syntax.index, isKey: true }];
  }
  return null;
}
