/**
 * By what a target knows a record that it has: sent under another key it would be done twice. Compared are the keys that a version of
 * a flow gives each target, as they come out for a record, with where the target remembers them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Expression } from '../../pipeline/engine/expressions/expression.ts';
import type { Plan, TargetPlan } from '../../pipeline/engine/plan.ts';
import { redrivePlan } from '../../pipeline/engine/redrive-plan.ts';
import { targetKeys, targetsSentTo } from '../../pipeline/engine/repair/key-fields.ts';
import { readingOf } from './redrive-identity.ts';

/** Settings that say what the key is or where it counts, of the types of target that have one. */
const settingsOfKeys: Readonly<Record<string, readonly string[]>> = {
  http: ['mode', 'idempotencyKey'],
  postgres: ['table', 'mode', 'keys'],
  mysql: ['table', 'mode', 'keys'],
  kafka: ['topic', 'key'],
};

/** The first target of `targets` (null: of all), or of their backups, that knows records by other keys after than before. */
export function otherwiseKnowing({ before, after, targets }: Comparison): string | undefined {
  const known = new Map(targetsSentTo(redrivePlan(before, targets)).map((target) => [target.id, knownBy(target, before)]));
  const other = targetsSentTo(redrivePlan(after, targets)).find(
    (target) => known.has(target.id) && !isDeepStrictEqual(known.get(target.id), knownBy(target, after)),
  );
  return other?.id;
}

interface Comparison {
  readonly before: Plan;
  readonly after: Plan;
  readonly targets: readonly string[] | null;
}

function knownBy(target: TargetPlan, plan: Plan) {
  const { type, connection, settings } = target;
  const names = settingsOfKeys[type] ?? [];
  return {
    type,
    place: names.length === 0 ? null : connection,
    settings: names.map((name) => withoutPlaces(settings[name], plan)),
    keys: targetKeys(target, plan)
      .map((key) => JSON.stringify(withoutPlaces(key, plan)))
      .sort(),
  };
}

/** An expression with how the fields that it names are read; where they stand among others is not part of it. */
function withoutPlaces(value: unknown, plan: Plan): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutPlaces(item, plan));
  const node = value as Expression;
  if (node.kind !== 'field') return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutPlaces(inner, plan)]));
  const { scope, name } = node;
  const readings =
    scope === 'out' ? [] : plan.records.flatMap(({ fields }) => fields.filter((field) => field.name === name).map(readingOf));
  return { ...node, index: null, readings };
}
