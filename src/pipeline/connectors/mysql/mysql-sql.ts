/** The statements of a mysql target. Names are quoted, values are parameters: no text of a record is ever SQL. */
import { effectsTable, type MysqlSettings, quoteName, quoteTable } from './mysql-settings.ts';

/** Each for a number of rows or keys. */
export interface MysqlStatements {
  /** Takes the values of the columns, row by row. */
  writeRows(rows: number): string;
  /** Takes delivery key and batch id, key by key. */
  claimEffects(keys: number): string;
  /** Takes delivery keys; returns `deliveryKey` of those that are there. */
  findEffects(keys: number): string;
  /** Takes delivery keys. */
  releaseEffects(keys: number): string;
}

export function mysqlStatements({ table, mode, keys, columns }: MysqlSettings): MysqlStatements {
  const target = quoteTable(table);
  const effects = quoteTable({ ...table, name: effectsTable });
  const names = columns.map(({ name }) => quoteName(name));
  const row = `(${names.map(() => '?').join(', ')})`;
  const quotedKeys = keys.map(quoteName);
  const rest = names.filter((name) => !quotedKeys.includes(name));
  // A row of nothing but keys stays as it is.
  const changes = rest.length === 0 ? `${quotedKeys[0]} = ${quotedKeys[0]}` : rest.map((name) => `${name} = values(${name})`).join(', ');
  const onDuplicate = mode === 'insert' ? '' : ` on duplicate key update ${changes}`;
  const list = (count: number, item: string) => Array.from({ length: count }, () => item).join(', ');
  return {
    writeRows: (rows) => `/* write rows */ insert into ${target} (${names.join(', ')}) values ${list(rows, row)}${onDuplicate}`,
    claimEffects: (count) => `/* claim effects */ insert into ${effects} (delivery_key, batch_id) values ${list(count, '(?, ?)')}`,
    findEffects: (count) =>
      `/* find effects */ select delivery_key as deliveryKey from ${effects} where delivery_key in (${list(count, '?')})`,
    releaseEffects: (count) => `/* release effects */ delete from ${effects} where delivery_key in (${list(count, '?')})`,
  };
}
