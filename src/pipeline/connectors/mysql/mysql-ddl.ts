/** The tables that a mysql target needs, as SQL text for the owner of that database (`headgate target ddl`). */
import type { ValueType } from '../../engine/expressions/expression.ts';
import type { Plan, TargetPlan } from '../../engine/plan.ts';
import { effectsTable, quoteName, quoteTable, tableName } from './mysql-settings.ts';

/** Decimals have to have a scale: what does not fit it is refused record by record, never rounded. */
const columnTypes: Partial<Record<ValueType, string>> = {
  int: 'bigint',
  decimal: 'decimal(38, 8)',
  bool: 'boolean',
  date: 'date',
  time: 'time(6)',
};

/** Of all keys together, in characters of up to four bytes (InnoDB takes 3,072 bytes). */
const keyCharactersMax = 768;

/** Deterministic. Fails with E_TARGET for a target without a table. */
export function mysqlDdl(plan: Plan, { settings }: Pick<TargetPlan, 'settings'>): string {
  const table = tableName(String(settings['table'] ?? ''));
  const keys = Array.isArray(settings['keys']) ? settings['keys'].map(String) : [];
  const keyText = `varchar(${Math.min(255, Math.floor(keyCharactersMax / Math.max(1, keys.length)))})`;
  // Date-times are text with or without an offset, which no column type keeps.
  const columns = plan.output.map(({ name, type }) => {
    const isKey = keys.includes(name);
    return `  ${quoteName(name)} ${columnTypes[type] ?? (isKey ? keyText : 'longtext')}${isKey ? ' not null' : ''}`;
  });
  if (keys.length > 0) columns.push(`  primary key (${keys.map(quoteName).join(', ')})`);
  return `${table.database === null ? '' : `create database if not exists ${quoteName(table.database)};\n`}create table if not exists ${quoteTable(table)} (
${columns.join(',\n')}
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;

-- Written in the transaction of each delivery, so that a batch sent again adds nothing. Keep rows as long as files may be sent again.
create table if not exists ${quoteTable({ ...table, name: effectsTable })} (
  delivery_key varchar(100) not null primary key,
  batch_id char(36) not null,
  written_at timestamp(6) not null default current_timestamp(6)
) engine = InnoDB default character set ascii collate ascii_bin;
`;
}
