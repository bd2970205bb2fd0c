/**
 * Says what a failed file rule compared: the numbers that header and trailer declared, beside those that were computed, as the
 * flow's author names them, exact. Of fields that are no numbers, and of those to be masked, only whether they are absent.
 */
import type { EvaluationScope } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { type Value, valueText } from '../expressions/values.ts';

type Field = Extract<Expression, { kind: 'field' }>;
type Statistic = Extract<Expression, { kind: 'statistic' }>;

export interface ComparedScope extends EvaluationScope {
  /** Of a summed field, as exact texts. */
  currencySums(field: string): readonly (readonly [currency: string, sum: string])[];
  /** Whether the value of this field of header or trailer is not for everyone's eyes. */
  isHidden(scope: Field['scope'], index: number): boolean;
}

const currenciesMax = 8;
/** The engine's currency of amounts that have none. */
const noCurrency = 'XXX';

/** `declared trailer.total 1.00; computed stats.sum.amount 6.50 ZAR`; empty where the rule looks at neither. */
export function comparedTotals(rule: Expression, scope: ComparedScope): string {
  const operands = operandsOf(rule);
  const declared = operands.flatMap((operand) => (operand.kind === 'field' ? declaredText(operand, scope) : []));
  const computed = operands.flatMap((operand) => (operand.kind === 'statistic' ? [computedText(operand, scope)] : []));
  const list = (texts: readonly string[]) => [...new Set(texts)].join(', ');
  return [
    ...(declared.length > 0 ? [`declared ${list(declared)}`] : []),
    ...(computed.length > 0 ? [`computed ${list(computed)}`] : []),
  ].join('; ');
}

function operandsOf(expression: Expression): (Field | Statistic)[] {
  switch (expression.kind) {
    case 'field':
    case 'statistic':
      return [expression];
    case 'call':
      return expression.arguments.flatMap(operandsOf);
    case 'in':
      return [expression.value, ...expression.list].flatMap(operandsOf);
    case 'literal':
      return [];
  }
}

function declaredText({ scope: role, index, name, type }: Field, scope: ComparedScope): string[] {
  const value = scope.field(role, index);
  if (value === null) return [`${role}.${name} absent`];
  const isShown = (type === 'int' || type === 'decimal') && !scope.isHidden(role, index);
  return isShown ? [`${role}.${name} ${textOf(value)}`] : [];
}

function computedText({ name, field, key }: Statistic, scope: ComparedScope): string {
  const value = textOf(scope.statistic(name, field, key));
  if (name === 'sumBy') return `stats.sumBy.${field}[${JSON.stringify(key)}] ${value}`;
  if (name === 'count') return `stats.count.${field ?? key} ${value}`;
  if (name !== 'sum') return `stats.${name} ${value}`;
  const sums = scope.currencySums(field ?? '').filter(([currency]) => currency !== noCurrency);
  if (sums.length <= 1) return `stats.sum.${field} ${[value, ...sums.map(([currency]) => currency)].join(' ')}`;
  const texts = sums.slice(0, currenciesMax).map(([currency, sum]) => `${sum} ${currency}`);
  return `stats.sum.${field} ${value} (${texts.join(', ')}${sums.length > currenciesMax ? ', …' : ''})`;
}

function textOf(value: Value): string {
  return value === null ? 'absent' : valueText(value);
}
