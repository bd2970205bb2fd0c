/**
 * Control totals as a receipt shows them: what header and trailer declared, beside what was computed. Of the header and
 * the trailer only the fields that file rules look at are shown, because the others may be content, and of those none that
 * the flow masks or gives a class: receipts and jobs are seen by people who may see no record.
 */
import type { Expression } from '../engine/expressions/expression.ts';
import { type ControlTotals, declaredName, isHiddenTotal } from '../engine/file/file-rules.ts';
import type { Plan } from '../engine/plan.ts';

type EnvelopeField = Extract<Expression, { kind: 'field' }> & { readonly scope: 'header' | 'trailer' };

/** Leaves `computed` and `balanced` as they are. */
export function receiptControlTotals(plan: Plan, totals: ControlTotals): ControlTotals {
  const shown = comparedFields(plan).filter(({ scope, index }) => !isHiddenTotal(plan, scope, index));
  return only(totals, new Set(shown.map(({ scope, name }) => declaredName(plan, scope, name))));
}

/**
 * As versions before stated them, which left no field out for its mask, and of two fields of one name told that of the trailer; then without
 * those that are hidden now, as of a file that such a version judged and this one closed.
 */
export function earlierControlTotals(plan: Plan, { declared, ...rest }: ControlTotals): readonly ControlTotals[] {
  const bare = Object.fromEntries(
    Object.entries(declared).map(([name, value]) => [name.replace(/^(?:header|trailer)\./, ''), value] as const),
  );
  const fields = comparedFields(plan);
  const all = only({ declared: bare, ...rest }, new Set(fields.map(({ name }) => name)));
  return [all, receiptControlTotals(plan, all)];
}

function only(totals: ControlTotals, names: ReadonlySet<string>): ControlTotals {
  return { ...totals, declared: Object.fromEntries(Object.entries(totals.declared).filter(([name]) => names.has(name))) };
}

function comparedFields(plan: Plan): EnvelopeField[] {
  return plan.rules.filter((rule) => rule.scope === 'file').flatMap((rule) => envelopeFields(rule.assert));
}

function envelopeFields(expression: Expression): EnvelopeField[] {
  switch (expression.kind) {
    case 'field': {
      const { scope } = expression;
      return scope === 'header' || scope === 'trailer' ? [{ ...expression, scope }] : [];
    }
    case 'call':
      return expression.arguments.flatMap(envelopeFields);
    case 'in':
      return [expression.value, ...expression.list].flatMap(envelopeFields);
    case 'literal':
    case 'statistic':
      return [];
  }
}
