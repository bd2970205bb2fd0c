/**
 * What a flow is to records that are sent again: the same format, rules, transforms and targets, but routes lead to chosen
 * targets only, and nothing is asked of the file as a whole, because it holds some of the records of another one.
 */
import type { AcceptancePlan, Plan } from './plan.ts';

const acceptance: AcceptancePlan = {
  release: 'file',
  mode: 'partial',
  maxInvalid: null,
  maxInvalidRatio: null,
  maxInvalidAmount: null,
  onExceed: 'hold',
  emptyFile: 'accept',
};

const made = new WeakMap<Plan, Map<string, Plan>>();

/** `targets`: ids of the plan's targets; null: all of them. The same plan and targets give the same object. */
export function redrivePlan(plan: Plan, targets: readonly string[] | null): Plan {
  const known = made.get(plan) ?? new Map<string, Plan>();
  made.set(plan, known);
  const name = JSON.stringify(targets);
  const found = known.get(name) ?? narrowed(plan, targets);
  known.set(name, found);
  return found;
}

function narrowed(plan: Plan, targets: readonly string[] | null): Plan {
  const kept = (to: readonly number[]) => to.filter((index) => targets === null || targets.includes(plan.targets[index]!.id));
  return {
    ...plan,
    redriveTo: targets ?? plan.targets.map(({ id }) => id),
    records: plan.records.filter(({ role }) => role !== 'trailer'),
    rules: plan.rules.filter(({ scope }) => scope === 'record'),
    routes: {
      ...plan.routes,
      rules: plan.routes.rules.map((rule) => ({ ...rule, to: kept(rule.to) })),
      default: kept(plan.routes.default),
    },
    acceptance,
  };
}
