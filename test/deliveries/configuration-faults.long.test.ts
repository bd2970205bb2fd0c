/** Settings that are at fault: batches are held, say why, and go once somebody mended them; nothing becomes a dead letter. */
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { findJob } from '../../src/control/jobs/views/job-views.ts';
import { postgresConnector } from '../../src/pipeline/connectors/postgres/postgres-connector.ts';
import { getBatch } from '../../src/pipeline/deliveries/batch-views.ts';
import type { TargetBinding } from '../../src/pipeline/deliveries/delivery-definitions.ts';
import { sendAllMendedAgain } from '../../src/pipeline/deliveries/held/held-again.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { HeadgateError } from '../../src/platform/base/errors.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createConnectionSecrets } from '../../src/platform/secrets/connection-secrets.ts';
import { createMetrics } from '../../src/platform/telemetry/metrics.ts';
import { deliveryLine, deliveryPlan, type SealedJob } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, type Scenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { openSecrets } from '../support/open-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let downstream: TestDatabase;
beforeAll(async () => {
  [database, downstream] = await Promise.all([createTestDatabase(), createTestDatabase({ isEmpty: true })]);
});
afterAll(async () => {
  await Promise.all([database.drop(), downstream.drop()]);
});

const patient = { max: 60, initialMs: 5, capMs: 10 };
const lines = Array.from({ length: 3 }, (_, index) =>
  deliveryLine({ id: `x${index + 1}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
);

async function scenarioOf(
  settings: Readonly<Record<string, unknown>> = {},
  more: Partial<TargetPlan> = {},
  egress: TargetBinding['egress'] = { allowPrivate: ['127.0.0.0/8'], allowPlain: true },
) {
  const sink = await startHttpSink();
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 10, retry: patient, ...more }),
  ]);
  const scenario = await createDeliveryScenario({
    database,
    plan,
    bindings: { api: { ...bindingOf('http', { baseUrl: sink.url, ...settings }), egress } },
  });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const held = (code: string) =>
    until(
      async () => (await scenario.batches()).some(({ state, reasonCode }) => state === 'held' && reasonCode === code),
      `nothing was held for ${code}`,
    );
  const letters = () => scenario.rows('/* letters */ select 1 from headgate.dead_letters where tenant_id = $1');
  return { sink, plan, scenario, held, letters };
}

const dueNow = (scenario: Scenario) =>
  scenario.rows("/* make due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'deliver'");
/** Every batch of it is held, and nobody has its work in hand. */
const allHeld = (scenario: Scenario) =>
  until(async () => {
    const taken = await scenario.rows('/* taken */ select 1 from headgate.work_items where tenant_id = $1 and lease_until is not null');
    return taken.length === 0 && (await scenario.batches()).every(({ state }) => state === 'held');
  }, 'not every batch was held');

/** Goes on by so much: what is remembered for seconds is not forgotten while a busy machine takes its time. */
function slowed(laterMs: () => number) {
  const { clock } = systemPorts;
  const startMs = clock.monotonicMs();
  return { ...clock, monotonicMs: () => startMs + (clock.monotonicMs() - startMs) / 5 + laterMs() };
}

describe('a batch whose settings are at fault', () => {
  it.each([
    ['a reference that is none', 'E_SECRET_REFERENCE', { auth: { type: 'bearer', token: 'LEDGER_TOKEN' } }],
    ['a secret that is not set', 'E_SECRET_MISSING', { auth: { type: 'bearer', token: 'env:HEADGATE_SECRET_BANK__NOWHERE' } }],
    ['an address that is not allowed', 'E_SSRF', { baseUrl: 'https://169.254.169.254/' }],
    ['settings that contradict each other', 'E_TARGET', { baseUrl: 'https://user@example.com/' }],
    ['a secret that is not meant for connections', 'E_SECRET_NOT_ALLOWED', { auth: { type: 'bearer', token: 'env:HEADGATE_MASTER_KEY' } }],
    ["another tenant's secret", 'E_SECRET_NOT_ALLOWED', { auth: { type: 'bearer', token: 'env:HEADGATE_SECRET_OTHER__LEDGER' } }],
    [
      'a secret of no tenant, as older versions allowed',
      'E_SECRET_NOT_ALLOWED',
      { auth: { type: 'bearer', token: 'env:HEADGATE_SECRET_LEDGER' } },
    ],
    ['an address without TLS that the policy does not allow', 'E_TARGET', {}, { allowPrivate: ['127.0.0.0/8'], allowPlain: false }],
    ['an address of this network that the policy does not allow', 'E_SSRF', {}, { allowPrivate: [], allowPlain: true }],
  ] as const)(
    'because of %s is held with %s after five tries, says why and what to do, and is no dead letter',
    async (_, code, settings: Readonly<Record<string, unknown>>, egress?: TargetBinding['egress']) => {
      const { scenario, held, letters } = await scenarioOf(settings, {}, egress);
      const [job] = await scenario.deliverJobs([{ lines }]);
      const metrics = createMetrics();
      scenario.startWorker({ metrics, secrets: createConnectionSecrets({ env: {}, folders: [], mountedFolders: [] }) });
      await held(code);
      expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual(Array(5).fill(['refused', code]));
      const { batchId } = (await scenario.batches())[0]!;
      const batch = await scenario.inTenant((tx) => getBatch(tx, batchId));
      expect(batch).toMatchObject({ state: 'held', awaitsDecision: true, reasonCode: code, message: expect.stringMatching(/\w+ \w+/) });
      expect(batch.next).toMatch(/^[A-Z].+\.$/);
      const view = await scenario.inTenant((tx) => findJob(tx, job!.jobId));
      expect(view!.targets['api']).toMatchObject({
        held: 3,
        heldFor: [code],
        heldReasons: [{ code, message: batch.message, next: batch.next }],
      });
      await until(
        async () => (await metrics.render()).body.includes(`headgate_batches_held_total{tenant="bank",target="api",code="${code}"} 1`),
        'it was not counted',
      );
      expect(await letters()).toEqual([]);
      // The job stays open: it is not sent to be closed while records of it are held.
      expect(view!.state).toBe('delivering');
      expect(await scenario.rows("/* close */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'close'")).toEqual([]);
    },
  );

  it.each([401, 403])('because its service answers %i is held, and sent once a person says so', async (status) => {
    const { sink, plan, scenario, held, letters } = await scenarioOf();
    sink.answer(() => ({ status }));
    const jobs = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_FORBIDDEN');
    sink.answer(() => ({ status: 200 }));
    const { batchId } = (await scenario.batches())[0]!;
    const services = { db: database.db, store: scenario.store, queue: scenario.queue, ports: systemPorts, loadPlan: async () => plan };
    const decision = { batchId, decision: 'resend', reason: 'the token is new', actor: 'anna' } as const;
    // Every attempt was refused before anything was taken: nobody can know of a delivery.
    expect((await scenario.inTenant((tx) => getBatch(tx, batchId))).mayHaveArrived).toBe(false);
    await expect(decideHeldBatch(services, scenario.tenantId, { ...decision, decision: 'delivered' })).rejects.toMatchObject({
      code: 'E_BATCH_STATE',
      message: expect.stringMatching(/nothing of the batch can have arrived/),
    });
    expect(await decideHeldBatch(services, scenario.tenantId, decision)).toMatchObject({ state: 'ready' });
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3, dead: 0 }]);
    expect(sink.requests.at(-1)!.headers['headgate-possible-duplicate']).toBeUndefined();
    expect(await letters()).toEqual([]);
  });

  it('is held at its last try where the flow has fewer, in single mode too, and keeps its lane waiting', async () => {
    const { sink, scenario, held, letters } = await scenarioOf(
      {},
      { order: 'file', lanes: 1, retry: { ...patient, max: 1 }, settings: { mode: 'single' } },
    );
    sink.answer(() => ({ status: 401 }));
    await scenario.deliverJobs([{ lines }]);
    await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_FORBIDDEN');
    await scenario.stopWorkers();
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['held', 'ready']);
    expect(await scenario.attempts()).toHaveLength(2);
    expect(await letters()).toEqual([]);
  });

  it('goes when a definition was applied, and is held again after one try when that did not mend it', async () => {
    const { sink, scenario, held } = await scenarioOf();
    sink.answer(() => ({ status: 401 }));
    const jobs = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_FORBIDDEN');
    const scope = { db: database.db, queue: scenario.queue, ports: systemPorts };
    const again = () => sendAllMendedAgain(scope, scenario.tenantId, { actor: 'key:anna', evidence: 'applied' });
    expect(await again()).toBe(1);
    await until(async () => (await scenario.attempts()).length === 6, 'it was not tried again');
    await held('E_TARGET_FORBIDDEN');
    sink.answer(() => ({ status: 200 }));
    expect(await again()).toBe(1);
    await scenario.allEnded(jobs);
    expect(await again()).toBe(0);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3, dead: 0 }]);
  });

  it('because its connection is not there any more is held, and says which', async () => {
    const { scenario, held, letters } = await scenarioOf();
    await scenario.deliverJobs([{ lines }]);
    const loadBinding = async () => {
      throw new HeadgateError('E_DEFINITION_UNKNOWN', 'there is no Connection api');
    };
    scenario.startWorker({ definitions: { loadFlow: async () => ({ flowName: 'eft', plan: scenario.plan }), loadBinding } });
    await held('E_TARGET');
    const { batchId } = (await scenario.batches())[0]!;
    const batch = await scenario.inTenant((tx) => getBatch(tx, batchId));
    expect(batch.message).toBe('there is no Connection api');
    expect(await letters()).toEqual([]);
  });

  it('because its service answers with a redirection is held', async () => {
    const { sink, scenario, held, letters } = await scenarioOf();
    sink.answer(() => ({ status: 301, headers: { location: 'https://elsewhere.example/' } }));
    await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_REDIRECT');
    expect(await letters()).toEqual([]);
  });

  it('is tried again by itself, one for all of its target, also by another process; and all go once one was taken', async () => {
    const { sink, scenario, letters } = await scenarioOf();
    sink.answer(() => ({ status: 401 }));
    const jobs: SealedJob[] = [];
    for (let file = 0; file < 4; file++) jobs.push(...(await scenario.deliverJobs([{ lines }])));
    scenario.startWorker();
    await allHeld(scenario);
    await scenario.stopWorkers();
    const before = sink.requests.length;
    scenario.startWorker();
    for (const round of [1, 2]) {
      await dueNow(scenario);
      await until(() => sink.requests.length === before + round, 'none was tried again');
      await allHeld(scenario);
    }
    expect(await laterThan(scenario, 10)).toBe(4);
    expect(sink.requests).toHaveLength(before + 2);
    sink.answer(() => ({ status: 200 }));
    await dueNow(scenario);
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 12, delivered: 12, dead: 0 }]);
    expect(await letters()).toEqual([]);
  });

  it('because its login is refused is not followed by all that are ready: they take turns, are held without a try when it lasts, and go on', async () => {
    const { sink, scenario, letters } = await scenarioOf({}, { batchRecords: 1, concurrency: 4 });
    sink.answer(() => ({ status: 401 }));
    const many = Array.from({ length: 100 }, (_, at) =>
      deliveryLine({ id: `m${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
    );
    const jobs = await scenario.deliverJobs([{ lines: many }]);
    let laterMs = 0;
    scenario.startWorker({ ports: { ...systemPorts, clock: slowed(() => laterMs) } });
    // Each was looked at, and nobody has one in hand.
    const isSeen = async () =>
      (
        await scenario.rows<{ isSeen: boolean }>(
          '/* seen */ select bool_and(attempts > 0 and lease_until is null) as "isSeen" from headgate.work_items where tenant_id = $1 and kind = \'deliver\'',
        )
      )[0]!.isSeen;
    await until(isSeen, 'not all were looked at');
    expect(sink.requests.length).toBeLessThan(50);
    laterMs = 11_000;
    await allHeld(scenario);
    expect(sink.requests.length).toBeLessThan(70);
    const tried = new Set((await scenario.attempts()).map(({ batchId }) => batchId)).size;
    expect(tried).toBeLessThan(30);
    sink.answer(() => ({ status: 200 }));
    await dueNow(scenario);
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 100, delivered: 100, dead: 0 }]);
    expect(await letters()).toEqual([]);
  });

  it('because its login is refused goes on with all others, though the first of them was held without a try', async () => {
    const { sink, scenario, letters } = await scenarioOf({}, { batchRecords: 1, concurrency: 4 });
    sink.answer(() => ({ status: 401 }));
    const some = Array.from({ length: 12 }, (_, at) =>
      deliveryLine({ id: `f${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
    );
    const jobs = await scenario.deliverJobs([{ lines: some }]);
    const [first] = await scenario.rows<{ batchId: string }>(
      '/* first batch */ select batch_id as "batchId" from headgate.batches where tenant_id = $1 order by order_number, order_offset, batch_id limit 1',
    );
    const dueIn = (hours: number) =>
      scenario.rows(
        "/* due in */ update headgate.work_items set due_at = headgate.clock() + $3 * interval '1 hour' where tenant_id = $1 and reference_id = $2",
        [first!.batchId, hours],
      );
    await dueIn(1);
    let laterMs = 0;
    scenario.startWorker({
      ports: { ...systemPorts, clock: slowed(() => laterMs) },
    });
    await until(() => sink.requests.length >= 5, 'it was not refused');
    laterMs = 11_000;
    const othersHeld = async () => (await scenario.batches()).filter(({ state }) => state === 'held').length === some.length - 1;
    await until(othersHeld, 'not all others were held');
    await dueIn(0);
    await allHeld(scenario);
    expect((await scenario.attempts()).map(({ batchId }) => batchId)).not.toContain(first!.batchId);
    sink.answer(() => ({ status: 200 }));
    await dueNow(scenario);
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 12, delivered: 12, dead: 0 }]);
    expect(await letters()).toEqual([]);
  });

  it('for a fault of its own keeps no other from being tried again', async () => {
    const { sink, scenario } = await scenarioOf({}, { batchRecords: 100 });
    // The first batch is one that its target never takes, as under a version with a wrong name; the second meets a fault that is mended.
    const isFirst = (body: string) => body.includes('"x1"');
    let isMended = false;
    sink.answer(({ body }) => ({ status: isFirst(body) ? 301 : isMended ? 200 : 403 }));
    await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await allHeld(scenario);
    const others = ['y1', 'y2'].map((id) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }));
    const [second] = await scenario.deliverJobs([{ lines: others }]);
    await until(async () => (await scenario.batches()).filter(({ state }) => state === 'held').length === 2, 'the second was not held');
    await allHeld(scenario);
    isMended = true;
    await dueNow(scenario);
    await scenario.allEnded([second!]);
    expect(await scenario.counts()).toMatchObject([{ routed: 5, delivered: 2, dead: 0 }]);
  });

  it('is found out by the first of its target: a later one is held after one try, so that no account is locked', async () => {
    const { sink, scenario, held } = await scenarioOf();
    sink.answer(() => ({ status: 401 }));
    await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_FORBIDDEN');
    expect(sink.requests).toHaveLength(5);
    for (let file = 0; file < 3; file++) await scenario.deliverJobs([{ lines }]);
    await until(async () => (await scenario.batches()).length === 4, 'they were not cut');
    await allHeld(scenario);
    expect(sink.requests).toHaveLength(8);
  });

  it('has all its tries again when it goes on and its target is away then', async () => {
    const { sink, scenario, held, letters } = await scenarioOf({}, { retry: { ...patient, max: 3 } });
    sink.answer(() => ({ status: 403 }));
    const jobs = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await held('E_TARGET_FORBIDDEN');
    const failures = sink.requests.length;
    sink.answer((_, number) => ({ status: number <= failures + 3 ? 503 : 200 }));
    await dueNow(scenario);
    await scenario.allEnded(jobs);
    expect(sink.requests).toHaveLength(failures + 4);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3, dead: 0 }]);
    expect(await letters()).toEqual([]);
  });
});

/** Batches whose work is not due before so many seconds. */
async function laterThan(scenario: Scenario, seconds: number): Promise<number> {
  const sql = `/* later */ select count(*)::int as count from headgate.work_items
    where tenant_id = $1 and kind = 'deliver' and due_at > headgate.clock() + $2 * interval '1 second'`;
  return (await scenario.rows<{ count: number }>(sql, [seconds]))[0]!.count;
}

it('the last attempts of a batch that was rechecked for weeks are the ones that are shown', async () => {
  const { sink, scenario, held } = await scenarioOf();
  sink.answer(() => ({ status: 401 }));
  await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await held('E_TARGET_FORBIDDEN');
  await scenario.stopWorkers();
  const { batchId } = (await scenario.batches())[0]!;
  await scenario.rows(
    `/* plant attempts */ insert into headgate.attempts (tenant_id, attempt_id, batch_id, attempt_number, fence, possible_duplicate, started_at, ended_at, outcome)
     select $1, ('01a00000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $2, n, 1, false, headgate.clock(), headgate.clock(), 'refused' from generate_series(6, 1100) n`,
    [batchId],
  );
  const { attemptHistory } = await scenario.inTenant((tx) => getBatch(tx, batchId));
  expect([attemptHistory.length, attemptHistory[0]!.number, attemptHistory.at(-1)!.number]).toEqual([1000, 101, 1100]);
});

describe('a database as target', () => {
  const admin = new URL(inject('testPostgres').adminUrl);
  const connection = {
    host: '127.0.0.1',
    port: Number(admin.port),
    user: decodeURIComponent(admin.username),
    password: 'env:P',
    tls: 'disable',
  };

  it.each([
    ['refuses the login', 'E_TARGET_FORBIDDEN', { user: 'headgate_app', password: 'env:WRONG' }, 'SQLSTATE 28P01'],
    ['knows no such user', 'E_TARGET_FORBIDDEN', { user: 'nobody_of_this_name' }, 'SQLSTATE 28'],
    ['has no such database', 'E_TARGET_SETUP', { database: 'nowhere' }, 'SQLSTATE 3D000'],
    ['has no such table', 'E_TARGET_SETUP', {}, 'table of the target'],
  ] as const)('that %s holds its batches with %s', async (_, code, settings, says) => {
    const retry = { ...patient, max: 1 };
    const target = { type: 'postgres', connection: 'db', batchRecords: 10, retry, settings: { table: 'nowhere.payment' } } as const;
    const plan = deliveryPlan([targetPlan('db', { format: 'ndjson' }, target)]);
    const bindings = { db: bindingOf('postgres', { ...connection, database: downstream.name, ...settings }) };
    const scenario = await createDeliveryScenario({ database, plan, connectors: [postgresConnector], bindings });
    onTestFinished(async () => void (await scenario.stopWorkers()));
    await scenario.deliverJobs([{ lines }]);
    const env = { P: decodeURIComponent(admin.password), WRONG: 'swordfish' };
    scenario.startWorker({ secrets: openSecrets(env) });
    await allHeld(scenario);
    const { batchId } = (await scenario.batches())[0]!;
    const batch = await scenario.inTenant((tx) => getBatch(tx, batchId));
    expect(batch).toMatchObject({ state: 'held', reasonCode: code, message: expect.stringContaining(says) });
    expect(await scenario.rows('/* letters */ select 1 from headgate.dead_letters where tenant_id = $1')).toEqual([]);
  });
});
