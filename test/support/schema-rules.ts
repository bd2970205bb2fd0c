/**
 * The rules of the data model, each a question to the live catalogue whose answer must be empty. Anything that may deviate
 * is listed here by name, so that a new exception is a visible change (test/schema.test.ts).
 */
import type { Queryable } from '../../src/platform/postgres/database.ts';

export interface SchemaRule {
  readonly name: string;
  /** Returns rows with one column, `violation`. */
  readonly sql: string;
}

/** Tables that hold nothing of a tenant. */
const globalTables = ['clock_offset', 'leaders', 'migrations', 'state_transitions', 'work_clocks'];
/** Tables of ids and schedules that the dispatcher may see across tenants (decisions 23). */
const dispatcherTables = [
  'api_keys',
  'event_counters',
  'event_transactions',
  'source_schedules',
  'tenant_shares',
  'tenants',
  'work_items',
  'work_notices',
];
/** Their rows are written once. */
const appendOnlyTables = ['events', 'receipts'];
/** The one unique key that is not per tenant: a tenant's own name. */
const keysWithoutTenant = ['tenants_name_key'];
/** Looked through for a tenant as a whole, or for what is not an id. */
const indexesOfTenants = ['files_by_sha256', 'idempotency_keys_by_age'];
/** Shares between tenants are ratios; money and counts are never floats. */
const floatColumns = ['tenant_shares.virtual_time', 'tenant_shares.weight', 'work_clocks.virtual_time'];
/** May look across tenants, and nothing else may. */
const definerOwners = ['headgate_dispatcher'];

const list = (names: readonly string[]) => `array[${names.map((name) => `'${name}'`).join(', ')}]::text[]`;

const tenantPolicy = "(tenant_id = (NULLIF(current_setting(''headgate.tenant''::text, true), ''''::text))::uuid)";

/** Every table of ours, with whether it has a tenant_id. */
const tables = `select c.*, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as has_tenant
  from pg_class c where c.relnamespace = 'headgate'::regnamespace and c.relkind in ('r', 'p')`;

const sources = String.raw`\m(now|statement_timestamp|transaction_timestamp|clock_timestamp|timeofday|random|gen_random_uuid|uuidv4|uuidv7|nextval|setseed)\s*\(|\m(current_timestamp|current_date|current_time|localtimestamp|localtime)\M`;

function rule(name: string, sql: string): SchemaRule {
  return {
    name,
    sql: `/* schema rule ${name
      .replace(/[^a-z ]/gi, '')
      .slice(0, 40)
      .trim()} */ ${sql}`,
  };
}

export const schemaRules: readonly SchemaRule[] = [
  rule(
    'a table has a tenant or is known to have none',
    `select t.relname::text as violation from (${tables}) t where not t.has_tenant and t.relname::text <> all (${list(globalTables)})`,
  ),
  rule(
    'a tenant table has row-level security, forced',
    `select t.relname::text as violation from (${tables}) t where t.has_tenant and not (t.relrowsecurity and t.relforcerowsecurity)`,
  ),
  rule(
    'a tenant table has the tenant policy and no other but the dispatcher one',
    `select t.relname || ': ' || coalesce(p.polname, 'no tenant policy') as violation
     from (${tables}) t left join pg_policy p on p.polrelid = t.oid
     where t.has_tenant and case
       when p.oid is null then true
       when p.polname = 'tenant' then not (p.polcmd = '*' and p.polpermissive and p.polroles = array[0::oid]
         and pg_get_expr(p.polqual, p.polrelid) = '${tenantPolicy}' and p.polwithcheck is null)
       when p.polname = 'dispatcher' then not (p.polroles = array['headgate_dispatcher'::regrole::oid] and t.relname::text = any (${list(dispatcherTables)}))
       else true end
     union all
     select t.relname || ': no tenant policy' from (${tables}) t
     where t.has_tenant and not exists (select from pg_policy p where p.polrelid = t.oid and p.polname = 'tenant')`,
  ),
  rule(
    'tenant_id comes first in every key of a tenant table',
    `select t.relname || ': ' || k.conname as violation
     from (${tables}) t join pg_constraint k on k.conrelid = t.oid
     where t.has_tenant and k.contype in ('p', 'u', 'f', 'x') and k.conname::text <> all (${list(keysWithoutTenant)})
       and k.conkey[1] <> (select a.attnum from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id')
     union all
     select t.relname || ': ' || i.indexrelid::regclass
     from (${tables}) t join pg_index i on i.indrelid = t.oid
     where t.has_tenant and i.indisunique and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
       and i.indkey[0] <> (select a.attnum from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id')`,
  ),
  rule(
    'a foreign key to a tenant table refers to its tenant_id first',
    `select k.conrelid::regclass || ': ' || k.conname as violation
     from pg_constraint k join (${tables}) t on t.oid = k.confrelid
     where k.contype = 'f' and t.has_tenant and k.confkey[1] <> (select a.attnum from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id')`,
  ),
  rule(
    'every foreign key has an index',
    `select k.conrelid::regclass || ': ' || k.conname as violation
     from pg_constraint k where k.contype = 'f' and k.conparentid = 0 and k.connamespace = 'headgate'::regnamespace
       and not exists (
         select from pg_index i where i.indrelid = k.conrelid and i.indpred is null
           and (select array_agg(n order by n) from unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) n) = (select array_agg(n order by n) from unnest(k.conkey) n))`,
  ),
  rule(
    'the planner has no statistics of tenant_id',
    `select t.relname::text as violation from (${tables}) t join pg_attribute a on a.attrelid = t.oid
     where a.attname = 'tenant_id' and coalesce(a.attstattarget, -1) <> 0`,
  ),
  rule(
    'an index that is no key does not begin with tenant_id',
    `select i.indexrelid::regclass::text as violation from (${tables}) t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid
     where t.has_tenant and not t.relispartition and not i.indisunique and i.indpred is null and c.relname::text <> all (${list(indexesOfTenants)})
       and i.indkey[0] = (select a.attnum from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id')`,
  ),
  rule(
    'views check the rights of who asks',
    `select c.relname::text as violation from pg_class c where c.relnamespace = 'headgate'::regnamespace and c.relkind = 'v'
       and not coalesce(c.reloptions && array['security_invoker=on', 'security_invoker=true'], false)`,
  ),
  rule(
    'there are no materialized views, foreign tables or sequences',
    `select c.relname::text as violation from pg_class c where c.relnamespace = 'headgate'::regnamespace and c.relkind in ('m', 'f', 'S')`,
  ),
  rule(
    'nobody has rights on a partition',
    `select c.relname || ': ' || g.grantee::regrole as violation
     from pg_class c cross join lateral aclexplode(c.relacl) g
     where c.relnamespace = 'headgate'::regnamespace and c.relispartition and g.grantee <> c.relowner`,
  ),
  rule(
    'append-only tables cannot be changed by anybody who logs in',
    `select c.relname || ': ' || g.privilege_type as violation
     from pg_class c cross join lateral aclexplode(c.relacl) g
     where c.relnamespace = 'headgate'::regnamespace and c.relname::text = any (${list(appendOnlyTables)})
       and g.grantee <> c.relowner and g.privilege_type not in ('SELECT', 'INSERT')
     union all
     select n || ': no trigger' from unnest(${list(appendOnlyTables)}) n
     where not exists (select from pg_trigger t where t.tgrelid = ('headgate.' || n)::regclass and t.tgfoid = 'headgate.refuse_change'::regproc
       and t.tgenabled <> 'D' and (t.tgtype & 1) = 1 and (t.tgtype & 2) = 2 and (t.tgtype & 8) = 8 and (t.tgtype & 16) = 16)`,
  ),
  rule(
    'a column grant does not get around a table grant',
    `select c.relname || '.' || a.attname as violation from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'headgate'::regnamespace and a.attacl is not null`,
  ),
  rule(
    'only SELECT, INSERT, UPDATE and DELETE are granted, and nothing to everybody',
    `select c.relname || ': ' || g.privilege_type as violation
     from pg_class c cross join lateral aclexplode(c.relacl) g
     where c.relnamespace = 'headgate'::regnamespace and g.grantee <> c.relowner
       and (g.grantee = 0 or g.is_grantable or g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))`,
  ),
  rule(
    'every function pins its search_path',
    `select p.oid::regprocedure::text as violation from pg_proc p
     where p.pronamespace = 'headgate'::regnamespace and not coalesce(p.proconfig @> array['search_path=""'], false)`,
  ),
  rule(
    'functions that run as their owner belong to the dispatcher and are not for everybody',
    `select p.oid::regprocedure::text as violation from pg_proc p
     where p.pronamespace = 'headgate'::regnamespace and p.prosecdef
       and (p.proowner::regrole::text <> all (${list(definerOwners)}) or p.proacl is null
         or exists (select from aclexplode(p.proacl) g where g.grantee = 0))`,
  ),
  rule(
    'no function claims to be leakproof',
    `select p.oid::regprocedure::text as violation from pg_proc p where p.pronamespace = 'headgate'::regnamespace and p.proleakproof`,
  ),
  rule(
    'time, randomness and ids do not come from the database, but for headgate.clock()',
    `select p.oid::regprocedure::text as violation from pg_proc p
     where p.pronamespace = 'headgate'::regnamespace and p.proname <> 'clock' and regexp_replace(p.prosrc, '--[^\\n]*', '', 'g') ~* '${sources}'
     union all
     select d.adrelid::regclass || ': default' from pg_attrdef d join pg_class c on c.oid = d.adrelid
     where c.relnamespace = 'headgate'::regnamespace and pg_get_expr(d.adbin, d.adrelid) ~* '${sources}'
     union all
     select k.conrelid::regclass || ': ' || k.conname from pg_constraint k
     where k.connamespace = 'headgate'::regnamespace and k.contype = 'c' and pg_get_constraintdef(k.oid) ~* '${sources}'
     union all
     select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'headgate'::regnamespace and a.attidentity <> ''`,
  ),
  rule(
    'text in a key sorts by bytes',
    `select distinct c.relname || '.' || a.attname as violation
     from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where c.relnamespace = 'headgate'::regnamespace and a.attcollation <> 0 and a.attcollation <> '"C"'::regcollation`,
  ),
  rule(
    'instants have a time zone and numbers are exact',
    `select c.relname || '.' || a.attname as violation
     from pg_attribute a join (${tables}) c on c.oid = a.attrelid
     where a.attnum > 0 and not a.attisdropped and (a.atttypid in ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype, 'money'::regtype)
       or a.atttypid in ('float4'::regtype, 'float8'::regtype) and c.relname || '.' || a.attname <> all (${list(floatColumns)}))`,
  ),
  rule(
    'the states that a table allows are those of its machine',
    `select t.tgrelid::regclass || ': ' || s.state as violation
     from pg_trigger t
     cross join lateral (select convert_from(substring(t.tgargs from 1 for octet_length(t.tgargs) - 1), 'UTF8') as machine) m
     cross join lateral (
       (select from_state as state from headgate.state_transitions x where x.machine = m.machine and from_state <> ''
        union select to_state from headgate.state_transitions x where x.machine = m.machine)
       except
       select q[1] from pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([a-z_]+)''', 'g') q
       where k.conrelid = t.tgrelid and k.contype = 'c' and k.conkey = array[(select attnum from pg_attribute where attrelid = t.tgrelid and attname = 'state')]
     ) s
     where t.tgfoid = 'headgate.refuse_illegal_transition'::regproc and t.tgparentid = 0
     union
     select t.tgrelid::regclass || ': ' || q[1]
     from pg_trigger t
     cross join lateral (select convert_from(substring(t.tgargs from 1 for octet_length(t.tgargs) - 1), 'UTF8') as machine) m
     join pg_constraint k on k.conrelid = t.tgrelid and k.contype = 'c'
       and k.conkey = array[(select attnum from pg_attribute where attrelid = t.tgrelid and attname = 'state')]
     cross join lateral regexp_matches(pg_get_constraintdef(k.oid), '''([a-z_]+)''', 'g') q
     where t.tgfoid = 'headgate.refuse_illegal_transition'::regproc and t.tgparentid = 0
       and q[1] not in (select to_state from headgate.state_transitions x where x.machine = m.machine)`,
  ),
  rule(
    'a table with states refuses illegal moves, from the first one on',
    `select t.relname || ': ' || e.event as violation
     from (${tables}) t cross join (values ('insert', 4), ('update', 16)) e (event, bit)
     where not t.relispartition and exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'state' and not a.attisdropped)
       and not exists (select from pg_trigger g where g.tgrelid = t.oid and g.tgfoid = 'headgate.refuse_illegal_transition'::regproc
         and g.tgenabled <> 'D' and (g.tgtype & e.bit) = e.bit)`,
  ),
  rule(
    'everything belongs to headgate_owner, but for the functions of the dispatcher',
    `select c.relname::text as violation from pg_class c where c.relnamespace = 'headgate'::regnamespace and c.relowner <> 'headgate_owner'::regrole
     union all
     select p.oid::regprocedure::text from pg_proc p
     where p.pronamespace = 'headgate'::regnamespace and not p.prosecdef and p.proowner <> 'headgate_owner'::regrole`,
  ),
  rule(
    'the roles have no more than they need',
    `select r.rolname::text as violation from pg_roles r
     where r.rolname in ('headgate_owner', 'headgate_app', 'headgate_dispatcher')
       and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolcanlogin <> (r.rolname = 'headgate_app'))
     union all
     select 'headgate_app is a member of ' || m.roleid::regrole from pg_auth_members m where m.member = 'headgate_app'::regrole
     union all
     select g.grantee::regrole || ' may create in ' || n.nspname from pg_namespace n cross join lateral aclexplode(n.nspacl) g
     where n.nspname in ('headgate', 'public') and g.privilege_type = 'CREATE'
       and (g.grantee = 0 or g.grantee in ('headgate_app'::regrole, 'headgate_dispatcher'::regrole))`,
  ),
  rule(
    'nothing of ours is outside the schema headgate',
    `select c.oid::regclass::text as violation from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'headgate' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`,
  ),
];

/** Violations by rule, `rule: what`. */
export async function checkSchema(db: Queryable): Promise<string[]> {
  const found: string[] = [];
  for (const { name, sql } of schemaRules) {
    const { rows } = await db.query<{ violation: string }>(sql);
    found.push(...rows.map((row) => `${name}: ${row.violation}`));
  }
  return [...new Set(found)].sort();
}
