/** The tables that a postgres target needs, as SQL text for the owner of that database (`headgate target ddl`). */
import type { ValueType } from '../../engine/expressions/expression.ts';
import type { Plan, TargetPlan } from '../../engine/plan.ts';
import { effectsTable, quoteName, quoteTable, tableName } from './postgres-settings.ts';

const columnTypes: Partial<Record<ValueType, string>> = {
  int: 'bigint',
  decimal: 'numeric',
  bool: 'boolean',
  date: 'date',
  time: 'time',
};

/** Deterministic. Fails with E_TARGET for a target without a table. */
export function targetDdl(plan: Plan, { settings }: Pick<TargetPlan, 'settings'>): string {
  const table = tableName(String(settings['table'] ?? ''));
  const keys = Array.isArray(settings['keys']) ? settings['keys'].map(String) : [];
  // Date-times are text with or without an offset, which no single column type keeps.
  const columns = plan.output.map(
    ({ name, type }) => `  ${quoteName(name)} ${columnTypes[type] ?? 'text'}${keys.includes(name) ? ' not null' : ''}`,
  );
  if (keys.length > 0) columns.push(`  primary key (${keys.map(quoteName).join(', ')})`);
  return `${table.schema === 'public' ? '' : `create schema if not exists ${quoteName(table.schema)};\n`}create table if not exists ${quoteTable(table)} (
${columns.join(',\n')}
);

-- Written in the transaction of each delivery, so that a batch sent again adds nothing. Keep rows as long as files may be sent again.
create table if not exists ${quoteTable({ ...table, name: effectsTable })} (
  delivery_key text collate "C" primary key,
  batch_id uuid not null,
  written_at timestamptz not null default clock_timestamp(),
  -- Read as a constant when the table is made: what was sent before says nothing here.
  table_made_at timestamptz not null default 'now'::timestamptz
);
`;
}
