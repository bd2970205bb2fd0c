/**
 * What a table has to be so that nothing is lost in it without a word: one with transactions, whose columns hold numbers
 * exactly, and which an upsert finds rows in by the keys of the target alone.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import { connectorErrors } from '../connector-errors.ts';
import { columnChange, type IsChange } from './mysql-columns.ts';
import type { MysqlConnection } from './mysql-connection.ts';
import { effectsTable, type MysqlSettings, quoteName } from './mysql-settings.ts';

export interface TableFacts {
  readonly hasEffects: boolean;
  /** Of the table: differs when anything was changed that is looked at here. */
  readonly state: string;
  /** `max_allowed_packet`: of one statement with its values. */
  readonly packetBytesMax: number;
  /** By place of the column in the settings; null: the server says itself where it would change a value. */
  readonly changes: readonly (IsChange | null)[];
}

type Row = Readonly<Record<string, unknown>>;

/** Fails with E_TARGET_SETUP where the table is not so, with the driver's errors where it can't be asked. */
export async function describeTable(connection: MysqlConnection, settings: MysqlSettings): Promise<TableFacts> {
  const place = placeOf(settings);
  // First: what is changed meanwhile is found at the end of a batch.
  const state = await readState(connection, settings);
  const { rows: tables } = await connection.execute(
    `/* describe tables */ select t.table_name as name, e.transactions as transactions, @@max_allowed_packet as packetBytesMax
      from information_schema.tables t left join information_schema.engines e on e.engine = t.engine
      where t.table_schema = ? and t.table_name in (?, ?)`,
    [...place, effectsTable],
  );
  const named = (wanted: string) => tables.find(({ name }) => String(name) === wanted);
  const table = named(settings.table.name);
  if (table === undefined) refuse(`the table of the target, "${place.join('.')}", does not exist or can not be seen`);
  const effects = named(effectsTable);
  if ([table, effects].some((found) => found !== undefined && found['transactions'] !== 'YES'))
    refuse('the table of the target or its effects table is none with transactions: both need an engine such as InnoDB');
  const { rows: columns } = await connection.execute(
    `/* describe columns */ select column_name as name, data_type as type, extra as extra, column_type as declared,
      character_maximum_length as length, datetime_precision as secondDigits from information_schema.columns where table_schema = ? and table_name = ?`,
    place,
  );
  const changes = checkColumns(settings.columns, columns);
  if (settings.mode === 'upsert') {
    const { rows: indexes } = await connection.execute(
      `/* describe indexes */ select index_name as name, column_name as columnName, sub_part as part from information_schema.statistics
        where table_schema = ? and table_name = ? and non_unique = 0 order by index_name, seq_in_index`,
      place,
    );
    checkIndexes(settings, indexes, columns);
  }
  return { hasEffects: effects !== undefined, state, packetBytesMax: Number(table['packetBytesMax']), changes };
}

/** Sessions are kept: what was looked at when one was made need not hold for ever. */
export async function assertUnchanged(
  connection: MysqlConnection,
  settings: MysqlSettings,
  { state, hasEffects }: TableFacts,
): Promise<void> {
  const isSame = (await readState(connection, settings)) === state;
  if (isSame && (hasEffects || (await effectsMadeAt(connection, settings)) === undefined)) return;
  const what = isSame ? 'the effects table was made' : 'the table of the target was changed';
  throw new HeadgateError(connectorErrors.E_TARGET_BUSY, `${what} meanwhile, and is looked at anew`);
}

/** It was made before, or holds a key that was written before. */
export async function hadEffectsAt(connection: MysqlConnection, settings: MysqlSettings, at: Date): Promise<boolean> {
  const madeAt = await effectsMadeAt(connection, settings);
  if (madeAt === undefined) return false;
  // Of whole seconds.
  if (madeAt !== null && Date.parse(`${madeAt.replace(' ', 'T')}Z`) < at.getTime()) return true;
  const [schema] = placeOf(settings) as [string];
  const { rows } = await connection.execute(
    `/* age of keys */ select 1 as isOlder from ${quoteName(schema)}.${quoteName(effectsTable)} where written_at < ? limit 1`,
    [at.toISOString().slice(0, -1).replace('T', ' ')],
  );
  return rows.length > 0;
}

/** By the server's clock, in UTC; null: the server does not say when; undefined: there is none. */
async function effectsMadeAt(connection: MysqlConnection, settings: MysqlSettings): Promise<string | null | undefined> {
  const [schema] = placeOf(settings) as [string];
  const { rows } = await connection.execute(
    '/* age of effects */ select create_time as madeAt from information_schema.tables where table_schema = ? and table_name = ?',
    [schema, effectsTable],
  );
  return rows[0] === undefined ? undefined : (rows[0]['madeAt'] as string | null);
}

function placeOf({ table, database }: MysqlSettings): string[] {
  return [table.database ?? database, table.name];
}

/**
 * As the server would make them again, which costs it little; of a user who may not see that, what the catalogue says, which costs
 * some milliseconds.
 */
async function readState(connection: MysqlConnection, settings: MysqlSettings): Promise<string> {
  const [schema, name] = placeOf(settings) as [string, string];
  return (await definitionOf(connection, [schema, name])) ?? (await readCatalogue(connection, [schema, name]));
}

/** Null: it is not there, or may not be seen. */
async function definitionOf(connection: MysqlConnection, place: readonly string[]): Promise<string | null> {
  try {
    const { rows } = await connection.query(`/* state of table */ show create table ${place.map(quoteName).join('.')}`);
    // Rows that are written move its counter on.
    return String(Object.values(rows[0] ?? {})[1]).replace(/ AUTO_INCREMENT=[0-9]+/, '');
  } catch (error) {
    if (hiddenTable.has((error as { errno?: unknown }).errno)) return null;
    throw error;
  }
}

/** ER_NO_SUCH_TABLE, ER_TABLEACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR, ER_BAD_DB_ERROR. */
const hiddenTable: ReadonlySet<unknown> = new Set([1146, 1142, 1044, 1049]);

async function readCatalogue(connection: MysqlConnection, [schema, name]: readonly [string, string]): Promise<string> {
  const { rows } = await connection.execute(
    `/* state of tables */ select table_name as name, concat_ws(' ', 'table', engine) as state from information_schema.tables
        where table_schema = ? and table_name in (?, ?)
      union all select column_name, concat_ws(' ', 'column', column_type, collation_name, extra) from information_schema.columns
        where table_schema = ? and table_name = ?
      union all select index_name, concat_ws(' ', 'index', seq_in_index, column_name, sub_part) from information_schema.statistics
        where table_schema = ? and table_name = ? and non_unique = 0`,
    [schema, name, effectsTable, schema, name, schema, name],
  );
  return rows
    .map((row) => `${String(row['name'])} ${String(row['state'])}`)
    .sort()
    .join('\n');
}

function refuse(message: string): never {
  throw new HeadgateError(connectorErrors.E_TARGET_SETUP, message);
}

/** Types that take a decimal or a large integer and round it, without a warning. */
const inexact = { decimal: /^(?:.*int|bit|year|float|double|real)$/, int: /^(?:float|double|real)$/ };

function checkColumns(wanted: readonly OutputFieldPlan[], columns: readonly Row[]): (IsChange | null)[] {
  return wanted.map(({ name, type }) => {
    const column = columns.find((row) => String(row['name']).toLowerCase() === name.toLowerCase());
    if (column === undefined) refuse(`the table of the target has no column ${name}, or it can not be seen`);
    const isRounded = (type === 'decimal' || type === 'int') && inexact[type].test(String(column['type']).toLowerCase());
    if (isRounded) refuse(`the column ${name} of the target rounds values of type ${type}`);
    const number = (value: unknown) => (value === null || value === undefined ? null : Number(value));
    return columnChange({
      type: String(column['type']).toLowerCase(),
      declared: String(column['declared']),
      length: number(column['length']),
      secondDigits: number(column['secondDigits']),
    });
  });
}

/** `on duplicate key update` changes the row that it runs into by any unique index, not only by that of the keys. */
function checkIndexes({ keys, columns: written }: MysqlSettings, rows: readonly Row[], columns: readonly Row[]): void {
  const numbered = columns
    .filter(({ extra }) => /auto_increment/i.test(String(extra)))
    .map(({ name }) => String(name).toLowerCase())
    .filter((name) => !written.some((column) => column.name.toLowerCase() === name));
  const indexes = Map.groupBy(rows, ({ name }) => String(name));
  const wanted = keys.map((key) => key.toLowerCase()).sort();
  let isFound = false;
  for (const parts of indexes.values()) {
    const names = parts.map(({ columnName }) => String(columnName).toLowerCase()).sort();
    const isWhole = parts.every(({ part }) => part === null);
    if (isWhole && names.length === wanted.length && names.every((name, index) => name === wanted[index])) isFound = true;
    else if (!names.some((name) => numbered.includes(name)))
      refuse('mode upsert needs a table without unique indexes other than that of the keys and a number of its own');
  }
  if (!isFound) refuse('mode upsert needs a unique index of exactly the keys of the target');
}
