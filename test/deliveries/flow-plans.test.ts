/** What is wrong with the settings of deliveries is said when documents are planned or applied, wherever their text tells. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usualScopes } from '../../src/platform/access/api-keys.ts';
import { connectionVariable } from '../../src/platform/secrets/connection-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenants = 0;
const mounted = '/nowhere/mounted';

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api', mountedSecretFolders: [mounted] });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const document = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: TENANT, name: ${name} }\nspec: ${spec}\n`;
const http = (token: string, address = 'https://ledger.example') =>
  document('Connection', 'api', `{ type: http, baseUrl: "${address}", auth: { type: bearer, token: "${token}" } }`);
const policy = document('TenantPolicy', 'policy', '{ egress: { allowPrivate: [10.0.0.0/8], allowPlain: true } }');

async function newTenant() {
  const tenant = await server.tenant(`plans-${++tenants}`);
  const key = await tenant.makeKey([...usualScopes, 'policy:write']);
  const own = (text: string) => text.replaceAll('TENANT', tenant.name);
  const post = (body: { text: string; dryRun?: boolean; alongside?: readonly string[] }) =>
    server.request('/v1/flows', {
      key,
      method: 'POST',
      headers: { 'if-match': '*' },
      body: { ...body, text: own(body.text), ...(body.alongside && { alongside: body.alongside.map(own) }) },
    });
  return {
    name: tenant.name,
    plan: (text: string, ...alongside: string[]) => post({ text, dryRun: true, alongside }),
    apply: (text: string) => post({ text }),
  };
}

it("a file with a secret lies below the tenant's folder of secrets, or the connection is refused", async () => {
  const world = await newTenant();
  const folder = join(server.settings.dataDir, 'secrets');
  for (const own of [join(folder, world.name), join(mounted, world.name)])
    expect((await world.plan(http(`file:${own}/fx`))).status).toBe(200);
  const elsewhere = [
    '/run/secrets/fx',
    join(server.settings.dataDir, 'master.key'),
    join(folder, 'fx'),
    join(folder, world.name),
    join(folder, `${world.name}x`, 'fx'),
    join(folder, 'beta', world.name, 'fx'),
    join(`${folder}x`, world.name, 'fx'),
    join(mounted, 'beta', 'fx'),
  ];
  for (const path of elsewhere)
    for (const send of [world.plan, world.apply]) {
      const { status, json } = await send(http(`file:${path}`));
      expect([path, status, json.errors]).toMatchObject([
        path,
        422,
        [
          {
            code: 'E_SECRET_NOT_ALLOWED',
            message: `connections of ${world.name} may only refer to files below secrets/${world.name}/ in the data folder, or ${world.name}/ in a mounted secret folder`,
          },
        ],
      ]);
    }
});

it('an address that the policy in force closes is warned of when it is planned and when it is applied', async () => {
  const world = await newTenant();
  const closed = http(`env:${connectionVariable(world.name, 'A')}`, 'http://10.1.2.3/');
  const codes = async (answer: ReturnType<typeof world.apply>) => (await answer).json.warnings.map(({ code }: { code: string }) => code);
  expect((await codes(world.plan(closed))).sort()).toEqual(['E_SSRF', 'E_TARGET']);
  expect(await codes(world.plan(closed, policy))).toEqual([]);
  expect((await codes(world.apply(closed))).sort()).toEqual(['E_SSRF', 'E_TARGET']);
  await world.apply(policy);
  expect(await codes(world.apply(closed))).toEqual([]);
});

it('a flow is planned as if the connections that are planned with it were in force', async () => {
  const world = await newTenant();
  const [, flow] = testFlow();
  const out = document('Connection', 'out', '{ type: folder, root: /nowhere/TENANT }');
  expect((await world.plan(flow!)).json.warnings).toMatchObject([{ code: 'E_CONFIG_REFERENCE' }]);
  expect((await world.plan(flow!, out, policy)).json).toMatchObject({ outcome: 'create', warnings: [] });
  const wrong = out.replace('{ type: folder, root: /nowhere/TENANT }', '{ type: http, baseUrl: https://b.example }');
  expect((await world.plan(flow!, wrong)).json.warnings).toMatchObject([{ message: expect.stringContaining('file needs folder') }]);
  const mistaken = out.replace('root:', 'rot: 1, root:');
  expect((await world.plan(flow!, mistaken)).json.warnings).toEqual([]);
  const elsewhere = document('Environment', 'here', '{ stage: development, connections: { out: gone } }');
  expect((await world.plan(flow!, out, elsewhere)).json.warnings).toMatchObject([{ code: 'E_CONFIG_REFERENCE' }]);
  expect((await world.plan(flow!, out.replace('tenant: TENANT', 'tenant: another'))).json.warnings).toMatchObject([
    { code: 'E_CONFIG_REFERENCE' },
  ]);
});

it('what is wrong with a document itself and with what it says of this tenant is told together', async () => {
  const world = await newTenant();
  const mistakes = async (text: string) => {
    const answers = [await world.plan(text), await world.apply(text)];
    expect(answers.map(({ status, json }) => [status, json.code])).toEqual(Array(2).fill([422, 'E_FLOW_INVALID']));
    const [planned, applied] = answers.map(({ json }) =>
      json.errors.map(({ code, path }: { code: string; path: string }) => `${code} ${path}`),
    );
    expect(planned).toEqual(applied);
    return applied;
  };
  const flow = testFlow()[1]!.replace('required: true', 'requird: true');
  expect(await mistakes(flow)).toEqual([
    expect.stringMatching(/^E_CONFIG_KEY spec\.schema\..*requird/),
    'E_CONFIG_REFERENCE spec.targets.out.connection',
  ]);
  expect(await mistakes(flow.replace('tenant: TENANT', 'tenant: another'))).toEqual([
    'E_CONFIG_REFERENCE metadata.tenant',
    expect.stringMatching(/^E_CONFIG_KEY spec\.schema\./),
  ]);
  expect(await mistakes(http('file:/run/secrets/fx').replace('baseUrl:', 'base: 1, baseUrl:'))).toEqual([
    'E_CONFIG_KEY spec.base',
    'E_SECRET_NOT_ALLOWED spec.auth.token',
  ]);
});
