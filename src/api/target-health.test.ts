import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { openFence } from '../../test/support/open-fence.ts';
import { openSecrets } from '../../test/support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';
import { loadFlowVersion } from '../control/flows/applying/flow-store-versions.ts';
import { createHealthProbes } from '../insight/health/health-probes.ts';
import { listSubjects } from '../insight/health/health-subjects.ts';
import { loadConnectors } from '../main/catalogue.ts';
import { loopbackEgress } from '../pipeline/connectors/connector-contract.fixture.ts';
import { systemResolveHost } from '../pipeline/connectors/resolve-host.ts';
import { findNewest, listProbes, probesKept, recordProbe } from '../pipeline/deliveries/probes/probe-store.ts';
import type { Ports } from '../platform/base/ports.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let other: TestTenant;
const env: Record<string, string> = {};

const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, {}, undefined, env);
  tenant = await server.tenant('alpha');
  other = await server.tenant('beta');
  await tenant.apply(policy);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

let flows = 0;

/** A flow that polls a folder and delivers to a service. */
async function httpFlow(baseUrl: string, auth = 'none'): Promise<{ flow: string; root: string }> {
  const flow = `flow-${++flows}`;
  const root = join(server.out, flow);
  mkdirSync(root);
  const connection = (name: string, spec: string) =>
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ${name} }\nspec: ${spec}\n`;
  const [, definition] = testFlow({ name: flow });
  await tenant.apply(
    connection(`${flow}-in`, `{ type: folder, root: ${JSON.stringify(root)} }`),
    connection(`${flow}-api`, `{ type: http, baseUrl: ${JSON.stringify(baseUrl)}, auth: { type: ${auth} } }`),
    definition!
      .replace('{ id: upload, type: http }', `{ id: inbox, type: folder, connection: ${flow}-in, path: ".", match: "*.csv" }`)
      .replace('{ type: file, connection: out, path: out, format: ndjson }', `{ type: http, connection: ${flow}-api, path: /v1 }`),
  );
  return { flow, root };
}

const probe = async (body: Record<string, unknown>, key = tenant.key) =>
  (await server.request('/v1/health/probe', { key, method: 'POST', body })).json.items;
const listed = async (flow: string, key = tenant.key) => (await server.request(`/v1/health?flow=${flow}`, { key })).json.items;

it('a flow, source or target that is not there is named as what is not there', async () => {
  const get = async (which: string) => (await server.request(`/v1/health?${which}`, { key: tenant.key })).json;
  const { flow } = await httpFlow('http://127.0.0.1:1');
  expect(await get(`flow=${flow}x`)).toMatchObject({ code: 'E_FLOW_UNKNOWN', detail: expect.stringContaining(`did you mean ${flow}?`) });
  expect(await get(`flow=${flow}&kind=target&id=nowhere`)).toMatchObject({
    code: 'E_NOT_FOUND',
    detail: 'the flow has no source or target that is so called',
  });
});

it('sources and targets are listed unprobed at first, then with what was found, and how long it took', async () => {
  const sink = await startHttpSink();
  const { flow, root } = await httpFlow(sink.url);
  const before = await listed(flow);
  expect(before).toMatchObject([
    { flow, kind: 'source', id: 'inbox', type: 'folder', connection: `${flow}-in`, state: 'unprobed', probedAt: null },
    { flow, kind: 'target', id: 'out', type: 'http', connection: `${flow}-api`, state: 'unprobed', durationMs: null },
  ]);
  writeFileSync(join(root, 'left-alone.csv'), 'no header that anybody reads');
  const found = await probe({ flow });
  expect(found).toMatchObject([
    { kind: 'source', state: 'healthy', code: null },
    { kind: 'target', state: 'healthy', durationMs: expect.any(Number), probedAt: expect.any(String) },
  ]);
  expect(sink.lines()).toEqual([]);
  expect(await listed(flow)).toEqual(found);
  rmSync(root, { recursive: true });
  await sink.close();
  expect(await probe({ flow })).toMatchObject([
    { kind: 'source', state: 'unhealthy', code: 'E_SOURCE', next: expect.stringContaining('folder') },
    { kind: 'target', state: 'unhealthy', code: 'E_TARGET_UNREACHABLE', next: expect.stringContaining('network') },
  ]);
  const { json } = await server.request(`/v1/health/probes?flow=${flow}&kind=target&id=out`, { key: tenant.key });
  expect(json.items).toMatchObject([{ code: 'E_TARGET_UNREACHABLE' }, { code: null }]);
});

it('a probe logs in with the secret of the moment', async () => {
  let wanted = 'first';
  const sink = await startHttpSink(({ headers }) => ({ status: headers.authorization === `Bearer ${wanted}` ? 200 : 401 }));
  env['HEADGATE_SECRET_ALPHA__API'] = 'first';
  const { flow } = await httpFlow(sink.url, 'bearer, token: "env:HEADGATE_SECRET_ALPHA__API"');
  const target = { flow, kind: 'target' };
  expect(await probe(target)).toMatchObject([{ state: 'healthy' }]);
  wanted = 'second';
  const [refused] = await probe(target);
  expect(refused).toMatchObject({ state: 'unhealthy', code: 'E_TARGET_FORBIDDEN' });
  expect(JSON.stringify(refused)).not.toContain('first');
  env['HEADGATE_SECRET_ALPHA__API'] = 'second';
  expect(await probe(target)).toMatchObject([{ state: 'healthy' }]);
});

it("a probe goes through the tenant's guard: where the policy closes an address, nothing is sent", async () => {
  const sink = await startHttpSink();
  const { flow } = await httpFlow(sink.url);
  await tenant.apply(policy.replace('"127.0.0.0/8"', '"10.9.0.0/16"'));
  try {
    expect(await probe({ flow, kind: 'target' })).toMatchObject([{ state: 'unhealthy', code: 'E_SSRF' }]);
  } finally {
    await tenant.apply(policy);
  }
  expect(sink.requests).toEqual([]);
});

it('another tenant sees, probes and learns nothing of it', async () => {
  const sink = await startHttpSink();
  const { flow } = await httpFlow(sink.url);
  await probe({ flow });
  const asked = sink.requests.length;
  const answersOf = async (name: string) => {
    const answers = await Promise.all([
      server.request(`/v1/health?flow=${name}`, { key: other.key }),
      server.request('/v1/health/probe', { key: other.key, method: 'POST', body: { flow: name } }),
      server.request(`/v1/health/probes?flow=${name}&kind=target&id=out`, { key: other.key }),
    ]);
    return answers.map(({ status, json }) => [status, json.code, json.detail]);
  };
  expect(await answersOf(flow)).toEqual(await answersOf('never-was'));
  expect((await answersOf(flow)).map(([status]) => status)).toEqual([404, 404, 404]);
  expect((await server.request('/v1/health', { key: other.key })).json.items).toEqual([]);
  expect(await probe({}, other.key)).toEqual([]);
  expect(sink.requests).toHaveLength(asked);
});

it('a source that others bring files to is not probed: uploads, and users of the SFTP server', async () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILsgyvlvFN4+s/4cAKX9Rbmt9J0NmtDs0htUH/jiy/lJ';
  const [out, definition] = testFlow({ name: 'brought' });
  await tenant.apply(
    out!,
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: sender }\nspec: { type: sftp-server, publicKeys: ["${key}"] }\n`,
    definition!.replace(
      '{ id: upload, type: http }',
      '{ id: upload, type: http }\n    - { id: brought, type: sftp-server, connection: sender, folder: in, match: "*.csv" }',
    ),
  );
  flows += 1;
  expect((await listed('brought')).map(({ kind, id }: { kind: string; id: string }) => [kind, id])).toEqual([['target', 'out']]);
});

it('probing needs a key that may operate; looking does not', async () => {
  const reader = await tenant.makeKey(['flows:read']);
  expect((await server.request('/v1/health', { key: reader })).status).toBe(200);
  expect((await server.request('/v1/health/probe', { key: reader, method: 'POST', body: {} })).status).toBe(403);
});

it('every flow is on some page, of the list and of a probe', async () => {
  const sink = await startHttpSink();
  for (let made = 0; made < 3; made++) await httpFlow(sink.url);
  const names = new Set<string>();
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { json } = await server.request('/v1/health/probe', { key: tenant.key, method: 'POST', body: { kind: 'target', cursor } });
    for (const item of json.items) names.add(item.flow);
    cursor = json.nextCursor ?? undefined;
    pages += 1;
  } while (cursor !== undefined);
  expect(names.size).toBe(flows);
  expect(pages).toBeGreaterThan(1);
});

it('over all processes one probe of a target runs at a time, and whoever asks meanwhile gets what it finds', async () => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const sink = await startHttpSink(async () => {
    arrived.resolve();
    await gate.promise;
    return {};
  });
  const { flow } = await httpFlow(sink.url);
  const { subjects } = await withTenant(database.db, tenant.tenantId, (tx) => listSubjects(tx, { flow, kind: 'target' }, { flows: 1 }));
  const first = processOf(sink.url, systemPorts).probe(tenant.tenantId, subjects);
  await arrived.promise;
  // It has found the turn taken when it waits. What a breaker finds meanwhile answers nobody who asked.
  let looks = 0;
  const sleep = async (ms: number) => {
    const found = { isReachable: false, code: 'E_TARGET_BUSY', message: 'busy', durationMs: 1, askedBy: 'breaker' } as const;
    if (looks++ > 0) gate.resolve();
    else
      await withTenant(database.db, tenant.tenantId, (tx) => recordProbe(tx, subjects[0]!, { probeId: systemPorts.ids.next(), ...found }));
    await systemPorts.sleep.sleep(ms);
  };
  const second = processOf(sink.url, { ...systemPorts, sleep: { sleep } }).probe(tenant.tenantId, subjects);
  const [[one], [two]] = await Promise.all([first, second]);
  expect(one!.code).toBe(null);
  expect(two!.probeId).toBe(one!.probeId);
  expect(sink.requests).toHaveLength(1);
});

function processOf(baseUrl: string, ports: Ports) {
  return createHealthProbes({
    db: database.db,
    ports,
    definitions: {
      loadFlow: loadFlowVersion,
      loadBinding: async () => ({
        tenant: 'alpha',
        connection: { name: 'api', type: 'http', settings: { baseUrl } },
        egress: loopbackEgress,
        hash: '',
      }),
    },
    plans: { bySource: async () => undefined },
    sources: {
      folders: openFence,
      sftp: { open: () => Promise.reject(new Error('none is opened')), close() {} },
      blobs: { open: () => Promise.reject(new Error('none is opened')) },
    },
    openTargets: async () => ({
      connectors: await loadConnectors(),
      folders: openFence,
      secrets: openSecrets(),
      ports: { ...systemPorts, resolveHost: systemResolveHost },
    }),
  });
}

it('the newest probes of each are kept, and no more', async () => {
  const { flow } = await httpFlow('http://127.0.0.1:1');
  await withTenant(database.db, tenant.tenantId, async (tx) => {
    const { subjects } = await listSubjects(tx, { flow }, { flows: 1 });
    const [source, target] = subjects;
    const result = { isReachable: true, code: null, message: 'x'.repeat(2_000), durationMs: 1.5, askedBy: 'request' } as const;
    await recordProbe(tx, source!, { probeId: systemPorts.ids.next(), ...result });
    let last = '';
    for (let made = 0; made < probesKept + 5; made++)
      await recordProbe(tx, target!, { probeId: (last = systemPorts.ids.next()), ...result });
    const kept = await listProbes(tx, target!, { limit: 1_000 });
    expect([kept.length, kept[0]!.probeId, kept[0]!.message.length]).toEqual([probesKept, last, 500]);
    expect((await findNewest(tx, [source!, target!])).map((each) => each?.probeId)).toEqual([expect.any(String), last]);
  });
});
