/**
 * Source for conditions in their common forms: comparisons of fields with literals, enums, dates, `in`, prefixes and logic.
 * Where a value is absent, or a form is not known, the condition sets `slow` or asks the evaluator through `X.test`.
 */
import type { Expression } from '../expressions/expression.ts';
import { hasDateNumber, hasEnumIndex, hasNumber, scaleOf, unscaledLiteral } from './field-code.ts';
import { matchesBytes, type SourceContext } from './source-context.ts';

type Call = Extract<Expression, { kind: 'call' }>;
type RecordField = Extract<Expression, { kind: 'field' }>;

const comparisons: Readonly<Record<string, string>> = {
  equal: '===',
  notEqual: '!==',
  less: '<',
  lessOrEqual: '<=',
  greater: '>',
  greaterOrEqual: '>=',
};
const mirrored: Readonly<Record<string, string>> = {
  equal: 'equal',
  notEqual: 'notEqual',
  less: 'greater',
  lessOrEqual: 'greaterOrEqual',
  greater: 'less',
  greaterOrEqual: 'lessOrEqual',
};

export class ExpressionCode {
  readonly #context: SourceContext;
  readonly #reserved: ReadonlySet<number>;

  constructor(context: SourceContext, reserved: ReadonlySet<number>) {
    this.#context = context;
    this.#reserved = reserved;
  }

  /** An expression of JavaScript that is true or false, or sets `slow`. */
  condition(expression: Expression): string {
    return this.#bool(expression) ?? this.#evaluated(expression);
  }

  #evaluated(expression: Expression): string {
    const { number, places } = this.#context.evaluate(expression);
    return `(${places}(x=X.test(${number}))===2?(slow=1,false):x===1)`;
  }

  #bool(expression: Expression): string | null {
    if (expression.kind === 'literal')
      return expression.type === 'bool' && expression.value !== null ? (expression.value === 'true' ? 'true' : 'false') : null;
    if (expression.kind === 'in') return this.#among(expression);
    if (expression.kind === 'field')
      return this.#isRecordField(expression) && this.#context.field(expression.index).type === 'boolean'
        ? this.#guard(expression, `v${expression.index}===1`)
        : null;
    if (expression.kind !== 'call') return null;
    switch (expression.name) {
      case 'and':
      case 'or':
        return `(${expression.arguments.map((argument) => this.condition(argument)).join(expression.name === 'and' ? '&&' : '||')})`;
      case 'not':
        return `!(${this.condition(expression.arguments[0]!)})`;
      case 'conditional': {
        const [test, yes, no] = expression.arguments.map((argument) => this.condition(argument));
        return `(${test}?${yes}:${no})`;
      }
      case 'isNull':
        return this.#isAbsent(expression.arguments[0]!);
      case 'startsWith':
        return this.#startsWith(expression);
      default:
        return Object.hasOwn(comparisons, expression.name) ? this.#comparison(expression) : null;
    }
  }

  #isRecordField(expression: Expression): expression is RecordField {
    return expression.kind === 'field' && expression.scope === 'record';
  }

  /** Absent fields in an operator are for the slow path to judge. */
  #guard(field: RecordField, code: string): string {
    return this.#context.isOptional(field.index) ? `(a${field.index}===1?(slow=1,false):(${code}))` : `(${code})`;
  }

  #isAbsent(expression: Expression): string | null {
    if (!this.#isRecordField(expression)) return null;
    return this.#context.isOptional(expression.index) ? `(a${expression.index}===1)` : 'false';
  }

  #comparison(call: Call): string | null {
    const [left, right] = [call.arguments[0]!, call.arguments[1]!];
    if (left.kind === 'literal' && right.kind !== 'literal') return this.#compare(mirrored[call.name]!, right, left);
    return this.#compare(call.name, left, right);
  }

  #compare(name: string, left: Expression, right: Expression): string | null {
    if (right.kind !== 'literal') return null;
    if (right.value === null) {
      const absent = this.#isAbsent(left);
      return absent === null || (name !== 'equal' && name !== 'notEqual') ? null : name === 'equal' ? absent : `!${absent}`;
    }
    return (
      this.#compareNumber(name, left, right.value, right.type) ??
      this.#compareDate(name, left, right) ??
      this.#compareText(name, left, right.value)
    );
  }

  #compareNumber(name: string, left: Expression, literal: string, type: string): string | null {
    if (type !== 'int' && type !== 'decimal') return null;
    const number = this.number(left);
    if (number === null) return null;
    const unscaled = unscaledLiteral(literal, number.scale);
    return unscaled === null ? null : this.#guard(number.field, `u${number.field.index}${comparisons[name]}${unscaled}`);
  }

  /** A field, its minor units or its decimal: the number is `u<index>` at this scale. */
  number(expression: Expression): { readonly field: RecordField; readonly scale: number } | null {
    if (expression.kind === 'call' && (expression.name === 'minorUnits' || expression.name === 'toDecimal')) {
      const inner = this.number(expression.arguments[0]!);
      if (inner === null || (expression.name === 'toDecimal' && inner.scale !== 0)) return null;
      return { field: inner.field, scale: 0 };
    }
    if (!this.#isRecordField(expression)) return null;
    const field = this.#context.field(expression.index);
    if (!hasNumber(field)) return null;
    return { field: expression, scale: scaleOf(field) };
  }

  #compareDate(name: string, left: Expression, right: Extract<Expression, { kind: 'literal' }>): string | null {
    if (right.type !== 'date' || !this.#isRecordField(left) || left.type !== 'date') return null;
    const field = this.#context.field(left.index);
    const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(right.value!);
    if (match === null || !hasDateNumber(field)) return null;
    this.#context.uses[left.index]!.date = true;
    return this.#guard(left, `D${left.index}${comparisons[name]}${Number(match[1]! + match[2]! + match[3]!)}`);
  }

  #compareText(name: string, left: Expression, literal: string): string | null {
    if ((name !== 'equal' && name !== 'notEqual') || !this.#isRecordField(left) || left.type !== 'string') return null;
    const field = this.#context.field(left.index);
    const isEqual = name === 'equal';
    if (hasEnumIndex(field, this.#reserved)) {
      const position = field.enum!.indexOf(literal);
      return this.#guard(left, position < 0 ? String(!isEqual) : `v${left.index}${isEqual ? '===' : '!=='}${position}`);
    }
    const bytes = Buffer.from(literal, 'utf8');
    const test = `e${left.index}-s${left.index}===${bytes.length}&&${matchesBytes(`s${left.index}`, bytes)}`;
    return this.#guard(left, isEqual ? test : `!(${test})`);
  }

  #among(expression: Extract<Expression, { kind: 'in' }>): string | null {
    const tests = expression.list.map((item) => this.#compare('equal', expression.value, item));
    return tests.length === 0 ||
      tests.some((test) => test === null) ||
      expression.list.some((item) => item.kind === 'literal' && item.value === null)
      ? null
      : `(${tests.join('||')})`;
  }

  #startsWith(call: Call): string | null {
    const [left, right] = [call.arguments[0]!, call.arguments[1]!];
    if (!this.#isRecordField(left) || left.type !== 'string' || right.kind !== 'literal' || right.value === null) return null;
    const bytes = Buffer.from(right.value, 'utf8');
    return this.#guard(left, `e${left.index}-s${left.index}>=${bytes.length}&&${matchesBytes(`s${left.index}`, bytes)}`);
  }
}
