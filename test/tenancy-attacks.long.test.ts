import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tx } from '../src/platform/postgres/database.ts';
import { openPool } from '../src/platform/postgres/pool.ts';
import { connectionVariable } from '../src/platform/secrets/connection-secrets.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { startHttpSink } from './support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from './support/running-server.ts';

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
  await database.adminDb.query('/* clean */ delete from headgate.flows where tenant_id = any($1)', [[ours, theirs]]);
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

describe("another tenant's secrets (E11)", () => {
  const theirVariable = connectionVariable('alpha', 'LEDGER');
  const policy =
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n';
  const service = (baseUrl: string, reference: string) =>
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: service }\nspec: { type: http, baseUrl: "${baseUrl}", auth: { type: bearer, token: "${reference}" } }\n`;
  const flow = testFlow()[1]!.replace(
    /out: \{ type: file.*\}/,
    'out: { type: http, connection: service, path: /in, retry: { max: 50, initial: 10ms, cap: 20ms } }',
  );
  let server: RunningTestServer;
  let alpha: TestTenant;
  let beta: TestTenant;
  let theirFile: string;

  beforeAll(async () => {
    server = await startTestServer(database, {}, undefined, { [theirVariable]: 'token of alpha' });
    [alpha, beta] = [await server.tenant('alpha'), await server.tenant('beta')];
    theirFile = join(server.settings.dataDir, 'secrets', 'alpha', 'ledger');
    mkdirSync(dirname(theirFile), { recursive: true, mode: 0o700 });
    writeFileSync(theirFile, 'token of alpha', { mode: 0o600 });
  });
  afterAll(() => server?.stop());

  const tokens = (sink: Awaited<ReturnType<typeof startHttpSink>>) => sink.requests.map(({ headers }) => headers.authorization);
  const references = () => [`env:${theirVariable}`, `file:${theirFile}`];
  const apply = ({ key, name }: TestTenant, text: string, dryRun: boolean) =>
    server.request('/v1/flows', {
      key,
      method: 'POST',
      headers: { 'if-match': '*' },
      body: { text: text.replaceAll('TENANT', name), dryRun },
    });

  it('are sent by their own tenant', async () => {
    const sink = await startHttpSink();
    await alpha.apply(policy, service(sink.url, references()[0]!), flow);
    for (const [round, reference] of references().entries()) {
      expect((await apply(alpha, service(sink.url, reference), false)).status).toBe(200);
      const { json } = await server.upload(alpha.key, { flow: 'payments', name: `${round}.csv`, body: testRows(1, 0, round) });
      expect(await server.settle(alpha.key, json.jobId)).toMatchObject({ state: 'completed' });
    }
    expect(tokens(sink)).toEqual(['Bearer token of alpha', 'Bearer token of alpha']);
  });

  it('are refused in a plan and when applied, whether they are there or not, and the own form is named', async () => {
    for (const reference of [...references(), ...references().map((each) => `${each}X`)])
      for (const dryRun of [true, false]) {
        const { status, json } = await apply(beta, service('https://own.example', reference), dryRun);
        expect([status, json.code]).toEqual([422, 'E_FLOW_INVALID']);
        expect(json.errors).toMatchObject([
          {
            code: 'E_SECRET_NOT_ALLOWED',
            path: 'spec.auth.token',
            message: expect.stringMatching(
              /^connections of beta may only refer to (variables named HEADGATE_SECRET_BETA__|files below secrets\/beta\/)/,
            ),
          },
        ]);
        expect(JSON.stringify(json)).not.toMatch(/alpha/i);
      }
  });

  it('in a connection that an older version stored, even under the name of that tenant, are not sent: its batches are held', async () => {
    const sink = await startHttpSink();
    await beta.apply(policy, service(sink.url, `env:${connectionVariable('beta', 'OWN')}`), flow);
    for (const [round, reference] of references().entries()) {
      await database.adminDb.query(
        `/* as before the rule */ update headgate.definitions set document = jsonb_set(jsonb_set(document, '{spec,auth,token}', to_jsonb($2::text)), '{metadata,tenant}', '"alpha"')
         where tenant_id = $1 and kind = 'Connection'`,
        [beta.tenantId, reference],
      );
      const { json } = await server.upload(beta.key, { flow: 'payments', name: `${round}.csv`, body: testRows(1, 0, round) });
      const job = await vi.waitUntil(
        async () => {
          const { json: now } = await server.request(`/v1/jobs/${json.jobId}`, { key: beta.key });
          return now.targets.out?.held > 0 ? now : null;
        },
        { timeout: 60_000, interval: 30 },
      );
      expect(job.targets.out).toMatchObject({ held: 1, delivered: 0, heldFor: ['E_SECRET_NOT_ALLOWED'] });
      expect(JSON.stringify(job)).not.toMatch(/alpha/i);
    }
    expect(sink.requests).toEqual([]);
  });
});
