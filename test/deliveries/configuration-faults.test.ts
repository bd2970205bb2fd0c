/** Settings that are at fault: batches are held, say why, and go once somebody mended them; nothing becomes a dead letter. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findJob } from '../../src/control/jobs/job-views.ts';
import { getBatch } from '../../src/pipeline/deliveries/batch-views.ts';
import { sendMendedAgain } from '../../src/pipeline/deliveries/held-again.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plan-fixtures.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createMetrics } from '../../src/platform/telemetry/metrics.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const patient = { max: 60, initialMs: 5, capMs: 10 };
const lines = Array.from({ length: 3 }, (_, index) =>
  deliveryLine({ id: `x${index + 1}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
);

async function scenarioOf(settings: Readonly<Record<string, unknown>> = {}, more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 10, retry: patient, ...more }),
  ]);
  const scenario = await createDeliveryScenario({
    database,
    plan,
    bindings: { api: bindingOf('http', { baseUrl: sink.url, ...settings }) },
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

describe('a batch whose settings are at fault', () => {
  it.each([
    ['a reference that is none', 'E_SECRET_REFERENCE', { auth: { type: 'bearer', token: 'LEDGER_TOKEN' } }],
    ['a secret that is not set', 'E_SECRET_MISSING', { auth: { type: 'bearer', token: 'env:HEADGATE_SECRET_NOWHERE' } }],
    ['an address that is not allowed', 'E_SSRF', { baseUrl: 'https://169.254.169.254/' }],
    ['settings that contradict each other', 'E_TARGET', { baseUrl: 'https://user@example.com/' }],
  ] as const)(
    'because of %s is held with %s after five tries, says why and what to do, and is no dead letter',
    async (_, code, settings) => {
      const { scenario, held, letters } = await scenarioOf(settings);
      const [job] = await scenario.deliverJobs([{ lines }]);
      const metrics = createMetrics();
      scenario.startWorker({ metrics });
      await held(code);
      expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual(Array(5).fill(['refused', code]));
      const { batchId } = (await scenario.batches())[0]!;
      const batch = await scenario.inTenant((tx) => getBatch(tx, batchId));
      expect(batch).toMatchObject({ state: 'held', awaitsDecision: true, reasonCode: code, message: expect.stringMatching(/\w+ \w+/) });
      expect(batch.next).toMatch(/^[A-Z].+\.$/);
      const view = await scenario.inTenant((tx) => findJob(tx, job!.jobId));
      expect(view!.targets['api']).toMatchObject({
        parked: 3,
        parkedFor: [code],
        parkedReasons: [{ code, message: batch.message, next: batch.next }],
      });
      await until(
        async () => (await metrics.render()).body.includes(`headgate_batches_held_total{tenant="bank",target="api",code="${code}"} 1`),
        'it was not counted',
      );
      expect(await letters()).toEqual([]);
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
    const again = () => scenario.inTenant((tx) => sendMendedAgain(tx, { queue: scenario.queue, ids: systemPorts.ids }, 'key:anna'));
    expect(await again()).toBe(1);
    await until(async () => (await scenario.attempts()).length === 6, 'it was not tried again');
    await held('E_TARGET_FORBIDDEN');
    sink.answer(() => ({ status: 200 }));
    expect(await again()).toBe(1);
    await scenario.allEnded(jobs);
    expect(await again()).toBe(0);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3, dead: 0 }]);
  });
});
