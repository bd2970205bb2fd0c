/**
 * What a repair may look at. Whether a record is changed, and what becomes of it, answers any question that an expression asks, so
 * that only who may see what is masked may ask about it; and nobody brings it to where it is masked less.
 */
import type { Expression } from '../../pipeline/engine/expressions/expression.ts';
import type { FieldPlan, Plan } from '../../pipeline/engine/plan.ts';
import { type CompiledRepair, compileRepair, type RepairTexts } from '../../pipeline/engine/repair/compile-repair.ts';
import { fieldsOf } from '../../pipeline/engine/repair/key-fields.ts';
import { repairErrors } from '../../pipeline/engine/repair/repair-errors.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { isMasked, isMaskedLess, type MaskingFloors } from '../jobs/views/field-masks.ts';

export interface RepairView {
  readonly floors: MaskingFloors;
  /** Whoever repairs may see what is masked. */
  readonly mayReveal: boolean;
}

/** Fails with E_REPAIR_MASK, and as `compileRepair` does. */
export function compileMaskedRepair(
  plan: Plan,
  columns: readonly string[] | null,
  set: RepairTexts,
  { floors, mayReveal }: RepairView,
): CompiledRepair {
  const fields = plan.records.flatMap((record) => (record.role === 'data' ? record.fields : []));
  const hidden = new Set(fields.filter((field) => isMasked(field, floors)).map(({ name }) => name));
  const repair = compileRepair(plan, columns, set, hidden);
  assertMasksHold(fields, repair, floors);
  if (!mayReveal) assertBlind(plan, repair, hidden);
  return repair;
}

/** What is masked more must not come to stand where it is masked less. */
function assertMasksHold(fields: readonly FieldPlan[], { uses }: CompiledRepair, floors: MaskingFloors): void {
  for (const field of fields)
    for (const used of uses.get(field.name) ?? []) {
      if (!fields.some((other) => other.name === used && isMaskedLess(field, other, floors))) continue;
      throw new HeadgateError(repairErrors.E_REPAIR_MASK, `${field.name} is masked less than ${used}, from which it would be computed`);
    }
}

/** Neither the expressions of the repair ask about what is masked, nor a condition of the flow, of a text that the repair chooses. */
function assertBlind(plan: Plan, { uses }: CompiledRepair, hidden: ReadonlySet<string>): void {
  for (const [field, used] of uses) {
    const asked = used.find((name) => hidden.has(name));
    if (asked !== undefined) throw refused(`${field} would be computed from ${asked}`);
  }
  for (const { id, condition } of conditionsOf(plan)) {
    const looked = recordFields(condition, plan);
    const [field, asked] = [looked.find((name) => uses.has(name)), looked.find((name) => hidden.has(name) && !uses.has(name))];
    if (field !== undefined && asked !== undefined) throw refused(`${id} of the flow looks at ${field} and at ${asked}`);
  }
}

function refused(what: string): HeadgateError {
  return new HeadgateError(repairErrors.E_REPAIR_MASK, `${what}, which is masked: that needs the scope records:reveal`);
}

function conditionsOf({ rules, filters, routes }: Plan): { readonly id: string; readonly condition: Expression }[] {
  return [
    ...rules.map(({ id, assert }) => ({ id, condition: assert })),
    ...[...filters, ...routes.rules].map(({ id, when }) => ({ id, condition: when })),
  ];
}

/** Of what it looks at in the output, the fields that this is made of. */
function recordFields(expression: Expression, plan: Plan): string[] {
  switch (expression.kind) {
    case 'field':
      if (expression.scope === 'out') return fieldsOf(plan.output[expression.index]!.value);
      return expression.scope === 'record' ? [expression.name] : [];
    case 'call':
      return expression.arguments.flatMap((argument) => recordFields(argument, plan));
    case 'in':
      return recordFields(expression.value, plan);
    case 'literal':
    case 'statistic':
      return [];
  }
}
