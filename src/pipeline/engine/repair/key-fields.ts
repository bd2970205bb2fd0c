/**
 * Fields of a record by which it is known: to the flow, to the targets that its records are sent to, and to the answers about them.
 * With one of them changed, a record could come to be taken for another one, and nothing of it would be there.
 */
import type { Expression } from '../expressions/expression.ts';
import type { Plan, TargetPlan } from '../plan.ts';

/** By name, each with what it is, as words that follow the name. */
export function keyFields(plan: Plan): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (name: string, why: string): void => {
    if (!found.has(name)) found.set(name, why);
  };
  for (const { role, key, fields } of plan.records) {
    if (role !== 'data') continue;
    for (const index of key) add(fields[index]!.name, 'is part of the key by which targets know the record');
    for (const { name, unique } of fields)
      if (unique !== null) add(name, 'is unique in a file: another record may have what it would become');
  }
  for (const target of targetsSentTo(plan))
    for (const expression of targetKeys(target, plan))
      for (const name of fieldsOf(expression)) add(name, `makes the key by which a record is known to target ${target.id}`);
  return found;
}

/** With the backups that may be sent them in their place. */
export function targetsSentTo({ targets, redriveTo }: Plan): TargetPlan[] {
  const own = targets.filter(({ id }) => redriveTo === undefined || redriveTo.includes(id));
  return targets.filter((target) => own.some((one) => one === target || one.backup === target.id));
}

/** What is computed of a record to tell it from others, of its fields: there, and in what comes back about it. */
export function targetKeys({ type, settings, answers }: TargetPlan, { output }: Plan): Expression[] {
  const named = (names: readonly unknown[]) => output.flatMap(({ name, value }) => (names.includes(name) ? [value] : []));
  const answered = [answers?.key, answers?.group].flatMap((index) => (typeof index === 'number' ? [output[index]!.value] : []));
  switch (type) {
    case 'http': {
      const { idempotencyKey } = settings;
      return [...answered, ...named(typeof idempotencyKey === 'string' ? [idempotencyKey.replace(/^out\./, '')] : [])];
    }
    case 'postgres':
    case 'mysql':
      return [...answered, ...named((settings['keys'] as readonly string[] | undefined) ?? [])];
    case 'kafka': {
      // It sees the output alone.
      const key = settings['key'] as Expression | undefined;
      return [...answered, ...named(key === undefined ? [] : fieldsOf(key))];
    }
    default:
      return answered;
  }
}

/** Names of the fields that it looks at. */
export function fieldsOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'field':
      return [expression.name];
    case 'call':
      return [...new Set(expression.arguments.flatMap(fieldsOf))];
    case 'in':
      return fieldsOf(expression.value);
    case 'literal':
    case 'statistic':
      return [];
  }
}
