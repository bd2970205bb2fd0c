import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const linesOf = (prefix: string, count: number, customers = 5) =>
  Array.from({ length: count }, (_, index) =>
    deliveryLine({ id: `${prefix}${index + 1}`, customer: `c${index % customers}`, amount: 100 + index, currency: 'EUR', letters: 'a' }),
  );

async function httpScenario(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const retry = { max: 3, initialMs: 10, capMs: 40 };
  const plan = deliveryPlan([
    targetPlan(
      'api',
      { format: 'ndjson' },
      { type: 'http', connection: 'api', batchRecords: 10, concurrency: 4, timeoutMs: 4_000, retry, ...more },
    ),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, scenario };
}

type Scenario = Awaited<ReturnType<typeof httpScenario>>['scenario'];

/** What the rescuer of the queue does when a lease has run out. */
async function expireLeases(scenario: Scenario): Promise<void> {
  await scenario.rows('/* expire */ update headgate.work_items set lease_until = null where tenant_id = $1 and lease_until is not null');
}

/** A store and a clock: at the read of that number of an output segment's piece a minute goes by without the process. */
function stoppingStore(store: Scenario['store']) {
  let nowMs = 0;
  const stopAt = { read: 0, reads: 0, clock: { nowMs: () => nowMs, monotonicMs: () => nowMs } };
  const stopping: Scenario['store'] = {
    ...store,
    open(tenantId, object) {
      const reader = store.open(tenantId, object);
      const read: typeof reader.read = (into, at, length, position) => {
        const pieceStart = position % (1024 * 1024) === 0;
        if (object.name.includes('/output/') && pieceStart && ++stopAt.reads === stopAt.read) nowMs += 60_000;
        return reader.read(into, at, length, position);
      };
      return { ...reader, read };
    },
  };
  return { store: stopping, stopAt };
}

function signal() {
  let fire!: () => void;
  const fired = new Promise<void>((resolve) => (fire = resolve));
  return { fire, fired };
}

const idsOf = (body: string) =>
  body
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id);

it('a service that stores a batch and answers with 500 gets it again labelled, and the attempts say so', async () => {
  const { sink, scenario } = await httpScenario();
  sink.answer((_, number) => (number === 1 ? { status: 500 } : {}));
  const jobs = await scenario.deliverJobs([{ lines: linesOf('r', 3) }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(sink.requests.map(({ headers }) => headers['headgate-possible-duplicate'])).toEqual([undefined, 'true']);
  expect(new Set(sink.requests.map(({ headers, body }) => `${headers['idempotency-key']} ${body}`)).size).toBe(1);
  expect(await scenario.attempts()).toMatchObject([
    { outcome: 'unknown', reasonCode: 'E_TARGET_BUSY', resolvedAs: 'resent' },
    { outcome: 'acked', possibleDuplicate: true },
  ]);
});

describe('a worker that disappears', () => {
  it('after its attempt was committed leaves an unknown attempt, and the batch is resent with a label', async () => {
    const { sink, scenario } = await httpScenario();
    const jobs = await scenario.deliverJobs([{ lines: linesOf('r', 3) }]);
    const reply = signal();
    sink.answer(async (_, number) => {
      if (number === 1) await reply.fired;
      return {};
    });
    const first = scenario.startWorker();
    await until(() => sink.requests.length === 1, 'nothing was sent');
    await expireLeases(scenario);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    // The first worker wakes up and is told by its fence that the batch is another's.
    reply.fire();
    await first.stop();
    expect(sink.requests.map(({ headers }) => headers['headgate-possible-duplicate'])).toEqual([undefined, 'true']);
    const attempts = await scenario.attempts();
    expect(attempts.map(({ outcome, resolvedAs, reasonCode }) => [outcome, resolvedAs, reasonCode])).toEqual([
      ['unknown', 'resent', 'E_ATTEMPT_ABANDONED'],
      ['acked', null, null],
    ]);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 3, delivered: 3, refused: 0, dead: 0, cancelled: 0 }]);
    expect((await scenario.batches()).map(({ state, attempts: tries, unknownAttempts }) => [state, tries, unknownAttempts])).toEqual([
      ['acked', 2, 1],
    ]);
  });

  it('and wakes before it sent anything sends nothing any more', async () => {
    const { sink, scenario } = await httpScenario();
    const jobs = await scenario.deliverJobs([{ lines: linesOf('r', 3) }]);
    let nowMs = 0;
    let isStopped = false;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    // The process is stopped right behind the commit of its attempt, and time goes on without it.
    const crashPoints = {
      reach(name: string) {
        if (name === 'deliveries.after-attempt-commit') {
          isStopped = true;
          nowMs += 60_000;
        }
      },
    };
    scenario.startWorker({ crashPoints, ports: { ...systemPorts, clock } });
    await until(async () => isStopped && (await scenario.attempts()).every(({ outcome }) => outcome !== null), 'the attempt did not end');
    expect(sink.requests).toHaveLength(0);
    expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toContainEqual([
      'refused',
      'E_ATTEMPT_ABANDONED',
    ]);
    await scenario.stopWorkers();
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests).toHaveLength(1);
  });

  it.each([
    ['first read of what is sent, sends nothing', 1, 3],
    ['last piece of a big body, never completes the request', 2, 20_000],
  ])('and wakes at the %s', async (_, read, count) => {
    const { sink, scenario } = await httpScenario({ batchRecords: 50_000, batchBytes: 16 * 1024 * 1024 });
    await scenario.deliverJobs([{ lines: linesOf('r', count) }]);
    const { store, stopAt } = stoppingStore(scenario.store);
    // The body is read once before it is sent.
    stopAt.read = Math.ceil((count * 53) / (1024 * 1024)) + read;
    scenario.startWorker({ store, ports: { ...systemPorts, clock: stopAt.clock } });
    await until(async () => (await scenario.attempts()).some(({ outcome }) => outcome !== null), 'the attempt did not end');
    await scenario.stopWorkers();
    expect(stopAt.reads).toBeGreaterThanOrEqual(stopAt.read);
    // A second attempt, under a new lease, may have begun by now.
    expect(sink.requests.filter(({ headers }) => headers['headgate-attempt'] === '1')).toEqual([]);
  });

  it('again and again ends in dead letters instead of going on for ever', async () => {
    const { sink, scenario } = await httpScenario({ retry: { max: 1, initialMs: 5, capMs: 10 } });
    const jobs = await scenario.deliverJobs([{ lines: linesOf('r', 2) }]);
    sink.answer(() => ({ isSilent: true }));
    for (const round of [1, 2]) {
      const worker = scenario.startWorker();
      await until(() => sink.requests.length === round, 'nothing was sent');
      await expireLeases(scenario);
      void worker;
    }
    await expireLeases(scenario);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['dead']);
    expect(sink.requests).toHaveLength(2);
  });
});

describe('order', () => {
  it('of the file is kept over batches, files and retries, with one batch under way', async () => {
    const { sink, scenario } = await httpScenario({ order: 'file', batchRecords: 4 });
    let underWay = 0;
    let most = 0;
    sink.answer(async (_, number) => {
      most = Math.max(most, ++underWay);
      await systemPorts.sleep.sleep(2);
      underWay -= 1;
      return { status: number % 3 === 0 ? 503 : 200 };
    });
    const jobs = [
      ...(await scenario.deliverJobs([{ lines: linesOf('a', 10) }])),
      ...(await scenario.deliverJobs([{ lines: linesOf('b', 6) }])),
    ];
    scenario.startWorker();
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(most).toBe(1);
    const taken = sink.requests.filter((_, index) => (index + 1) % 3 !== 0).flatMap(({ body }) => idsOf(body));
    expect(taken).toEqual([...linesOf('a', 10), ...linesOf('b', 6)].map((line) => line.split(',')[0]));
  });

  it('waits for a file that was accepted earlier and is not cut yet', async () => {
    const { sink, scenario } = await httpScenario({ order: 'file' });
    const earlier = await scenario.plantJobs([{ lines: linesOf('a', 2) }], 'running');
    const later = await scenario.deliverJobs([{ lines: linesOf('b', 2) }]);
    scenario.startWorker();
    const returned = async () =>
      (
        await scenario.rows<{ attempts: number }>(
          "/* looked at */ select attempts from headgate.work_items where tenant_id = $1 and kind = 'deliver'",
        )
      )[0]!.attempts;
    await until(async () => (await returned()) >= 2, 'the batch was not looked at');
    expect(sink.requests).toHaveLength(0);
    const start = "/* deliver earlier */ update headgate.jobs set state = 'delivering' where tenant_id = $1 and job_id = $2";
    await scenario.cut(earlier, (tx) => tx.query(start, [scenario.tenantId, earlier[0]!.jobId]));
    await scenario.allEnded([...earlier, ...later]);
    expect(sink.requests.flatMap(({ body }) => idsOf(body))).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it('by key is kept for each key while lanes go on beside each other', async () => {
    const { sink, scenario } = await httpScenario({ order: 'by-key', batchRecords: 3, concurrency: 8 });
    sink.answer((_, number) => ({ status: number % 4 === 0 ? 500 : 200 }));
    const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 40, 8) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    const taken = sink.requests
      .filter((_, index) => (index + 1) % 4 !== 0)
      .flatMap(({ body }) =>
        body
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as { id: string; customer: string }),
      );
    expect(taken).toHaveLength(40);
    for (const [customer, own] of Map.groupBy(taken, (record) => record.customer)) {
      const numbers = own.map(({ id }) => Number(id.slice(1)));
      expect([customer, numbers]).toEqual([customer, [...numbers].sort((a, b) => a - b)]);
    }
  });
});

describe('stopping', () => {
  it('waits for what is under way and leaves the rest in the queue', async () => {
    const { sink, scenario } = await httpScenario({ concurrency: 1 });
    const reply = signal();
    sink.answer(async () => {
      await reply.fired;
      return {};
    });
    await scenario.deliverJobs([{ lines: linesOf('r', 30) }]);
    const worker = scenario.startWorker();
    await until(() => sink.requests.length === 1, 'nothing was sent');
    const stopped = worker.stop();
    reply.fire();
    await stopped;
    expect(sink.requests).toHaveLength(1);
    expect((await scenario.batches()).map(({ state }) => state).sort()).toEqual(['acked', 'ready', 'ready']);
    const leased = await scenario.rows('/* leased */ select 1 from headgate.work_items where tenant_id = $1 and lease_until is not null');
    expect(leased).toEqual([]);
  });

  it('gives up what does not end in time, and says that it is unknown', async () => {
    const { sink, scenario } = await httpScenario();
    sink.answer(() => ({ isSilent: true }));
    await scenario.deliverJobs([{ lines: linesOf('r', 2) }]);
    const worker = scenario.startWorker();
    await until(() => sink.requests.length === 1, 'nothing was sent');
    const startMs = systemPorts.clock.monotonicMs();
    await worker.stop(1_700);
    expect(systemPorts.clock.monotonicMs() - startMs).toBeLessThan(1_900);
    expect((await scenario.attempts()).map(({ outcome }) => outcome)).toEqual(['unknown']);
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['unknown']);
  });
});

describe('cancelling a job', () => {
  it('cancels what was not sent, counts it, and closes the job when nothing is open', async () => {
    const { scenario } = await httpScenario();
    const [job] = await scenario.deliverJobs([{ lines: linesOf('r', 25) }]);
    const services = { store: scenario.store, queue: scenario.queue, ports: systemPorts };
    const cancelled = await scenario.inTenant((tx) => cancelDeliveries(tx, services, { jobId: job!.jobId, actor: 'person' }));
    expect(cancelled).toEqual({ records: 25, openBatches: 0 });
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 25, delivered: 0, refused: 0, dead: 0, cancelled: 25 }]);
    await scenario.allEnded([job!]);
  });

  it('leaves the other jobs of a shared batch untouched', async () => {
    const { sink, scenario } = await httpScenario({ batchRecords: 100 });
    const jobs = await scenario.deliverJobs([{ lines: linesOf('a', 3) }, { lines: linesOf('b', 2) }, { lines: linesOf('c', 4) }]);
    expect(await scenario.batches()).toHaveLength(1);
    const services = { store: scenario.store, queue: scenario.queue, ports: systemPorts };
    await scenario.inTenant((tx) => cancelDeliveries(tx, services, { jobId: jobs[1]!.jobId, actor: 'person' }));
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests.flatMap(({ body }) => idsOf(body))).toEqual(['a1', 'a2', 'a3', 'c1', 'c2', 'c3', 'c4']);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 9, delivered: 7, refused: 0, dead: 0, cancelled: 2 }]);
    expect((await scenario.batches()).map(({ state, records }) => [state, records])).toEqual([
      ['split', 9],
      ['acked', 7],
      ['cancelled', 2],
    ]);
  });

  it('ends a batch that waits to be sent again as cancelled', async () => {
    const { sink, scenario } = await httpScenario({ retry: { max: 9, initialMs: 10_000, capMs: 10_000 } });
    sink.answer(() => ({ status: 503, headers: { 'retry-after': '60' } }));
    const [job] = await scenario.deliverJobs([{ lines: linesOf('r', 2) }]);
    scenario.startWorker();
    await until(async () => (await scenario.attempts())[0]?.outcome === 'refused', 'nothing was refused');
    await scenario.rows("/* decide */ update headgate.jobs set decision = 'cancel' where tenant_id = $1 and job_id = $2", [job!.jobId]);
    await scenario.rows("/* due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'deliver'");
    await scenario.allEnded([job!]);
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['cancelled']);
    expect(await scenario.counts()).toMatchObject([{ cancelled: 2 }]);
  });
});

it('a batch in a state that nobody decides about says so, also when its bytes are gone', async () => {
  const { scenario } = await httpScenario({});
  await scenario.deliverJobs([{ lines: linesOf('r', 2) }]);
  const [batch] = await scenario.batches();
  rmSync(scenario.storeRoot, { recursive: true });
  const services = {
    db: database.db,
    store: scenario.store,
    queue: scenario.queue,
    ports: systemPorts,
    loadPlan: async () => scenario.plan,
  };
  for (const decision of ['delivered', 'resend', 'discard'] as const)
    await expect(
      decideHeldBatch(services, scenario.tenantId, { batchId: batch!.batchId, decision, reason: 'asked', actor: 'anna' }),
    ).rejects.toMatchObject({
      code: 'E_BATCH_STATE',
      message: 'the batch is ready (it waits for its next attempt); delivered, resend, discard are for batches in state held',
    });
});

describe('a held batch', () => {
  async function heldBatch() {
    const { sink, scenario } = await httpScenario({ onUnknown: 'hold' });
    sink.answer((_, number) => ({ isLost: number === 1 }));
    const jobs = await scenario.deliverJobs([{ lines: linesOf('r', 2) }]);
    scenario.startWorker();
    await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
    const services = {
      db: database.db,
      store: scenario.store,
      queue: scenario.queue,
      ports: systemPorts,
      loadPlan: async () => scenario.plan,
    };
    const [batch] = await scenario.batches();
    const decideAs = (decision: 'delivered' | 'resend' | 'discard') =>
      decideHeldBatch(services, scenario.tenantId, { batchId: batch!.batchId, decision, reason: 'asked the bank by phone', actor: 'anna' });
    return { sink, scenario, jobs, decideAs };
  }

  it.each([
    ['delivered', 'acked', { delivered: 2, dead: 0 }, 'acked', 1],
    ['resend', 'acked', { delivered: 2, dead: 0 }, 'resent', 2],
    ['discard', 'dead', { delivered: 0, dead: 2 }, 'dead', 1],
  ] as const)('that a person calls %s ends so, with the reason as evidence', async (decision, state, counts, resolvedAs, requests) => {
    const { sink, scenario, jobs, decideAs } = await heldBatch();
    await decideAs(decision);
    await scenario.allEnded(jobs);
    expect((await scenario.batches()).map((batch) => batch.state)).toEqual([state]);
    expect(await scenario.counts()).toMatchObject([counts]);
    expect((await scenario.attempts())[0]).toMatchObject({
      outcome: 'unknown',
      resolvedAs,
      evidence: 'anna decided: asked the bank by phone',
    });
    expect(sink.requests).toHaveLength(requests);
    if (requests === 2) expect(sink.requests[1]!.headers['headgate-possible-duplicate']).toBe('true');
    const stand = state === 'dead' ? 'its records were given up and are dead letters' : 'its records were delivered';
    for (const again of ['resend', 'discard'] as const)
      await expect(decideAs(again)).rejects.toMatchObject({
        code: 'E_BATCH_STATE',
        message: `the batch is ${state} (${stand}); delivered, resend, discard are for batches in state held`,
      });
  });
});
