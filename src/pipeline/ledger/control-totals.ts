/**
 * Control totals as a receipt shows them: what header and trailer declared, beside what was computed. Of the header and
 * the trailer only the fields that file rules look at are shown, because the others may be content.
 */
import type { Expression } from '../engine/expressions/expression.ts';
import type { ControlTotals } from '../engine/file/file-rules.ts';
import type { Plan } from '../engine/plan.ts';

/** Leaves `computed` and `balanced` as they are. */
export function receiptControlTotals(plan: Plan, totals: ControlTotals): ControlTotals {
  const rules = plan.rules.filter((rule) => rule.scope === 'file');
  const names = new Set(rules.flatMap((rule) => envelopeFields(rule.assert)));
  return { ...totals, declared: Object.fromEntries(Object.entries(totals.declared).filter(([name]) => names.has(name))) };
}

function envelopeFields(expression: Expression): string[] {
  switch (expression.kind) {
    case 'field':
      return expression.scope === 'header' || expression.scope === 'trailer' ? [expression.name] : [];
    case 'call':
      return expression.arguments.flatMap(envelopeFields);
    case 'in':
      return [expression.value, ...expression.list].flatMap(envelopeFields);
    case 'literal':
    case 'statistic':
      return [];
  }
}
