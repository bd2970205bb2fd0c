/** The statements of a postgres target. Names are quoted, values are parameters: no text of a record is ever SQL. */
import { effectsTable, type PostgresSettings, quoteName, quoteTable } from './postgres-settings.ts';

export interface PostgresStatements {
  /** $1: the records as one JSON array. */
  readonly writeRows: string;
  /** $1: delivery keys, $2: batch id, $3: the records. Fails where one of the keys is there. */
  readonly writeNew: string;
  /** $1: delivery keys, $2: batch id. Returns how many were not there, and which, unless it is none or all. */
  readonly claimEffects: string;
  /** $1: delivery keys. */
  readonly releaseEffects: string;
  /** $1: delivery keys. Returns how many are there. */
  readonly countEffects: string;
  /** $1: a time. Returns whether the table of effects was there: it was made before, or holds a key that was written before. */
  readonly hadEffectsAt: string;
  /** Returns whether there is a table of effects. */
  readonly findEffectsTable: string;
  readonly describe: string;
}

export function postgresStatements({ table, mode, keys, columns }: PostgresSettings): PostgresStatements {
  const target = quoteTable(table);
  const effects = quoteTable({ ...table, name: effectsTable });
  const list = columns.map(quoteName).join(', ');
  const rest = columns.filter((column) => !keys.includes(column));
  const assignments = rest.map((column) => `${quoteName(column)} = excluded.${quoteName(column)}`).join(', ');
  const onConflict =
    mode === 'insert'
      ? ''
      : ` on conflict (${keys.map(quoteName).join(', ')}) do ${rest.length === 0 ? 'nothing' : `update set ${assignments}`}`;
  // The row type of the table gives every value its column's own type.
  const insertRows = (json: string) =>
    `insert into ${target} (${list}) select ${list} from json_populate_recordset(null::${target}, ${json}::json)${onConflict}`;
  const insertEffects = `insert into ${effects} (delivery_key, batch_id) select k, $2::uuid from unnest($1::text[]) as k`;
  return {
    writeRows: `/* write rows */ ${insertRows('$1')}`,
    writeNew: `/* write rows with effects */ with written as (${insertEffects}) ${insertRows('$3')}`,
    claimEffects: `/* claim effects */ with written as (${insertEffects} on conflict (delivery_key) do nothing returning delivery_key)
      select count(*)::int as count, case when count(*) < cardinality($1::text[]) then array_agg(delivery_key) end as fresh from written`,
    releaseEffects: `/* release effects */ delete from ${effects} where delivery_key = any ($1::text[])`,
    countEffects: `/* count effects */ select count(*)::int as count from ${effects} where delivery_key = any ($1::text[])`,
    hadEffectsAt: `/* age of effects */ select coalesce((select (regexp_match(pg_get_expr(d.adbin, d.adrelid), $$'(.*)'$$))[1]::timestamptz < $1::timestamptz
        from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.adrelid = to_regclass(${quoteText(effects)}) and a.attname = 'table_made_at'), false)
      or exists (select from ${effects} where written_at < $1::timestamptz) as "hadEffects"`,
    findEffectsTable: `/* find effects table */ select to_regclass(${quoteText(effects)}) is not null as "hasEffects"`,
    describe: `/* describe target */ with recursive described as (
        select attname as name, atttypid as type, atttypmod as modifier from pg_attribute
          where attrelid = to_regclass(${quoteText(target)}) and attnum > 0 and not attisdropped
        union all select d.name, t.typbasetype, t.typtypmod from described d join pg_type t on t.oid = d.type and t.typtype = 'd')
      select to_regclass(${quoteText(target)}) is not null as "hasTable",
      to_regclass(${quoteText(effects)}) is not null as "hasEffects", to_regclass('headgate.migrations') is not null as "isOurs",
      (select coalesce(json_object_agg(d.name, json_build_array(t.typname, d.modifier)), '{}')
        from described d join pg_type t on t.oid = d.type and t.typtype <> 'd') as "columnTypes"`,
  };
}

/** For names that were quoted before. */
function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
