import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tx } from '../src/platform/postgres/database.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';
import { checkSchema, schemaRules } from './support/schema-rules.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

it('the schema keeps its rules', async () => {
  expect(await checkSchema(database.adminDb)).toEqual([]);
});

it('the schema keeps its rules with partitions made for a quarter', async () => {
  await planted([asOwner, "select headgate.make_partitions('2027-02-03')"], async (tx) => {
    const made = await tx.query("/* made */ select from pg_class where relname like '%\\_2027q1' and relkind = 'r'");
    expect(made.rowCount).toBeGreaterThan(10);
    expect(await checkSchema(tx)).toEqual([]);
  });
});

it('a quarter of which rows are in the default partition gets no partition of its own there, and those of the other tables', async () => {
  const row = `insert into headgate.segments (tenant_id, segment_id, object_id, group_id, kind, bytes, sha256, object, fence, created_at)
    values (gen_random_uuid(), $$019c2d20-0000-7000-8000-000000000000$$, gen_random_uuid(), gen_random_uuid(), 'output', 1, '', '{}', 1, headgate.clock())`;
  const changes = [asAdmin, row, asOwner, "select headgate.make_partitions('2026-02-03')", "select headgate.make_partitions('2026-05-03')"];
  await planted(changes, async (tx) => {
    const made = await tx.query<{ name: string }>(
      "/* made */ select relname as name from pg_class where relname ~ '_2026q[12]$' and relkind = 'r'",
    );
    const names = made.rows.map(({ name }) => name);
    expect(names).not.toContain('segments_2026q1');
    expect(names).toEqual(expect.arrayContaining(['events_2026q1', 'segments_2026q2']));
    expect(await checkSchema(tx)).toEqual([]);
  });
});

/** Changes the schema, looks, and takes everything back. */
async function planted(changes: readonly string[], look: (tx: Tx) => Promise<void>): Promise<void> {
  const undo = new Error('undo');
  const done = database.adminDb.transaction(async (tx) => {
    for (const change of changes) await tx.query(`/* plant */ ${change}`);
    await look(tx);
    throw undo;
  });
  await done.catch((error: unknown) => {
    if (error !== undo) throw error;
  });
}

const asOwner = 'set local role headgate_owner';
const asAdmin = 'reset role';
const tenantTable = 'create table headgate.planted (tenant_id uuid not null, id int not null, name text, primary key (tenant_id, id))';
const secure = [
  'alter table headgate.planted enable row level security',
  'alter table headgate.planted force row level security',
  "create policy tenant on headgate.planted using (tenant_id = nullif(current_setting('headgate.tenant', true), '')::uuid)",
];

/** Rule, what it finds, and the change that breaks it. */
const plantings: readonly [string, string, readonly string[]][] = [
  ['a table has a tenant', 'planted', ['create table headgate.planted (id int primary key)']],
  ['row-level security, forced', 'planted', [tenantTable]],
  ['row-level security, forced', 'jobs', ['alter table headgate.jobs no force row level security']],
  ['row-level security, forced', 'jobs_other', ['alter table headgate.jobs_other disable row level security']],
  ['the tenant policy', 'jobs: no tenant policy', ['drop policy tenant on headgate.jobs']],
  ['the tenant policy', 'jobs: open', ['create policy open on headgate.jobs using (true)']],
  ['the tenant policy', 'jobs: dispatcher', ['create policy dispatcher on headgate.jobs to headgate_dispatcher using (true)']],
  ['the tenant policy', 'tenants: dispatcher', ['alter policy dispatcher on headgate.tenants to headgate_app']],
  [
    'the tenant policy',
    'jobs: tenant',
    ["alter policy tenant on headgate.jobs using (tenant_id = current_setting('headgate.tenant')::uuid)"],
  ],
  ['the tenant policy', 'jobs: tenant', ['alter policy tenant on headgate.jobs with check (true)']],
  ['tenant_id comes first', 'planted: planted_name_key', [tenantTable, ...secure, 'alter table headgate.planted add unique (name)']],
  [
    'tenant_id comes first',
    'planted: headgate.planted_by_name',
    [tenantTable, ...secure, 'create unique index planted_by_name on headgate.planted (name)'],
  ],
  [
    'refers to its tenant_id first',
    'headgate.planted: planted_name_fkey',
    [
      tenantTable,
      ...secure,
      'alter table headgate.planted alter name type text collate "C", add foreign key (name) references headgate.tenants (name)',
    ],
  ],
  [
    'every foreign key has an index',
    'headgate.planted: planted_tenant_id_name_fkey',
    [
      tenantTable,
      ...secure,
      'alter table headgate.planted alter name type text collate "C", add foreign key (tenant_id, name) references headgate.flows (tenant_id, name)',
    ],
  ],
  ['no statistics of tenant_id', 'planted', [tenantTable, ...secure]],
  ['no statistics of tenant_id', 'jobs_other', ['alter table headgate.jobs_other alter tenant_id set statistics default']],
  [
    'does not begin with tenant_id',
    'headgate.planted_by_id',
    [tenantTable, ...secure, 'create index planted_by_id on headgate.planted (tenant_id, id, name)'],
  ],
  ['views check the rights', 'planted', ['create view headgate.planted as select * from headgate.jobs']],
  ['no materialized views', 'planted', ['create materialized view headgate.planted as select 1 as one']],
  ['no materialized views', 'planted', ['create sequence headgate.planted']],
  ['rights on a partition', 'jobs_other: headgate_app', ['grant select on headgate.jobs_other to headgate_app']],
  ['append-only', 'events: UPDATE', ['grant update on headgate.events to headgate_app']],
  ['append-only', 'events: no trigger', ['drop trigger events_are_append_only on headgate.events']],
  ['append-only', 'receipts: no trigger', ['alter table headgate.receipts disable trigger receipts_are_append_only']],
  ['column grant', 'events.type', ['grant update (type) on headgate.events to headgate_app']],
  ['nothing to everybody', 'jobs: SELECT', ['grant select on headgate.jobs to public']],
  ['nothing to everybody', 'jobs: TRUNCATE', ['grant truncate on headgate.jobs to headgate_app']],
  ['search_path', 'headgate.planted()', ["create function headgate.planted() returns int language sql as 'select 1'"]],
  [
    'run as their owner',
    'headgate.planted()',
    ["create function headgate.planted() returns int language sql security definer set search_path = '' as 'select 1'"],
  ],
  ['run as their owner', 'headgate.find_tenant(text)', [asAdmin, 'grant execute on function headgate.find_tenant(text) to public']],
  ['leakproof', 'headgate.tenant()', [asAdmin, 'alter function headgate.tenant() leakproof']],
  [
    'time, randomness and ids',
    'headgate.planted()',
    ["create function headgate.planted() returns timestamptz language sql set search_path = '' as 'select now()'"],
  ],
  ['time, randomness and ids', 'headgate.leaders: default', ['alter table headgate.leaders alter until set default current_timestamp']],
  ['time, randomness and ids', 'headgate.leaders: default', ['alter table headgate.leaders alter holder set default gen_random_uuid()']],
  ['time, randomness and ids', 'planted.id', ['create table headgate.planted (id int generated always as identity)']],
  ['text in a key', 'planted.name', [tenantTable, ...secure, 'create index on headgate.planted (tenant_id, name)']],
  ['instants have a time zone', 'planted.at', [tenantTable, 'alter table headgate.planted add at timestamp']],
  ['numbers are exact', 'planted.amount', [tenantTable, 'alter table headgate.planted add amount double precision']],
  [
    'states that a table allows',
    'headgate.jobs: paused',
    ["insert into headgate.state_transitions values ('job', 'running', 'pause', 'paused')"],
  ],
  [
    'states that a table allows',
    'headgate.jobs: checking',
    ["delete from headgate.state_transitions where machine = 'job' and to_state = 'checking'"],
  ],
  ['refuses illegal moves', 'jobs: update', ['drop trigger jobs_move on headgate.jobs']],
  ['refuses illegal moves', 'batches: insert', ['drop trigger batches_start on headgate.batches']],
  ['belongs to headgate_owner', 'planted', [asAdmin, 'create table headgate.planted (id int)']],
  ['no more than they need', 'headgate_app', [asAdmin, 'alter role headgate_app bypassrls']],
  ['no more than they need', 'headgate_app is a member of headgate_owner', [asAdmin, 'grant headgate_owner to headgate_app']],
  ['no more than they need', 'headgate_app may create in headgate', ['grant create on schema headgate to headgate_app']],
  ['outside the schema', 'planted', [asAdmin, 'create table public.planted (id int)']],
];

describe('a planted violation is caught', () => {
  it.each(plantings)('%s: %s', async (rule, violation, changes) => {
    await planted([asOwner, ...changes], async (tx) => {
      const found = await checkSchema(tx);
      expect(found.filter((line) => line.includes(rule) && line.endsWith(`: ${violation}`))).toHaveLength(1);
    });
  });

  it('by every rule at least once', () => {
    const never = schemaRules.filter(({ name }) => !plantings.some(([rule]) => name.includes(rule)));
    expect(never.map(({ name }) => name)).toEqual([]);
  });
});
