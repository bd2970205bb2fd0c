import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';
import { usualScopes } from '../platform/access/api-keys.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenants = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const connection = (name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ${name} }\nspec: ${spec}\n`;
const folder = (name: string) => connection(name, '{ type: folder, root: /nowhere/TENANT }');
const http = (name: string) => connection(name, '{ type: http, baseUrl: https://ledger.example/api }');
const environment = (bindings: string, stage = 'development') =>
  `apiVersion: headgate/v1\nkind: Environment\nmetadata: { tenant: TENANT, name: here }\nspec:\n  stage: ${stage}\n  connections: ${bindings}\n`;
const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { tier: silver, masking: { account: all } }
`;
const flow = testFlow()[1]!;
const polled = flow.replace('{ id: upload, type: http }', '{ id: drop, type: folder, connection: inbox, path: in }');

async function newTenant(...documents: readonly string[]) {
  const tenant = await server.tenant(`bank-${++tenants}`);
  const key = await tenant.makeKey([...usualScopes, 'policy:write']);
  const post = async (text: string, dryRun: boolean) =>
    await server.request('/v1/flows', {
      key,
      method: 'POST',
      headers: { 'if-match': '*' },
      body: { text: text.replaceAll('TENANT', tenant.name), dryRun },
    });
  const apply = (text: string) => post(text, false);
  for (const document of documents) expect((await apply(document)).status).toBe(200);
  return { tenant, apply, plan: (text: string) => post(text, true) };
}

/** Code, message and the text at the place of each finding. */
async function refusal(world: Awaited<ReturnType<typeof newTenant>>, text: string): Promise<string[]> {
  const { status, json } = await world.apply(text);
  expect([status, json.code]).toEqual([422, 'E_FLOW_INVALID']);
  return json.errors.map(({ code, message, line, column }: { code: string; message: string; line: number; column: number }) => {
    const at = text
      .replaceAll('TENANT', world.tenant.name)
      .split('\n')
      [line - 1]!.slice(column - 1);
    return `${code} at ${/^[\w-]+|^./.exec(at)?.[0]}: ${message}`;
  });
}

async function flowsOf(tenant: TestTenant): Promise<string[]> {
  return (await server.request('/v1/flows', { key: tenant.key })).json.items.map(({ name }: { name: string }) => name);
}

describe('a flow is refused, with line and column,', () => {
  it('when a connection is not there, and accepted when it is', async () => {
    const world = await newTenant(folder('owt'));
    expect(await refusal(world, flow)).toEqual(['E_CONFIG_REFERENCE at out: no Connection out; did you mean owt?']);
    expect(await flowsOf(world.tenant)).toEqual([]);
    await world.apply(folder('out'));
    expect((await world.apply(flow)).json.outcome).toBe('created');
  });

  it('when a connection is of another type, of a source and of a target', async () => {
    const world = await newTenant(http('out'), http('inbox'));
    expect(await refusal(world, polled)).toEqual([
      'E_CONFIG_REFERENCE at inbox: inbox is a connection of type http; folder needs folder',
      'E_CONFIG_REFERENCE at out: out is a connection of type http; file needs folder',
    ]);
  });

  it('when it masks less than the policy wants', async () => {
    const world = await newTenant(folder('out'), policy);
    expect(await refusal(world, flow)).toEqual([
      'E_POLICY at account: the policy masks fields of class account with all at least; account has last4',
    ]);
    expect((await world.apply(flow.replace('mask: last4', 'mask: all'))).json.outcome).toBe('created');
  });

  it('when it is of another tenant', async () => {
    const world = await newTenant();
    expect(await refusal(world, flow.replace('TENANT', 'another'))).toEqual([
      `E_CONFIG_REFERENCE at another: metadata.tenant must be ${world.tenant.name}`,
    ]);
  });
});

describe('files that two flows in force would take', () => {
  const at = (name: string, root: string) => connection(name, `{ type: folder, root: /nowhere/TENANT/${root} }`);
  const taking = (name: string, inbox: string, path = 'in') =>
    polled.replace('name: payments', `name: ${name}`).replace('connection: inbox, path: in', `connection: ${inbox}, path: ${path}`);
  const twice =
    'the source drop of flow one and the source drop of flow other, which are in force, would take files of one folder under the same names: one that both see would be taken twice';
  const apart = () =>
    newTenant(folder('out'), at('inbox-a', 'a'), at('inbox-b', 'b'), taking('one', 'inbox-a'), taking('other', 'inbox-b'));

  it('are refused of a flow whose connection leads where another one does, wherever its root ends', async () => {
    const world = await newTenant(folder('out'), at('inbox-a', 'a'), at('inbox-b', 'a/'), at('inbox-c', 'a/in'), taking('one', 'inbox-a'));
    const found = [
      'E_CONFIG_CONFLICT at {: the source drop of flow one takes files of this folder under the same names (*): one that both see would be taken twice',
    ];
    expect(await refusal(world, taking('other', 'inbox-b'))).toEqual(found);
    expect(await refusal(world, taking('other', 'inbox-c', '.'))).toEqual(found);
    expect((await world.apply(taking('other', 'inbox-c'))).json.outcome).toBe('created');
  });

  it('are refused of a connection that is moved to the folder of another one', async () => {
    const world = await apart();
    expect(await refusal(world, at('inbox-b', 'a'))).toEqual([`E_CONFIG_CONFLICT at /: ${twice}`]);
    expect((await world.apply(at('inbox-b', 'c'))).json.outcome).toBe('updated');
  });

  it('are refused of an environment that binds their connections to one', async () => {
    const world = await apart();
    expect(await refusal(world, environment('{ inbox-b: inbox-a }'))).toEqual([`E_CONFIG_CONFLICT at {: ${twice}`]);
    expect((await world.apply(environment('{ inbox-b: inbox-a }', 'production'))).json.outcome).toBe('created');
    expect((await world.apply(environment('{ inbox-b: inbox-b }'))).status).toBe(200);
  });
});

describe('the environment of the process', () => {
  it('gives a flow the connection that it binds the name to', async () => {
    const world = await newTenant(folder('dev-out'), environment('{ out: dev-out }'));
    expect((await world.apply(flow)).json.outcome).toBe('created');
  });

  it('and no other one decides of what type it is', async () => {
    const world = await newTenant(folder('out'), http('dev-out'), environment('{ out: dev-out }', 'production'));
    expect((await world.apply(flow)).json.outcome).toBe('created');
    const other = await newTenant(folder('out'), http('dev-out'), environment('{ out: dev-out }'));
    expect(await refusal(other, flow)).toEqual(['E_CONFIG_REFERENCE at out: out is a connection of type http; file needs folder']);
  });

  it('must bind names to connections that are there', async () => {
    const world = await newTenant(folder('dev-out'));
    expect(await refusal(world, environment('{ out: dev-owt }'))).toEqual([
      'E_CONFIG_REFERENCE at dev-owt: no Connection dev-owt; did you mean dev-out?',
    ]);
  });

  it('is one for each stage: a second one is refused, whatever it is called, and may be of another stage', async () => {
    const world = await newTenant(folder('out'), http('web'), environment('{}'), flow);
    for (const name of ['earlier', 'later'])
      expect(await refusal(world, environment('{ out: web }').replace('name: here', `name: ${name}`))).toContain(
        'E_CONFIG_CONFLICT at development: Environment here is that of the stage development already',
      );
    expect((await world.apply(environment('{ out: web }', 'test').replace('name: here', 'name: earlier'))).json.outcome).toBe('created');
    expect((await world.apply(environment('{ out: out }'))).json.outcome).toBe('updated');
  });

  it('of which two were applied before they were refused is the one that is used: the first by name', async () => {
    const { tenant, ...world } = await newTenant(folder('out'), http('web'), environment('{}'), flow);
    await database.adminDb.query(
      `/* plant a second one */ insert into headgate.definitions select tenant_id, kind, 'earlier', 1, hash, jsonb_set(document, '{metadata,name}', '"earlier"'), applied_at, applied_by
       from headgate.definitions where tenant_id = $1 and kind = 'Environment'`,
      [tenant.tenantId],
    );
    const taking = environment('{ out: web }').replace('name: here', 'name: earlier');
    expect((await refusal({ tenant, ...world }, taking)).at(-1)).toMatch(
      /^E_CONFIG_REFERENCE at \{: flow payments, which is in force, would not fit/,
    );
    expect((await world.apply(environment('{}', 'test').replace('name: here', 'name: earlier'))).json.outcome).toBe('updated');
  });

  it('may not take from a flow in force what it uses', async () => {
    const world = await newTenant(folder('out'), http('web'), flow);
    expect(await refusal(world, environment('{ out: web }'))).toEqual([
      'E_CONFIG_REFERENCE at {: flow payments, which is in force, would not fit any more: out is a connection of type http; file needs folder',
    ]);
  });
});

it('a connection may not change its type under a flow in force, but everything else of it', async () => {
  const world = await newTenant(folder('out'), flow);
  expect(await refusal(world, http('out'))).toEqual([
    'E_CONFIG_REFERENCE at http: flow payments, which is in force, would not fit any more: out is a connection of type http; file needs folder',
  ]);
  expect((await world.apply(connection('out', '{ type: folder, root: /elsewhere/TENANT }'))).json.outcome).toBe('updated');
});

it('warns where the flow or target that answers are of is not there, and applies them all the same', async () => {
  const world = await newTenant(folder('out'), flow);
  const reports = (of: string, version: string) =>
    flow
      .replace('name: payments', 'name: reports')
      .replace('version: 1.0.0', `version: ${version}`)
      .replace(/ {2}format:[\s\S]*/, '')
      .concat(
        `  format: { type: iso20022, message: pain.002, statuses: all }\n  routes: { default: { to: [matched] } }\n  targets: { matched: { type: answers, of: [${of}] } }\n`,
      );
  const warnings = async (of: string, version: string) => {
    const { status, json } = await world.apply(reports(of, version));
    expect(status).toBe(200);
    return json.warnings.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`);
  };
  expect(await warnings('{ flow: payment, target: out }', '1.0.0')).toEqual([
    'spec.targets.matched.of[0].flow: no flow payment: answers about it match nothing; did you mean payments?',
  ]);
  expect(await warnings('{ flow: payments, target: owt }', '1.0.1')).toEqual([
    'spec.targets.matched.of[0].target: flow payments has no target owt: answers about it match nothing; did you mean out?',
  ]);
  expect(await warnings('{ flow: payments, target: out }', '1.0.2')).toEqual([]);
});

it('a policy holds at once; the flow is refused when it is next applied', async () => {
  const world = await newTenant(folder('out'), flow, policy);
  expect((await refusal(world, flow.replace('1.0.0', '1.0.1')))[0]).toMatch(/^E_POLICY at account/);
});

it('a policy that another one replaced is in force again when it is applied again, and the plan says what that changes', async () => {
  const world = await newTenant(policy, policy.replace('name: policy', 'name: other').replace('account: all', 'account: last4'));
  const { json } = await world.plan(policy);
  expect([json.outcome, json.changes.map(({ path }: { path: string }) => path)]).toEqual([
    'update',
    expect.arrayContaining(['spec.masking.account']),
  ]);
  expect((await world.apply(policy)).json.outcome).toBe('updated');
  expect((await world.plan(policy)).json.outcome).toBe('unchanged');
});

it('a version with the same content is a change that the plan tells, and so is one of another service', async () => {
  const world = await newTenant(folder('out'), policy);
  const masked = flow.replace('mask: last4', 'mask: all');
  await world.apply(masked);
  expect((await world.plan(masked)).json).toMatchObject({ outcome: 'unchanged', changes: [] });
  const next = masked.replace('1.0.0', '1.0.1');
  const version = { change: 'changed', path: 'metadata.version', before: '1.0.0', after: '1.0.1' };
  expect((await world.plan(next)).json).toMatchObject({ outcome: 'update', changes: [version] });
  const [service] = /service: [\w-]+/.exec(next)!;
  const moved = { change: 'changed', path: 'metadata.service', before: service.slice(9), after: 'elsewhere' };
  const { json } = await world.plan(next.replace(service, 'service: elsewhere'));
  expect(json).toMatchObject({ outcome: 'update', changes: [version, moved] });
});

it('a plan warns of a connection that is not there yet, with its place, and refuses what no later document mends', async () => {
  const world = await newTenant(policy);
  const { status, json } = await world.plan(flow.replace('mask: last4', 'mask: all'));
  expect([status, json.outcome]).toEqual([200, 'create']);
  expect(json.warnings).toMatchObject([{ code: 'E_CONFIG_REFERENCE', path: 'spec.targets.out.connection', line: 22 }]);
  expect((await world.plan(flow)).json.errors).toMatchObject([{ code: 'E_POLICY' }]);
});
