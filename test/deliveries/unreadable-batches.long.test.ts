import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findJob } from '../../src/control/jobs/views/job-views.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createMetrics } from '../../src/platform/telemetry/metrics.ts';
import { deliveryLine, deliveryPlan, type SealedJob } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const retry = { max: 2, initialMs: 5, capMs: 10 };
const linesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    deliveryLine({ id: `${prefix}${index + 1}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );

async function scenarioOf(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const folder = temporaryFolder();
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 10, retry, ...more }),
  ]);
  const bindings = { api: bindingOf('http', { baseUrl: sink.url }), folder: bindingOf('folder', { root: folder }) };
  const scenario = await createDeliveryScenario({ database, plan, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  /** Jobs that are there before a worker is. */
  const plant = (prefix: string, count: number) => scenario.deliverJobs([{ lines: linesOf(prefix, count) }]);
  const placeOf = (job: SealedJob, kind: 'output' | 'outcome') =>
    join(scenario.storeRoot, job.segments.find((segment) => segment.kind === kind)!.object.name);
  const held = (code: string) =>
    until(
      async () => (await scenario.batches()).some(({ state, reasonCode }) => state === 'held' && reasonCode === code),
      'nothing was held',
    );
  const decide = async (decision: 'resend' | 'discard') => {
    const [batch] = (await scenario.batches()).filter(({ state }) => state === 'held');
    const services = { db: database.db, store: scenario.store, queue: scenario.queue, ports: systemPorts, loadPlan: async () => plan };
    await decideHeldBatch(services, scenario.tenantId, {
      batchId: batch!.batchId,
      decision,
      reason: 'restored from the copy',
      actor: 'anna',
    });
  };
  return { sink, folder, scenario, plant, placeOf, held, decide };
}

/** Flips one bit in the middle; gives back what mends it. */
function damage(path: string): () => void {
  const sound = readFileSync(path);
  const damaged = Buffer.from(sound);
  damaged[damaged.length >>> 1]! ^= 1;
  // Objects can't be written to, except by root.
  chmodSync(path, 0o600);
  writeFileSync(path, damaged);
  return () => writeFileSync(path, sound);
}

/** Takes the object away; gives back what brings it back. */
function lose(path: string): () => void {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
}

describe('a batch whose segment', () => {
  it.each([
    ['is damaged', 'E_OBJECT_DAMAGED', damage],
    ['is missing', 'E_OBJECT_MISSING', lose],
  ] as const)(
    '%s is tried as often as its target is, then held with %s, and sent once the object is restored',
    async (_, code, breakIt) => {
      const { sink, scenario, plant, placeOf, held, decide } = await scenarioOf();
      const [broken] = await plant('x', 3);
      const sound = await plant('r', 3);
      const mend = breakIt(placeOf(broken!, 'output'));
      scenario.startWorker();
      await held(code);
      await scenario.allEnded(sound);
      expect(sink.lines().map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['r1', 'r2', 'r3']);
      const attempts = (await scenario.attempts()).filter(({ reasonCode }) => reasonCode === code);
      expect(attempts.map(({ attemptNumber, outcome }) => [attemptNumber, outcome])).toEqual([
        [1, 'refused'],
        [2, 'refused'],
        [3, 'refused'],
      ]);
      // Looked at again after a while, because its job may have been cancelled meanwhile, and not before.
      const work = await scenario.rows(
        "/* work */ select due_at > headgate.clock() + interval '10 minutes' as \"isLater\" from headgate.work_items where tenant_id = $1 and kind = 'deliver'",
      );
      expect(work).toEqual([{ isLater: true }]);
      mend();
      await decide('resend');
      await scenario.allEnded([...sound, broken!]);
      expect(sink.requests.at(-1)!.headers['headgate-possible-duplicate']).toBeUndefined();
      expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 6, delivered: 6, refused: 0, dead: 0, cancelled: 0 }]);
    },
  );

  it('stays damaged is held again after it was sent again, and can be given up for good', async () => {
    const { sink, scenario, plant, placeOf, held, decide } = await scenarioOf();
    const jobs = await plant('x', 3);
    damage(placeOf(jobs[0]!, 'output'));
    const metrics = createMetrics();
    scenario.startWorker({ metrics });
    await held('E_OBJECT_DAMAGED');
    const counted = 'headgate_batches_held_total{tenant="bank",target="api",code="E_OBJECT_DAMAGED"} 1';
    await until(async () => (await metrics.render()).body.includes(counted), 'it was not counted');
    await decide('resend');
    await until(async () => (await scenario.attempts()).length === 4, 'it was not tried again');
    await held('E_OBJECT_DAMAGED');
    await decide('discard');
    await scenario.allEnded(jobs);
    expect(sink.requests).toEqual([]);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 0, dead: 3 }]);
    const letters = await scenario.rows('/* letters */ select cause, code from headgate.dead_letters where tenant_id = $1');
    expect(letters).toEqual(Array(3).fill({ cause: 'operator', code: 'E_OBJECT_DAMAGED' }));
  });

  it("is damaged is seen in each of its jobs, with the code and what of it is the job's own", async () => {
    const { scenario, placeOf, held } = await scenarioOf();
    const jobs = await scenario.deliverJobs([{ lines: linesOf('x', 3) }, { lines: linesOf('y', 2) }]);
    expect(await scenario.batches()).toHaveLength(1);
    damage(placeOf(jobs[0]!, 'output'));
    scenario.startWorker();
    await held('E_OBJECT_DAMAGED');
    for (const [index, held] of [3, 2].entries()) {
      const view = await scenario.inTenant((tx) => findJob(tx, jobs[index]!.jobId));
      expect(view!.targets['api']).toMatchObject({ held, heldFor: ['E_OBJECT_DAMAGED'], inFlight: 0, blockedKeys: 0 });
    }
  });

  it('is damaged keeps its lane waiting where order is kept', async () => {
    const { sink, scenario, plant, placeOf, held } = await scenarioOf({ order: 'file', lanes: 1 });
    const [broken] = await plant('x', 3);
    await plant('r', 3);
    damage(placeOf(broken!, 'output'));
    scenario.startWorker();
    await held('E_OBJECT_DAMAGED');
    await scenario.stopWorkers();
    expect(sink.requests).toEqual([]);
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['held', 'ready']);
  });

  it('is damaged is held for a file target too, and leaves no file', async () => {
    const { scenario, plant, placeOf, held } = await scenarioOf({ type: 'file', connection: 'folder' });
    const jobs = await plant('x', 3);
    damage(placeOf(jobs[0]!, 'output'));
    scenario.startWorker();
    await held('E_OBJECT_DAMAGED');
    expect(await scenario.counts()).toMatchObject([{ delivered: 0, dead: 0 }]);
  });
});

describe('a batch whose outcomes can not be read', () => {
  it('is held when its target refuses it, because nobody can say which records they are', async () => {
    const { sink, scenario, plant, placeOf, held, decide } = await scenarioOf();
    sink.answer(() => ({ status: 422 }));
    const jobs = await plant('x', 3);
    const mend = lose(placeOf(jobs[0]!, 'outcome'));
    scenario.startWorker();
    await held('E_OBJECT_MISSING');
    expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual([['refused', 'E_TARGET_REFUSED']]);
    await expect(decide('discard')).rejects.toMatchObject({ code: 'E_OBJECT_MISSING' });
    mend();
    await decide('resend');
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, refused: 3 }]);
  });

  it('is held when it is lost while nobody knows whether the batch is there', async () => {
    const { scenario, plant, placeOf, held } = await scenarioOf({ type: 'file', connection: 'folder' });
    const jobs = await plant('x', 3);
    let isDead = false;
    const reach = (name: string) => {
      if (name !== 'deliveries.after-outcome') return;
      isDead = true;
      throw new Error('the process ended');
    };
    const dead = scenario.startWorker({ crashPoints: { reach } });
    await until(() => isDead, 'nothing was sent');
    await dead.stop();
    lose(placeOf(jobs[0]!, 'output'));
    await scenario.rows("/* due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'deliver'");
    scenario.startWorker();
    await held('E_OBJECT_MISSING');
    const attempts = (await scenario.attempts()).map(({ outcome, resolvedAs, reasonCode }) => [outcome, resolvedAs, reasonCode]);
    expect(attempts).toEqual([
      ['unknown', 'resent', 'E_ATTEMPT_ABANDONED'],
      ['refused', null, 'E_OBJECT_MISSING'],
      ['refused', null, 'E_OBJECT_MISSING'],
    ]);
  });

  it('is held when no tries are left and nobody knows whether it arrived', async () => {
    const { sink, scenario, plant, placeOf, held } = await scenarioOf();
    sink.answer(() => ({ isLost: true }));
    const jobs = await plant('x', 3);
    lose(placeOf(jobs[0]!, 'outcome'));
    scenario.startWorker();
    await held('E_OBJECT_MISSING');
    expect((await scenario.attempts()).map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown']);
  });
});
