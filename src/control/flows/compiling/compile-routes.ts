/** From `routes` to the Plan's: every record goes somewhere, every rule and target can be reached. */

import type { OutputFieldPlan, RoutesPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { FlowSpec } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { checkIds } from './compile-rules.ts';
import { compileExpression, type FlowScopes } from './expression-scopes.ts';
import { constantValue, implies } from './reachability.ts';

type Rule = RoutesPlan['rules'][number];

export interface RoutesContext {
  readonly targetNames: readonly string[];
  readonly output: readonly OutputFieldPlan[];
  readonly scopes: FlowScopes;
}

export function compileRoutes(
  { routes, targets: definitions }: FlowSpec,
  { targetNames: targets, output, scopes }: RoutesContext,
  report: Report,
): RoutesPlan {
  const path: Path = ['spec', 'routes'];
  const environment = scopes.routes(output);
  checkIds(routes.rules, [...path, 'rules'], report);
  const used = new Set<number>();
  const reached: Rule[] = [];
  const rules = routes.rules.map(({ id, when, to }, index): Rule => {
    const at = [...path, 'rules', index];
    const indexes = targetIndexes(to, targets, [...at, 'to'], report);
    const condition = compileExpression({ source: when, path: [...at, 'when'], environment, expected: 'bool' }, report);
    const rule: Rule = { id, when: condition ?? { kind: 'literal', type: 'bool', value: 'false' }, to: indexes };
    const isReachable = condition === null || checkReachable(rule, { before: reached, mode: routes.mode, path: at }, report);
    if (isReachable) for (const target of indexes) used.add(target);
    if (condition !== null) reached.push(rule);
    return rule;
  });
  const fallback = targetIndexes(routes.default.to, targets, [...path, 'default', 'to'], report);
  // Every record may take a rule, and those that others lead to besides.
  const isDefaultReached = routes.mode === 'first' || reached.every(({ when }) => constantValue(when) !== true);
  if (isDefaultReached) for (const target of fallback) used.add(target);
  const backups = new Set(Object.values(definitions ?? {}).map((target) => target.backup));
  for (const [index, target] of targets.entries()) {
    if (!used.has(index) && !backups.has(target))
      report.add({ code: flowErrors.E_CONFIG_ROUTE, path: ['spec', 'targets', target], message: `no route leads to ${target}` });
  }
  return { mode: routes.mode, rules, default: fallback };
}

function checkReachable(rule: Rule, context: { before: readonly Rule[]; mode: 'first' | 'all'; path: Path }, report: Report): boolean {
  const path = [...context.path, 'when'];
  const refuse = (message: string): false => {
    report.add({ code: flowErrors.E_CONFIG_ROUTE, path, message, atValue: true });
    return false;
  };
  const constant = constantValue(rule.when);
  if (constant === false) return refuse('this is never true: the rule is never reached');
  if (context.mode === 'all') return true;
  if (constant === true) return refuse('this is always true: nothing after it, default included, is ever reached');
  const wider = context.before.find((earlier) => implies(rule.when, earlier.when));
  return wider === undefined || refuse(`never reached: whatever makes it true is taken by ${wider.id} before it`);
}

function targetIndexes(names: readonly string[], targets: readonly string[], path: Path, report: Report): number[] {
  const seen = new Set<string>();
  return names.flatMap((name, position) => {
    const index = targets.indexOf(name);
    if (index < 0) {
      const nearest = nearestName(name, targets);
      const message = `no target ${name}${nearest === null ? `; there are ${targets.join(', ')}` : `; did you mean ${nearest}?`}`;
      report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: [...path, position], message });
      return [];
    }
    if (seen.has(name)) report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path: [...path, position], message: `${name} is named twice` });
    seen.add(name);
    return [index];
  });
}
