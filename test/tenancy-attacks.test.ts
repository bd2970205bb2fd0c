import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tx } from '../src/platform/postgres/database.ts';
import { openPool } from '../src/platform/postgres/pool.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';

const ours = '01900000-0000-7000-8000-0000000000aa';
const theirs = '01900000-0000-7000-8000-0000000000bb';
const flowOf = (tenant: string) => `01900000-0000-7000-8001-0000000000${tenant.slice(-2)}`;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  for (const [tenant, name] of [
    [ours, 'bank-a'],
    [theirs, 'bank-b'],
  ]) {
    await database.db.query("/* make tenant */ select headgate.ensure_tenant($1, $2, 'gold', 'local', 'local')", [tenant, name]);
  }
});

afterAll(() => database.drop());

beforeEach(async () => {
  await database.adminDb.query('/* clean */ delete from headgate.flows');
  for (const tenant of [ours, theirs]) await withTenant(database.db, tenant, (tx) => addFlow(tx, tenant, 'payroll', flowOf(tenant)));
});

function addFlow(tx: Tx, tenant: string, name: string, flowId: string) {
  return tx.query(
    '/* add flow */ insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, $3, $4, headgate.clock())',
    [tenant, flowId, 'payments', name],
  );
}

const countFlows = '/* count flows */ select count(*)::int as n from headgate.flows';
const attack = <Row>(sql: string, params: unknown[] = []) =>
  withTenant(database.db, ours, (tx) => tx.query<Row>(`/* attack */ ${sql}`, params));

describe('without a tenant (E1)', () => {
  it('there are no rows, whether the setting is absent or empty', async () => {
    expect((await database.db.query(countFlows)).rows).toEqual([{ n: 0 }]);
    const empty = await database.db.transaction(async (tx) => {
      await tx.query("/* empty */ select set_config('headgate.tenant', '', true)");
      return (await tx.query(countFlows)).rows;
    });
    expect(empty).toEqual([{ n: 0 }]);
  });

  it('nothing can be written', async () => {
    await expect(database.db.transaction((tx) => addFlow(tx, ours, 'x', flowOf(theirs)))).rejects.toMatchObject({
      code: 'E_DATABASE_FORBIDDEN',
    });
  });

  it('a malformed setting fails as a whole and its value stays out of the message', async () => {
    const malformed = database.db.transaction(async (tx) => {
      await tx.query("/* malformed */ select set_config('headgate.tenant', 'hunter2', true)");
      await tx.query(countFlows);
    });
    await expect(malformed).rejects.toMatchObject({ code: 'E_DATABASE_VALUE', message: expect.not.stringContaining('hunter2') });
  });
});

describe('after misuse of a connection (E2)', () => {
  it('an error, a cancelled statement or a session-wide setting leaves no tenant for the next borrower', async () => {
    const one = openPool({ url: database.url, applicationName: 'one connection', connectionsMax: 1, statementTimeoutMs: 60 });
    const misuses = [
      'select 1/0',
      'select pg_sleep(5)',
      `select set_config('headgate.tenant', '${ours}', false)`,
      'select nothing from nowhere',
    ];
    for (const misuse of misuses) {
      await withTenant(one, ours, (tx) => tx.query(`/* misuse */ ${misuse}`)).catch(() => {});
      expect((await one.query(countFlows)).rows).toEqual([{ n: 0 }]);
    }
    await one.close();
  });
});

describe("another tenant's rows", () => {
  it('cannot be read, changed or deleted by id', async () => {
    expect((await attack('select from headgate.flows where flow_id = $1', [flowOf(theirs)])).rowCount).toBe(0);
    expect((await attack("update headgate.flows set name = 'taken' where flow_id = $1", [flowOf(theirs)])).rowCount).toBe(0);
    expect((await attack('update headgate.flows set enabled = false')).rowCount).toBe(1);
  });

  it('cannot be taken over by changing the tenant of a row (E3)', async () => {
    await expect(attack('update headgate.flows set tenant_id = $1', [theirs])).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
  });

  it('are no oracle through a unique key: the same name and the same id are free (E3)', async () => {
    await withTenant(database.db, ours, (tx) => addFlow(tx, ours, 'only-theirs', flowOf(theirs)));
    const rows = await withTenant(database.db, ours, (tx) => tx.query('/* list */ select name from headgate.flows order by name'));
    expect(rows.rows).toEqual([{ name: 'only-theirs' }, { name: 'payroll' }]);
  });

  it('are no oracle through ON CONFLICT (E3)', async () => {
    const inserted = await attack(
      "insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, 's', 'new', headgate.clock()) on conflict (tenant_id, flow_id) do nothing",
      [ours, flowOf(theirs)],
    );
    expect(inserted.rowCount).toBe(1);
  });

  it('are no oracle through a foreign key: an id of theirs is as unknown as any (E3)', async () => {
    const refer = (flowId: string) =>
      attack('insert into headgate.flow_counters (tenant_id, flow_id) values ($1, $2)', [ours, flowId]).catch((error: Error) => error);
    const [known, unknown] = [await refer(flowOf(theirs)), await refer('01900000-0000-7000-8001-0000000000ff')];
    expect(known).toMatchObject({ code: 'E_DATABASE_REFUSED' });
    expect((known as Error).message).toBe((unknown as Error).message);
  });

  it('do not show through partitions (E4)', async () => {
    await expect(attack('select from headgate.jobs_other')).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
  });

  it('do not show through a leaky function in the condition (E5)', async () => {
    const leaked: string[] = [];
    const pool = openPool({ url: database.url, applicationName: 'leak' });
    await withTenant(pool, ours, async (tx) => {
      await tx.query('/* leaky */ create temporary table seen (name text)');
      await tx.query(`/* leaky */ create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001 as
        $$ begin insert into pg_temp.seen values ($1); return true; end $$`);
      await tx.query('/* leaky */ select from headgate.flows where pg_temp.leak(tenant_id::text)');
      leaked.push(...(await tx.query<{ name: string }>('/* leaky */ select name from pg_temp.seen')).rows.map((row) => row.name));
    });
    await pool.close();
    expect(leaked).toEqual([ours]);
  });

  it('do not show in the text of an error (E5)', async () => {
    await expect(attack("select (name || 'x')::int from headgate.flows")).rejects.toMatchObject({
      code: 'E_DATABASE_VALUE',
      message: expect.not.stringContaining('payroll'),
    });
  });

  it('do not show in the statements of other sessions (E4)', async () => {
    const stranger = openPool({ url: database.adminUrl, applicationName: 'stranger' });
    await stranger.query("/* secret statement */ select 'payroll of bank-b'");
    const { rows } = await attack<{ query: string }>("select query from pg_stat_activity where application_name = 'stranger'");
    expect(rows).toEqual([{ query: '<insufficient privilege>' }]);
    await stranger.close();
  });
});

describe('what the application role may not do (E9, E10, G2)', () => {
  it.each([
    'truncate headgate.flows',
    'truncate headgate.events',
    "copy headgate.flows to program 'cat'",
    'alter table headgate.flows disable row level security',
    'alter table headgate.flows no force row level security',
    'alter table headgate.events disable trigger all',
    'drop policy tenant on headgate.flows',
    'create policy open on headgate.flows using (true)',
    'drop table headgate.events',
    'create table headgate.mine (id int)',
    'create table public.mine (id int)',
    "create function headgate.mine() returns int language sql as 'select 1'",
    'update headgate.events set type = type',
    'delete from headgate.events',
    'update headgate.receipts set body = body',
    "update headgate.clock_offset set by = '1 day'",
    "insert into headgate.state_transitions values ('job', 'completed', 'reopen', 'running')",
    'update headgate.migrations set sha256 = sha256',
    'set role headgate_owner',
    'set role headgate_dispatcher',
    'set session authorization postgres',
    "set session_replication_role = 'replica'",
    'alter role headgate_app bypassrls',
    'create role mine',
    'set row_security = off; select from headgate.flows',
    'select rolpassword from pg_authid',
    "select pg_read_file('postgresql.conf')",
    'select headgate.make_partitions(current_date)',
    'update headgate.tenants set tier = tier',
  ])('%s', async (statement) => {
    const pool = openPool({ url: database.url, applicationName: 'attack', connectionsMax: 1 });
    const [first, second] = statement.split('; ') as [string, string | undefined];
    const attempt = withTenant(pool, ours, async (tx) => {
      await tx.query(`/* attack */ ${first}`);
      if (second !== undefined) await tx.query(`/* attack */ ${second}`);
    });
    await expect(attempt).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
    await pool.close();
  });

  it('COPY into a tenant table, and a change of the server', async () => {
    await expect(attack('copy headgate.flows from stdin')).rejects.toMatchObject({ code: 'E_DATABASE_STATEMENT' });
    await expect(database.db.query('/* attack */ alter system set fsync = off')).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
  });

  it('the owner sees no rows of tenants either, without a scope', async () => {
    expect((await database.ownerDb.query(countFlows)).rows).toEqual([{ n: 0 }]);
  });
});

it("the dispatcher answers with ids and names of keys, never with another tenant's content", async () => {
  const { rows } = await database.db.query<Record<string, unknown>>(
    `/* definer results */ select p.proname as name, pg_get_function_result(p.oid) as result from pg_proc p
     where p.pronamespace = 'headgate'::regnamespace and p.prosecdef order by 1`,
  );
  for (const { name, result } of rows) expect(`${name} returns ${result}`).not.toMatch(/json|document|object\b|body|source text|message/);
  expect(rows.length).toBeGreaterThan(5);
});
