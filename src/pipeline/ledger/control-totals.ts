/**
 * Control totals: what the sender declared in the header or trailer, beside what was computed. They are read off the
 * file-scope rules that compare the two (`trailer.total == stats.sum.amount`), so a receipt shows both sides of each.
 */
import type { ChunkSummary, EnvelopeRecord, FieldAmounts } from '../engine/chunk.ts';
import type { Expression } from '../engine/expressions/expression.ts';
import type { FieldPlan, Plan } from '../engine/plan.ts';

export interface ControlTotals {
  /** By `header.<field>` or `trailer.<field>`: exact decimal text, null where it is missing or unreadable. */
  readonly declared: Readonly<Record<string, string | null>>;
  readonly computed: Readonly<Record<string, string | null>>;
  /** Null: the flow compares none. */
  readonly balanced: boolean | null;
}

interface Comparison {
  readonly name: string;
  readonly declared: Extract<Expression, { kind: 'field' }>;
  readonly computed: Extract<Expression, { kind: 'statistic' }>;
}

interface Exact {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** `summary`: of the whole file, all read records. */
export function controlTotals(
  plan: Plan,
  summary: Pick<ChunkSummary, 'records' | 'amounts' | 'byType' | 'header' | 'trailer'>,
): ControlTotals {
  const declared: Record<string, string | null> = {};
  const computed: Record<string, string | null> = {};
  let balanced: boolean | null = null;
  for (const comparison of findComparisons(plan)) {
    const left = declaredValue(plan, comparison, summary);
    const right = computedValue(comparison.computed, summary);
    declared[comparison.name] = exactText(left);
    computed[comparison.name] = exactText(right);
    balanced = (balanced ?? true) && left !== null && right !== null && isEqual(left, right);
  }
  return { declared, computed, balanced };
}

function findComparisons(plan: Plan): Comparison[] {
  const found = plan.rules.filter((rule) => rule.scope === 'file').flatMap((rule) => comparisonsOf(rule.assert));
  return found.filter((comparison, at) => found.findIndex((other) => other.name === comparison.name) === at);
}

function comparisonsOf(expression: Expression): Comparison[] {
  if (expression.kind !== 'call') return [];
  if (expression.name === 'and') return expression.arguments.flatMap(comparisonsOf);
  if (expression.name !== 'equal') return [];
  const [left, right] = expression.arguments;
  const declared = [left, right].find((side) => side?.kind === 'field' && (side.scope === 'header' || side.scope === 'trailer'));
  const computed = [left, right].find((side) => side?.kind === 'statistic');
  if (declared?.kind !== 'field' || computed?.kind !== 'statistic') return [];
  return [{ name: `${declared.scope}.${declared.name}`, declared, computed }];
}

function declaredValue(
  plan: Plan,
  comparison: Comparison,
  summary: { readonly header: EnvelopeRecord | null; readonly trailer: EnvelopeRecord | null },
): Exact | null {
  const { scope, name } = comparison.declared;
  const envelope = scope === 'header' ? summary.header : summary.trailer;
  const text = envelope !== null && Object.hasOwn(envelope.values, name) ? envelope.values[name]! : null;
  const field = plan.records.find((record) => record.role === scope)?.fields.find((candidate) => candidate.name === name);
  return text === null || field === undefined ? null : readExact(text, field);
}

/** Header and trailer values are the field's text as it stands in the file. */
function readExact(text: string, field: FieldPlan): Exact | null {
  const match = /^(-?[0-9]{1,60})(?:\.([0-9]{1,30}))?$/.exec(text.trim());
  if (match === null) return null;
  const fraction = match[2] ?? '';
  if (field.type === 'decimal' && field.point === 'implied' && match[2] === undefined)
    return { unscaled: BigInt(match[1]!), scale: field.scale };
  return { unscaled: BigInt(match[1]! + fraction), scale: fraction.length };
}

function computedValue(statistic: Comparison['computed'], summary: Pick<ChunkSummary, 'records' | 'amounts' | 'byType'>): Exact | null {
  switch (statistic.name) {
    case 'records':
      return { unscaled: BigInt(summary.records.read), scale: 0 };
    case 'valid':
    case 'rejected':
    case 'filtered':
      return { unscaled: BigInt(summary.records[statistic.name]), scale: 0 };
    case 'count':
      return { unscaled: BigInt(Object.hasOwn(summary.byType, statistic.field ?? '') ? summary.byType[statistic.field!]! : 0), scale: 0 };
    case 'sum':
      return sumOf(summary.amounts.read, statistic.field, null);
    case 'sumBy':
      return sumOf(summary.amounts.read, statistic.field, statistic.key);
  }
}

/** Null currency: all of them together, which is the hash total. */
function sumOf(amounts: FieldAmounts, field: string | null, currency: string | null): Exact | null {
  const sums = field !== null && Object.hasOwn(amounts, field) ? amounts[field]! : null;
  if (sums === null) return null;
  const counted = Object.entries(sums.byCurrency).filter(([code]) => currency === null || code === currency);
  return { unscaled: counted.reduce((total, [, text]) => total + BigInt(text), 0n), scale: sums.scale };
}

function isEqual(left: Exact, right: Exact): boolean {
  const scale = Math.max(left.scale, right.scale);
  const at = (exact: Exact) => exact.unscaled * 10n ** BigInt(scale - exact.scale);
  return at(left) === at(right);
}

function exactText(exact: Exact | null): string | null {
  if (exact === null) return null;
  const sign = exact.unscaled < 0n ? '-' : '';
  const digits = String(exact.unscaled < 0n ? -exact.unscaled : exact.unscaled).padStart(exact.scale + 1, '0');
  return exact.scale === 0 ? sign + digits : `${sign}${digits.slice(0, -exact.scale)}.${digits.slice(-exact.scale)}`;
}
