/**
 * The schema as text, from the catalogue alone and in a fixed order: the same for every way to the same schema. It is kept in
 * test/golden/schema.txt, so that a migration shows in a review what it changes. Partitions but the default ones are left out.
 */
import type { Queryable } from '../../src/platform/postgres/database.ts';

const ours = "n.nspname = 'headgate'";

const selectTables = `/* describe tables */
select c.oid::int8 as id, c.relname as name, case c.relkind when 'p' then 'partitioned by ' || pg_get_partkeydef(c.oid) else '' end as partitioning,
  concat_ws(', ', case when c.relrowsecurity then 'row-level security' end, case when c.relforcerowsecurity then 'forced' end,
    array_to_string(c.reloptions, ', ')) as options,
  coalesce((select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attcollation <> 0 then ' collate ' || a.attcollation::regcollation else '' end
      || case when a.attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), E'\\n  ' order by a.attnum)
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '') as columns,
  coalesce((select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), E'\\n  ' order by k.contype, k.conname)
    from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'), '') as constraints,
  coalesce((select string_agg(pg_get_indexdef(i.indexrelid), E'\\n  ' order by i.indexrelid::regclass::text)
    from pg_index i where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid)), '') as indexes,
  coalesce((select string_agg(pg_get_triggerdef(t.oid), E'\\n  ' order by t.tgname) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal), '') as triggers,
  coalesce((select string_agg(p.polname || ' to ' || coalesce((select string_agg(r::regrole::text, ', ') from unnest(p.polroles) r where r <> 0), 'all')
      || ' using ' || pg_get_expr(p.polqual, p.polrelid) || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), ''), E'\\n  ' order by p.polname)
    from pg_policy p where p.polrelid = c.oid), '') as policies,
  coalesce((select string_agg(g.grantee::regrole || ': ' || g.rights, E'\\n  ' order by g.grantee::regrole::text)
    from (select x.grantee, string_agg(lower(x.privilege_type), ', ' order by x.privilege_type) as rights from aclexplode(c.relacl) x
          where x.grantee <> c.relowner group by x.grantee) g), '') as grants
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where ${ours} and c.relkind in ('r', 'p', 'v') and not c.relispartition
order by c.relname`;

const selectFunctions = `/* describe functions */
select p.oid::regprocedure::text as name, p.proowner::regrole::text as owner, regexp_replace(pg_get_functiondef(p.oid), '[ \\t]+$', '', 'gm') as definition,
  coalesce((select string_agg(case when g.grantee = 0 then 'everybody' else g.grantee::regrole::text end, ', ' order by g.grantee)
    from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where g.grantee <> p.proowner), 'nobody') as callers
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${ours}
order by p.oid::regprocedure::text`;

const selectPartitions = `/* describe default partitions */
select c.relname || ' of ' || i.inhparent::regclass as name
from pg_class c join pg_inherits i on i.inhrelid = c.oid join pg_namespace n on n.oid = c.relnamespace
where ${ours} and c.relkind = 'r' and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' order by 1`;

const selectTransitions = `/* describe transitions */
select machine || ': ' || from_state || ' --' || event || '--> ' || to_state as line from headgate.state_transitions order by machine, from_state, event, to_state`;

const tableParts = ['partitioning', 'options', 'columns', 'constraints', 'indexes', 'triggers', 'policies', 'grants'] as const;

export async function describeSchema(db: Queryable): Promise<string> {
  const tables = await db.query<Record<string, string>>(selectTables);
  const functions = await db.query<Record<string, string>>(selectFunctions);
  const partitions = await db.query<{ name: string }>(selectPartitions);
  const transitions = await db.query<{ line: string }>(selectTransitions);
  const sections = [
    'The schema headgate, as the migrations leave it. Regenerate with `npm run golden`.',
    ...tables.rows.map((table) => {
      const parts = tableParts.filter((part) => table[part] !== '').map((part) => `${part}:\n  ${table[part]}`);
      return [`# table ${table['name']}`, ...parts].join('\n');
    }),
    ...functions.rows.map(
      (row) => `# function ${row['name']}\nowner: ${row['owner']}\ncallers: ${row['callers']}\n${row['definition']!.trimEnd()}`,
    ),
    `# default partitions\n${partitions.rows.map((row) => row.name).join('\n')}`,
    `# state transitions\n${transitions.rows.map((row) => row.line).join('\n')}`,
  ];
  return `${sections.join('\n\n')}\n`;
}
