import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { fileConnector } from '../../src/pipeline/connectors/file/file-connector.ts';
import { httpConnector } from '../../src/pipeline/connectors/http/http-connector.ts';
import { postgresConnector } from '../../src/pipeline/connectors/postgres/postgres-connector.ts';
import { targetDdl } from '../../src/pipeline/connectors/postgres/target-ddl.ts';
import type { Plan, TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, type ScenarioOptions, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { openSecrets } from '../support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

const eft = readFileSync(new URL('../../examples/eft.yaml', import.meta.url), 'utf8');

let database: TestDatabase;
let downstream: TestDatabase;
beforeAll(async () => {
  [database, downstream] = await Promise.all([createTestDatabase(), createTestDatabase({ isEmpty: true })]);
});
afterAll(async () => {
  await Promise.all([database.drop(), downstream.drop()]);
});

const retry = { max: 5, initialMs: 10, capMs: 40 };
const linesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    deliveryLine({ id: `${prefix}${index + 1}`, customer: `c${index % 3}`, amount: 100, currency: 'EUR', letters: 'a' }),
  );

async function scenarioOf(plan: Plan, bindings: ScenarioOptions['bindings']) {
  const scenario = await createDeliveryScenario({
    database,
    plan,
    bindings,
    connectors: [fileConnector, httpConnector, postgresConnector],
  });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return scenario;
}

function filePlan(settings: Record<string, unknown>) {
  return deliveryPlan([targetPlan('out', { format: 'ndjson' }, { connection: 'folder', batchRecords: 1_000, retry, settings })]);
}

it('small jobs share a file where the flow rolls them up, and have their own where not', async () => {
  for (const rollUp of [true, false]) {
    const folder = temporaryFolder();
    const scenario = await scenarioOf(filePlan({ rollUp }), { folder: bindingOf('folder', { root: folder }) });
    const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 2) }, { lines: linesOf('b', 3) }, { lines: linesOf('c', 1) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    const contents = readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8').trim().split('\n').length]);
    expect(contents).toEqual(
      rollUp
        ? [['eft-out-1-0000.ndjson', 6]]
        : [
            ['eft-out-1-0000.ndjson', 2],
            ['eft-out-2-0001.ndjson', 3],
            ['eft-out-3-0002.ndjson', 1],
          ],
    );
    expect(await scenario.counts()).toMatchObject([{ routed: 6, delivered: 6 }]);
  }
});

it('files are numbered without a gap over jobs and targets, and end with their totals', async () => {
  const folder = temporaryFolder();
  const csv = { format: 'csv', delimiter: 0x2c, header: false, lineEnd: '\n' } as const;
  const settings = { rollUp: false, name: 'F{sequence:4}.{extension}', trailerLines: ['T{count:3}{minorUnits.amount.EUR:6}'] };
  const plan = deliveryPlan([targetPlan('out', csv, { connection: 'folder', batchRecords: 1_000, batchBytes: 1_000, retry, settings })]);
  const scenario = await scenarioOf(plan, { folder: bindingOf('folder', { root: folder }) });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 2) }, { lines: linesOf('b', 3) }]);
  const later = await scenario.deliverJobs([{ lines: linesOf('c', 1) }]);
  scenario.startWorker();
  await scenario.allEnded([...jobs, ...later]);
  const files = readdirSync(folder).sort();
  expect(files).toEqual(['F0001.csv', 'F0002.csv', 'F0003.csv']);
  const last = files.map((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n').at(-1));
  expect(last).toEqual(['T002000200', 'T003000300', 'T001000100']);
});

it('a cut whose transaction fails takes no number', async () => {
  const folder = temporaryFolder();
  const scenario = await scenarioOf(filePlan({ name: '{sequence}' }), { folder: bindingOf('folder', { root: folder }) });
  const jobs = await scenario.plantJobs([{ lines: linesOf('a', 1) }], 'delivering');
  const fail = () => {
    throw new Error('the process ends here');
  };
  await expect(scenario.cut(jobs, undefined, fail)).rejects.toThrowError('the process ends here');
  await scenario.cut(jobs);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(readdirSync(folder)).toEqual(['1']);
});

it('a file ends before the record with which it would hold more than its amount', async () => {
  const folder = temporaryFolder();
  const plan = deliveryPlan([
    targetPlan(
      'out',
      { format: 'ndjson' },
      { connection: 'folder', batchRecords: 1_000, batchAmount: { field: 'amount', max: '250' }, retry, settings: { rollUp: false } },
    ),
  ]);
  const scenario = await scenarioOf(plan, { folder: bindingOf('folder', { root: folder }) });
  const rows = [100, 100, -100, 900, 250, 1].map((amount, index) =>
    deliveryLine({ id: `r${index + 1}`, customer: 'c', amount, currency: 'EUR', letters: 'a' }),
  );
  const other = deliveryLine({ id: 'r7', customer: 'c', amount: 249, currency: 'ZAR', letters: 'a' });
  const jobs = await scenario.deliverJobs([{ lines: [...rows, other] }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  const ids = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').match(/r\d/g));
  expect(ids).toEqual([['r1', 'r2'], ['r3'], ['r4'], ['r5'], ['r6', 'r7']]);
  expect(await scenario.counts()).toMatchObject([{ routed: 7, delivered: 7 }]);
});

it('a job is one file where the order of keys is kept, with its records in the order of the input', async () => {
  const folder = temporaryFolder();
  const lanes = loadFlow(eft.replace('  targetDefaults:\n', '  targetDefaults:\n    order: by-key\n')).plan!.targets.find(
    ({ type }) => type === 'file',
  )!.lanes;
  const ordered = { connection: 'folder', batchRecords: 1_000, order: 'by-key', lanes, settings: { rollUp: false } } as const;
  const scenario = await scenarioOf(deliveryPlan([targetPlan('out', { format: 'ndjson' }, ordered)]), {
    folder: bindingOf('folder', { root: folder }),
  });
  const lines = Array.from({ length: 200 }, (_, index) =>
    deliveryLine({ id: `r${index + 1}`, customer: `c${index % 90}`, amount: 100, currency: 'EUR', letters: 'a' }),
  );
  const jobs = await scenario.deliverJobs([{ lines }, { lines: linesOf('b', 2) }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  const files = readdirSync(folder).sort();
  expect(files).toEqual(['eft-out-1-0000.ndjson', 'eft-out-2-0001.ndjson']);
  const written = readFileSync(join(folder, files[0]!), 'utf8').trim().split('\n');
  expect(written.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(lines.map((line) => line.split(',')[0]));
});

it('a job is sent to be closed by the last of its targets, and only then', async () => {
  const folder = temporaryFolder();
  const late = join(temporaryFolder(), 'late');
  const target = (id: string, connection: string) => targetPlan(id, { format: 'ndjson' }, { connection, retry: { ...retry, max: 1_000 } });
  const scenario = await scenarioOf(deliveryPlan([target('one', 'folder'), target('two', 'late')]), {
    folder: bindingOf('folder', { root: folder }),
    late: bindingOf('folder', { root: late }),
  });
  const line = deliveryLine({ id: 'r1', customer: 'c1', amount: 100, currency: 'EUR', letters: 'ab' });
  const jobs = await scenario.deliverJobs([{ lines: [line] }]);
  scenario.startWorker();
  await until(async () => (await scenario.attempts()).length > 3, 'the second target was not tried again');
  expect(await scenario.rows("/* close */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'close'")).toEqual([]);
  expect(await scenario.counts()).toMatchObject([{ delivered: 1 }, { delivered: 0 }]);
  mkdirSync(late);
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ delivered: 1 }, { delivered: 1 }]);
});

it('a job with nothing to deliver is sent to be closed at once', async () => {
  const scenario = await scenarioOf(filePlan({}), {});
  const jobs = await scenario.deliverJobs([{ lines: ['r1,c1,1.00,EUR,-\n'] }, { lines: [] }]);
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 0, delivered: 0 }]);
});

it.each([
  ['in the clear', {}, 'eft-out-1-0000.ndjson'],
  ['encrypted', { encrypt: true }, 'eft-out-1-0000.ndjson.pgp'],
])('a file that is there already when its attempt is unknown is found, and not written again (%s)', async (_how, settings, name) => {
  const folder = temporaryFolder();
  const key = join(temporaryFolder(), 'key');
  const { publicKey } = await generateKey({ userIDs: [{ name: 'clearing' }] });
  writeFileSync(key, publicKey, { mode: 0o600 });
  const binding = bindingOf('folder', { root: folder, pgpRecipients: [`file:${key}`] });
  const scenario = await scenarioOf(filePlan(settings), { folder: binding });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 4) }]);
  // The process dies between the file's name and its own commit.
  const dead = scenario.startWorker({
    crashPoints: {
      reach(name) {
        if (name === 'deliveries.after-outcome') throw new Error('the process ended');
      },
    },
  });
  await until(() => readdirSync(folder).length === 1, 'no file was written');
  await dead.stop();
  await scenario.rows(
    "/* due */ update headgate.work_items set due_at = headgate.clock(), lease_until = null where tenant_id = $1 and kind = 'deliver'",
  );
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(readdirSync(folder)).toEqual([name]);
  expect(await scenario.attempts()).toMatchObject([
    { outcome: 'unknown', resolvedAs: 'acked', evidence: expect.stringMatching(/same SHA-256/) },
  ]);
  expect(await scenario.counts()).toMatchObject([{ routed: 4, delivered: 4 }]);
});

it('a folder that is not there stops nobody for good: the batch goes out once it is mended', async () => {
  const root = join(temporaryFolder(), 'late');
  const scenario = await scenarioOf(filePlan({}), { folder: bindingOf('folder', { root }) });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 1) }]);
  scenario.startWorker();
  await until(async () => (await scenario.attempts()).some(({ reasonCode }) => reasonCode === 'E_TARGET_SETUP'), 'nothing was refused');
  mkdirSync(root);
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ delivered: 1 }]);
});

it('a name that is taken makes dead letters, and the other file stays', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'fixed.ndjson'), 'theirs');
  const scenario = await scenarioOf(filePlan({ name: 'fixed.ndjson' }), { folder: bindingOf('folder', { root: folder }) });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 2) }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(readFileSync(join(folder, 'fixed.ndjson'), 'utf8')).toBe('theirs');
  expect(await scenario.counts()).toMatchObject([{ refused: 2 }]);
});

const ledgerTarget = (more: Partial<TargetPlan> = {}) =>
  targetPlan(
    'ledger',
    { format: 'ndjson' },
    { type: 'postgres', connection: 'ledger', batchRecords: 5, retry, settings: { table: 'ledger.credit' }, ...more },
  );
const idsAt = (lines: readonly string[]) => lines.map((line) => line.split(',')[0]!);

/** A table of its own for `ledgerTarget`, with effects, reached through a proxy. */
async function openLedger() {
  await downstream.adminDb.query('/* anew */ drop schema if exists ledger cascade');
  const plan = deliveryPlan([ledgerTarget()]);
  for (const statement of targetDdl(plan, plan.targets[0]!)
    .split(';\n')
    .filter((text) => text.trim() !== ''))
    await downstream.adminDb.query(`/* ddl */ ${statement}`);
  const server = new URL(inject('testPostgres').adminUrl);
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(server.port) });
  onTestFinished(() => proxy.close());
  return {
    proxy,
    binding: bindingOf('postgres', {
      host: '127.0.0.1',
      port: proxy.port,
      database: downstream.name,
      user: decodeURIComponent(server.username),
      password: 'env:P',
      tls: 'disable',
    }),
    secrets: openSecrets({ P: decodeURIComponent(server.password) }),
    async ids(): Promise<string[]> {
      const { rows } = await downstream.adminDb.query<{ id: string }>('/* rows */ select id from ledger.credit');
      return rows.map(({ id }) => id).sort();
    },
  };
}

it('a COMMIT without an answer at a database with effects is asked for, and no row is there twice', async () => {
  const ledger = await openLedger();
  const scenario = await scenarioOf(deliveryPlan([ledgerTarget()]), { ledger: ledger.binding });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 12) }]);
  ledger.proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
  scenario.startWorker({ secrets: ledger.secrets });
  await scenario.allEnded(jobs);
  expect(await ledger.ids()).toEqual(idsAt(linesOf('a', 12)).sort());
  const unknown = (await scenario.attempts()).filter(({ outcome }) => outcome === 'unknown');
  expect(unknown).toMatchObject([{ resolvedAs: 'acked', evidence: 'the effects table holds all 5 delivery keys' }]);
  expect(await scenario.counts()).toMatchObject([{ routed: 12, delivered: 12 }]);
});

it('targets that are up and down in turn, a second each, have everything in the end: in order where asked, nothing twice without a label', async () => {
  const ledger = await openLedger();
  const sink = await startHttpSink();
  const proxies = [ledger.proxy, await startTcpProxy({ host: '127.0.0.1', port: sink.port })] as const;
  onTestFinished(() => proxies[1].close());
  const more = {
    retry: { max: 60, initialMs: 100, capMs: 2_000 },
    breaker: { windowMs: 30_000, failureRatio: 0.5, minCalls: 6, probeEveryMs: 500, probes: 2 },
    timeoutMs: 60_000,
  };
  const keyed = {
    ...more,
    type: 'http',
    connection: 'api',
    batchRecords: 2,
    order: 'by-key',
    lanes: 64,
    settings: { path: '/keyed' },
  } as const;
  const plan = deliveryPlan([
    targetPlan('keyed', { format: 'ndjson' }, keyed),
    targetPlan('loose', { format: 'ndjson' }, { ...keyed, batchRecords: 5, order: 'none', settings: { path: '/loose' } }),
    ledgerTarget(more),
  ]);
  const bindings = { ledger: ledger.binding, api: bindingOf('http', { baseUrl: `http://127.0.0.1:${proxies[1].port}` }) };
  const scenario = await scenarioOf(plan, bindings);
  const lines = linesOf('a', 40).map((line) => line.replace(',a\n', ',abc\n'));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker({ secrets: ledger.secrets, leaseMs: 3_600_000 });

  // Seconds of the database, which no breaker or retry can tell from others.
  const passSeconds = (seconds: number) =>
    database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
  let isEnded = false;
  const ended = scenario.allEnded(jobs, 25_000).finally(() => (isEnded = true));
  const countTaken = async () => (await scenario.batches()).filter(({ state }) => state === 'acked').length;
  let turns = 0;
  for (; !isEnded; turns++) {
    await Promise.all(proxies.map((proxy) => proxy.goDown()));
    await passSeconds(1);
    const before = await countTaken();
    await Promise.all(proxies.map((proxy) => proxy.comeUp()));
    await passSeconds(1);
    // A second is as long as a few batches take here; left alone, a target is not looked at for many.
    const isTaking = until(async () => isEnded || (await countTaken()) > before + 3, '', 300);
    await isTaking.catch(() => passSeconds(30));
  }
  await ended;
  expect(await scenario.counts()).toMatchObject(
    ['keyed', 'ledger', 'loose'].map((targetId) => ({ targetId, routed: 40, delivered: 40, dead: 0 })),
  );
  expect(turns).toBeGreaterThan(3);
  expect((await scenario.attempts()).filter(({ outcome }) => outcome !== 'acked').length).toBeGreaterThan(0);
  expect(await ledger.ids()).toEqual(idsAt(lines).sort());
  for (const path of ['/keyed', '/loose']) {
    const receptions = sink.requests
      .filter((request) => request.method === 'POST' && request.path === path)
      .flatMap(({ headers, body }) =>
        body
          .trim()
          .split('\n')
          .map((line) => ({
            ...(JSON.parse(line) as { id: string; customer: string }),
            isLabelled: 'headgate-possible-duplicate' in headers,
          })),
      );
    const byId = Map.groupBy(receptions, ({ id }) => id);
    expect([...byId.keys()].sort()).toEqual(idsAt(lines).sort());
    for (const copies of byId.values()) expect(copies.slice(1).every(({ isLabelled }) => isLabelled)).toBe(true);
    if (path === '/loose') continue;
    for (const own of Map.groupBy(
      byId.values().map(([first]) => first!),
      ({ customer }) => customer,
    ).values()) {
      const numbers = own.map(({ id }) => Number(id.slice(1)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  }
});

it('a connection that is missing refuses for now, and says so', async () => {
  const scenario = await scenarioOf(filePlan({}), { folder: bindingOf('http', { baseUrl: 'https://bank.example' }) });
  await scenario.deliverJobs([{ lines: linesOf('a', 1) }]);
  scenario.startWorker();
  await until(async () => (await scenario.attempts()).some(({ reasonCode }) => reasonCode === 'E_TARGET'), 'nothing was refused');
});

it('another tenant is served while one tenant cannot be', async () => {
  const broken = await scenarioOf(filePlan({}), {});
  await broken.deliverJobs([{ lines: linesOf('a', 1) }]);
  const folder = temporaryFolder();
  const sound = await scenarioOf(filePlan({}), { folder: bindingOf('folder', { root: folder }) });
  const jobs = await sound.deliverJobs([{ lines: linesOf('b', 1) }]);
  // One worker for both, which can't even read the first one's connection.
  sound.startWorker({
    definitions: {
      loadFlow: async () => ({ flowName: 'eft', plan: sound.plan }),
      loadBinding: async (tx) => {
        if (tx.tenantId === broken.tenantId) throw new Error('unreadable');
        return bindingOf('folder', { root: folder });
      },
    },
  });
  await sound.allEnded(jobs);
  expect(readdirSync(folder)).toHaveLength(1);
});
