import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { ensureTenant } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlow } from '../load-flow.ts';
import { applyDefinition, findTenantPolicy, getDefinition, listDefinitions } from './definition-store.ts';
import { applyFlow, type FlowToApply, flowToApply, switchFlow } from './flow-store.ts';
import { createFlowVersions, loadFlowVersion } from './flow-store-versions.ts';
import { findFlow, getFlow, getFlowSource, listFlows, listFlowVersions } from './flow-views.ts';

const { ids } = systemPorts;
let database: TestDatabase;
let alpha: string;
let beta: string;

beforeAll(async () => {
  database = await createTestDatabase();
  alpha = await ensureTenant(database.db, ids, { name: 'alpha', cell: 'local', region: 'here' });
  beta = await ensureTenant(database.db, ids, { name: 'beta', cell: 'local', region: 'here' });
});
afterAll(() => database.drop());

const inTenant = <T>(work: (tx: TenantTx) => Promise<T>, tenantId = alpha) => withTenant(database.db, tenantId, work);

function flow(name: string, version: string, content = version, polledSources = ['in']): FlowToApply {
  const hash = `sha256:${Buffer.from(content).toString('hex').padEnd(64, '0')}`;
  return { service: 'payments', subService: null, name, version, hash, source: `# ${content}`, document: { spec: content }, polledSources };
}

const apply = (applied: FlowToApply, tenantId = alpha) => inTenant((tx) => applyFlow(tx, ids, applied, 'author'), tenantId);

async function states(name: string, tenantId = alpha) {
  return inTenant(async (tx) => {
    const { flowId } = await getFlow(tx, name);
    return Object.fromEntries((await listFlowVersions(tx, flowId)).map((version) => [version.version, version.state]));
  }, tenantId);
}

async function schedules(name: string): Promise<string[]> {
  const { rows } = await database.adminDb.query<{ source_id: string }>(
    '/* schedules */ select s.source_id from headgate.source_schedules s join headgate.flows f using (tenant_id, flow_id) where f.name = $1 order by 1',
    [name],
  );
  return rows.map((row) => row.source_id);
}

async function eventsOf(name: string): Promise<string[]> {
  const { rows } = await database.adminDb.query<{ text: string }>(
    "/* events */ select concat_ws(' ', type, from_state, to_state, detail->>'version') as text from headgate.events where detail->>'flow' = $1 order by event_id",
    [name],
  );
  return rows.map((row) => row.text);
}

it('a new version supersedes the one before, and each move leaves its event', async () => {
  expect((await apply(flow('eft', '1.0.0'))).outcome).toBe('created');
  expect((await apply(flow('eft', '1.1.0', '1.1.0', ['in', 'late']))).outcome).toBe('updated');
  expect(await states('eft')).toEqual({ '1.0.0': 'superseded', '1.1.0': 'active' });
  expect(await schedules('eft')).toEqual(['in', 'late']);
  expect(await eventsOf('eft')).toEqual([
    'flow_version.applied  active 1.0.0',
    'flow_version.superseded active superseded 1.1.0',
    'flow_version.applied  active 1.1.0',
  ]);
});

it('the same version with other content is refused, and with the same content nothing happens', async () => {
  await apply(flow('fixed', '1.0.0'));
  await expect(apply(flow('fixed', '1.0.0', 'other'))).rejects.toMatchObject({ code: 'E_VERSION_CONFLICT' });
  expect((await apply(flow('fixed', '1.0.0'))).outcome).toBe('unchanged');
  expect(await eventsOf('fixed')).toHaveLength(1);
});

it('an earlier version comes back as it was', async () => {
  const first = await apply(flow('back', '1.0.0'));
  await apply(flow('back', '2.0.0', '2.0.0', []));
  expect(await apply(flow('back', '1.0.0'))).toEqual({ ...first, outcome: 'restored' });
  expect(await states('back')).toEqual({ '1.0.0': 'active', '2.0.0': 'superseded' });
  expect(await schedules('back')).toEqual(['in']);
});

it('a disabled flow has no schedules, stays disabled under a new version, and comes back with it', async () => {
  const pause = (version: string) => apply({ ...flow('pause', version), source: realFlow });
  await pause('1.0.0');
  const turn = (isEnabled: boolean) => inTenant((tx) => switchFlow(tx, ids, { name: 'pause', isEnabled, actor: 'operator' }));
  expect(await turn(false)).toBe(true);
  expect(await turn(false)).toBe(false);
  expect(await schedules('pause')).toEqual([]);
  await pause('2.0.0');
  expect(await states('pause')).toEqual({ '1.0.0': 'disabled', '2.0.0': 'disabled' });
  expect(await schedules('pause')).toEqual([]);
  expect(await turn(true)).toBe(true);
  expect(await states('pause')).toEqual({ '1.0.0': 'disabled', '2.0.0': 'active' });
  expect(await schedules('pause')).toEqual(['in']);
  expect((await pause('1.0.0')).outcome).toBe('restored');
  expect(await states('pause')).toEqual({ '1.0.0': 'active', '2.0.0': 'superseded' });
});

it('a flow that is enabled while another version is applied has the schedules of that one', async () => {
  const version = (number: string, source: string) => ({
    ...flow('both', number, number, [source]),
    source: realFlow.replace('{ id: in, ', `{ id: ${source}, `),
  });
  const enable = (isEnabled: boolean) => inTenant((tx) => switchFlow(tx, ids, { name: 'both', isEnabled, actor: 'operator' }));
  await apply(version('1.0.0', 'in'));
  await enable(false);
  const [applied, enabling] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const applying = inTenant(async (tx) => {
    await applyFlow(tx, ids, version('2.0.0', 'late'), 'author');
    applied.resolve();
    await enabling.promise;
  });
  await applied.promise;
  const enabled = enable(true);
  await isWaitingForLock();
  enabling.resolve();
  await applying;
  expect(await enabled).toBe(true);
  expect(await schedules('both')).toEqual(['late']);
});

async function isWaitingForLock(): Promise<void> {
  const waiting = '/* waiting */ select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1';
  await vi.waitUntil(async () => (await database.adminDb.query(waiting, ['Lock'])).rowCount > 0, { timeout: 60_000 });
}

it('of many applies at once one version is in force', async () => {
  await Promise.all(Array.from({ length: 8 }, (_, index) => apply(flow('race', `1.0.${index}`))));
  expect(Object.values(await states('race')).filter((state) => state === 'active')).toHaveLength(1);
  expect(await eventsOf('race')).toHaveLength(15);
});

it('a rolled back apply leaves nothing', async () => {
  const failed = inTenant(async (tx) => {
    await applyFlow(tx, ids, flow('gone', '1.0.0'), 'author');
    throw new Error('after all');
  });
  await expect(failed).rejects.toThrow('after all');
  expect(await inTenant((tx) => findFlow(tx, 'gone'))).toBeUndefined();
});

it('tenants have flows of the same name without seeing each other', async () => {
  await apply(flow('shared', '1.0.0'));
  expect((await apply(flow('shared', '1.0.0', 'theirs'), beta)).outcome).toBe('created');
  expect((await inTenant((tx) => getFlowSource(tx, 'shared'), beta)).source).toBe('# theirs');
  expect((await inTenant((tx) => listFlows(tx, { limit: 100 }), beta)).map((each) => each.name)).toEqual(['shared']);
});

it('the text of a version in force and of a named one can be read; an unknown one is refused', async () => {
  await apply(flow('read', '1.0.0'));
  await apply(flow('read', '2.0.0'));
  expect((await inTenant((tx) => getFlowSource(tx, 'read'))).version).toBe('2.0.0');
  expect((await inTenant((tx) => getFlowSource(tx, 'read', '1.0.0'))).source).toBe('# 1.0.0');
  await expect(inTenant((tx) => getFlowSource(tx, 'read', '9.0.0'))).rejects.toMatchObject({ code: 'E_FLOW_UNKNOWN' });
  await expect(inTenant((tx) => getFlow(tx, 'unknown'))).rejects.toMatchObject({ message: 'there is no flow of this name' });
  const mistyped = { code: 'E_FLOW_UNKNOWN', message: 'there is no flow of this name; did you mean read?' };
  await expect(inTenant((tx) => getFlow(tx, 'raed'))).rejects.toMatchObject(mistyped);
});

it('flows are listed page by page', async () => {
  const all = await inTenant((tx) => listFlows(tx, { limit: 100 }));
  const paged: string[] = [];
  for (let after = ''; ; after = paged.at(-1)!) {
    const page = await inTenant((tx) => listFlows(tx, { after, limit: 2 }));
    if (page.length === 0) break;
    paged.push(...page.map((each) => each.name));
  }
  expect(paged).toEqual(all.map((each) => each.name));
});

it('a version is compiled once while the cache holds it, and never for another tenant', async () => {
  const compiled: string[] = [];
  const versions = createFlowVersions({
    entriesMax: 2,
    compile: (stored) => {
      compiled.push(stored.version);
      return { plan: stored.source };
    },
  });
  const applied: string[] = [];
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) applied.push((await apply(flow('cached', version))).flowVersionId);
  const load = (index: number, tenantId = alpha) => inTenant((tx) => versions.load(tx, applied[index]!), tenantId);
  expect(await load(0)).toMatchObject({ plan: '# 1.0.0', flowName: 'cached', version: '1.0.0' });
  await load(1);
  await load(0);
  await load(2);
  await load(0);
  expect(compiled).toEqual(['1.0.0', '2.0.0', '3.0.0']);
  await load(1);
  expect(compiled).toHaveLength(4);
  await expect(load(0, beta)).rejects.toMatchObject({ code: 'E_FLOW_UNKNOWN' });
});

const realFlow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: alpha, service: payments, name: real, version: 1.0.0 }
spec:
  sources:
    - { id: in, type: folder, connection: inbox }
    - { id: upload, type: http }
  format: { type: delimited, header: true }
  schema: { record: { fields: { id: { type: string, required: true } } } }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: outbox } }
`;

it('a version is compiled from the text that was applied, and not from a text that was changed in the database', async () => {
  const { flowVersionId } = await apply(flowToApply(loadFlow(realFlow), realFlow));
  expect(await schedules('real')).toEqual(['in']);
  const loaded = await inTenant((tx) => loadFlowVersion(tx, flowVersionId));
  expect(loaded).toMatchObject({
    flowName: 'real',
    version: '1.0.0',
    plan: { flow: { name: 'real' } },
    definition: { metadata: { tenant: 'alpha' } },
  });
  const changed = realFlow.replace('version: 1.0.0', 'version: 1.0.1');
  const second = await apply(flowToApply(loadFlow(changed), changed));
  await database.adminDb.query(
    "/* tamper */ update headgate.flow_versions set source = replace(source, 'required: true', 'required: false') where flow_version_id = $1",
    [second.flowVersionId],
  );
  await expect(inTenant((tx) => loadFlowVersion(tx, second.flowVersionId))).rejects.toMatchObject({ code: 'E_FLOW_CHANGED' });
});

it('a definition with mistakes is not applied', () => {
  const broken = realFlow.replace('to: [out]', 'to: [nowhere]');
  expect(() => flowToApply(loadFlow(broken), broken)).toThrow(expect.objectContaining({ code: 'E_FLOW_INVALID' }));
});

it('definitions are kept as revisions, and the same one again is none', async () => {
  const put = (hash: string, kind: 'Connection' | 'TenantPolicy' = 'Connection', tier?: 'gold') =>
    inTenant((tx) => applyDefinition(tx, ids, { kind, name: 'bank', hash, document: { hash }, tier }, 'author'));
  expect(await put('a')).toEqual({ revision: 1, outcome: 'created' });
  expect(await put('a')).toEqual({ revision: 1, outcome: 'unchanged' });
  expect(await put('b')).toEqual({ revision: 2, outcome: 'updated' });
  await put('p', 'TenantPolicy', 'gold');
  expect((await inTenant((tx) => getDefinition(tx, 'Connection', 'bank'))).document).toEqual({ hash: 'b' });
  expect((await inTenant((tx) => listDefinitions(tx))).map((each) => `${each.kind} ${each.revision}`)).toEqual([
    'Connection 2',
    'TenantPolicy 1',
  ]);
  expect((await inTenant(findTenantPolicy))?.hash).toBe('p');
  await expect(inTenant((tx) => getDefinition(tx, 'Connection', 'bank'), beta)).rejects.toMatchObject({ code: 'E_DEFINITION_UNKNOWN' });
  const { rows } = await database.adminDb.query('/* tier */ select tier from headgate.tenants where tenant_id = $1', [alpha]);
  expect(rows).toEqual([{ tier: 'gold' }]);
});

it('of policies the one that was applied last is in force: of two names, again, and whatever the clock said then', async () => {
  const put = (name: string, hash: string) =>
    inTenant((tx) => applyDefinition(tx, ids, { kind: 'TenantPolicy', name, hash, document: { hash }, tier: 'gold' }, 'author'), beta);
  const inForce = async () => (await inTenant(findTenantPolicy, beta))?.hash;
  await put('tight', 'a');
  await put('loose', 'b');
  expect(await inForce()).toBe('b');
  expect(await put('tight', 'a')).toEqual({ revision: 2, outcome: 'updated' });
  expect(await inForce()).toBe('a');
  expect(await put('tight', 'a')).toEqual({ revision: 2, outcome: 'unchanged' });
  await database.adminDb.query(
    "/* the clock was an hour ahead */ update headgate.definitions set applied_at = applied_at + interval '1 hour' where tenant_id = $1",
    [beta],
  );
  await put('tight', 'c');
  expect(await inForce()).toBe('c');
});

it('definitions applied at once by many make one revision each', async () => {
  await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      inTenant((tx) => applyDefinition(tx, ids, { kind: 'Environment', name: 'test', hash: `h${index}`, document: {} }, 'author')),
    ),
  );
  expect((await inTenant((tx) => getDefinition(tx, 'Environment', 'test'))).revision).toBe(6);
});
