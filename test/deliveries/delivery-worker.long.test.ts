import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const lines = (count: number, letters = 'a') =>
  Array.from({ length: count }, (_, index) =>
    deliveryLine({ id: `r${index + 1}`, customer: `c${index % 7}`, amount: 100 + index, currency: 'EUR', letters }),
  );

const quick = { retry: { max: 3, initialMs: 10, capMs: 40 } };

async function httpScenario(more: Partial<TargetPlan> = {}, isKeyUnique = false) {
  const sink = await startHttpSink();
  const plan = deliveryPlan(
    [targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 10, concurrency: 4, ...quick, ...more })],
    {
      isKeyUnique,
    },
  );
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, scenario };
}

describe('a batch that is taken', () => {
  it('is delivered once with its headers, counted, and its job is sent to be closed', async () => {
    const { sink, scenario } = await httpScenario();
    const jobs = await scenario.deliverJobs([{ lines: lines(25) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(
      sink
        .lines()
        .map((line) => JSON.parse(line).id)
        .sort(),
    ).toEqual(
      lines(25)
        .map((_, index) => `r${index + 1}`)
        .sort(),
    );
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 25, delivered: 25, refused: 0, dead: 0, cancelled: 0 }]);
    const batches = await scenario.batches();
    expect(batches.map(({ state, records, attempts }) => [state, records, attempts])).toEqual([
      ['acked', 10, 1],
      ['acked', 10, 1],
      ['acked', 5, 1],
    ]);
    for (const { headers } of sink.requests) {
      const batch = batches.find(({ batchId }) => batchId === headers['headgate-batch-id'])!;
      expect(headers['idempotency-key']).toBe(batch.batchId);
      expect(headers['headgate-job-id']).toBe(jobs[0]!.jobId);
      expect(headers['headgate-possible-duplicate']).toBeUndefined();
      expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
    const events = await scenario.rows<{ type: string; count: number }>(
      '/* events */ select type, count(*)::int as count from headgate.events where tenant_id = $1 group by type order by type',
    );
    expect(events).toEqual([
      { type: 'batch.acknowledged', count: 3 },
      { type: 'batch.cut', count: 3 },
      { type: 'batch.sent', count: 3 },
    ]);
  });

  it('to a folder is one file that holds exactly the segment', async () => {
    const folder = temporaryFolder();
    const plan = deliveryPlan([
      targetPlan(
        'out',
        { format: 'csv', delimiter: 0x3b, header: true, lineEnd: '\n' },
        { connection: 'folder', batchRecords: 100, ...quick },
      ),
    ]);
    const scenario = await createDeliveryScenario({ database, plan, bindings: { folder: bindingOf('folder', { root: folder }) } });
    onTestFinished(async () => void (await scenario.stopWorkers()));
    const jobs = await scenario.deliverJobs([{ lines: lines(3) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(readdirSync(folder)).toEqual(['eft-out-1-0000.csv']);
    expect(readFileSync(join(folder, 'eft-out-1-0000.csv'), 'utf8')).toBe(
      'id;customer;amount;currency\nr1;c0;1.00;EUR\nr2;c1;1.01;EUR\nr3;c2;1.02;EUR\n',
    );
  });
});

describe('a batch that is refused', () => {
  it('for now is sent again with the same bytes and key until it is taken', async () => {
    const { sink, scenario } = await httpScenario();
    sink.answer((_, number) => ({ status: number < 3 ? 503 : 200 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(5) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests).toHaveLength(3);
    expect(new Set(sink.requests.map(({ body }) => body)).size).toBe(1);
    expect(new Set(sink.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(sink.requests.some(({ headers }) => headers['headgate-possible-duplicate'])).toBe(false);
    expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual([
      ['refused', 'E_TARGET_BUSY'],
      ['refused', 'E_TARGET_BUSY'],
      ['acked', null],
    ]);
  });

  it('for now after it took a few of its records has all tries again with the rest, and none once nothing more is taken', async () => {
    const retry = { max: 3, initialMs: 1, capMs: 4 };
    const { sink, scenario } = await httpScenario({ settings: { mode: 'single', requestsInFlight: 1 }, batchRecords: 40, retry });
    // Three a try, of thirty.
    sink.answer(({ body }, number) => ({ status: number % 4 === 0 || Number(/"id":"r(\d+)"/.exec(body)![1]) > 30 ? 503 : 200 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(33) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(await scenario.counts()).toMatchObject([{ routed: 33, delivered: 30, dead: 3 }]);
    const outcomes = (await scenario.attempts()).map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...Array(10).fill('acked'), ...Array(1 + retry.max).fill('refused')]);
  });

  it('for good becomes dead letters with record numbers and delivery keys', async () => {
    const { sink, scenario } = await httpScenario();
    sink.answer(() => ({ status: 404 }));
    const jobs = await scenario.deliverJobs([{ lines: ['x,c1,1.00,EUR,-\n', ...lines(2)] }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests).toHaveLength(1);
    const letters = await scenario.rows<{ record_number: number; cause: string; code: string; delivery_key: string }>(
      '/* letters */ select record_number, cause, code, delivery_key from headgate.dead_letters where tenant_id = $1 order by record_number',
    );
    expect(letters.map(({ record_number, cause, code }) => [record_number, cause, code])).toEqual([
      [2, 'refused', 'E_TARGET_REFUSED'],
      [3, 'refused', 'E_TARGET_REFUSED'],
    ]);
    expect(new Set(letters.map(({ delivery_key }) => delivery_key)).size).toBe(2);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 2, delivered: 0, refused: 2, dead: 0, cancelled: 0 }]);
  });

  it('at every try is given up as exhausted', async () => {
    const { sink, scenario } = await httpScenario({ retry: { max: 2, initialMs: 5, capMs: 10 } });
    sink.answer(() => ({ status: 429 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(4) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests).toHaveLength(3);
    expect((await scenario.batches()).map(({ state }) => state)).toEqual(['dead']);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 4, delivered: 0, refused: 0, dead: 4, cancelled: 0 }]);
  });
});

describe('an attempt that nobody knows the outcome of', () => {
  it('is resent with a label, and the records arrive at most once more than it was unknown', async () => {
    const { sink, scenario } = await httpScenario();
    sink.answer((_, number) => ({ isLost: number <= 2 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(5) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(sink.requests.map(({ headers }) => headers['headgate-possible-duplicate'])).toEqual([undefined, 'true', 'true']);
    expect(new Set(sink.requests.map(({ body }) => body)).size).toBe(1);
    const attempts = await scenario.attempts();
    expect(attempts.map(({ outcome, resolvedAs, possibleDuplicate }) => [outcome, resolvedAs, possibleDuplicate])).toEqual([
      ['unknown', 'resent', false],
      ['unknown', 'resent', true],
      ['acked', null, true],
    ]);
    expect(attempts[0]!.evidence).toMatch(/attempt 2, labelled/);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 5, delivered: 5, refused: 0, dead: 0, cancelled: 0 }]);
  });

  it('is unknown when the answer comes too late', async () => {
    const { sink, scenario } = await httpScenario({ timeoutMs: 4_000 });
    sink.answer((_, number) => ({ isSilent: number === 1 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(1) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect((await scenario.attempts()).map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual([
      ['unknown', 'E_TARGET_TIMEOUT'],
      ['acked', null],
    ]);
  });

  it('is held for a person where the flow says so', async () => {
    const { sink, scenario } = await httpScenario({ onUnknown: 'hold' });
    sink.answer(() => ({ isLost: true }));
    await scenario.deliverJobs([{ lines: lines(2) }]);
    scenario.startWorker();
    await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
    expect(sink.requests).toHaveLength(1);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 2, delivered: 0, refused: 0, dead: 0, cancelled: 0 }]);
  });

  it('at the last try ends as dead letters that say so', async () => {
    const { sink, scenario } = await httpScenario({ retry: { max: 0, initialMs: 5, capMs: 10 } });
    sink.answer(() => ({ isLost: true }));
    const jobs = await scenario.deliverJobs([{ lines: lines(2) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect((await scenario.batches()).map(({ state, reasonCode }) => [state, reasonCode])).toEqual([['dead', 'E_OUTCOME_UNKNOWN']]);
    expect((await scenario.attempts()).map(({ outcome, resolvedAs }) => [outcome, resolvedAs])).toEqual([['unknown', 'dead']]);
  });
});

describe('results per record', () => {
  it('split the batch: taken ones are delivered, refused ones are dead letters, the rest goes on under the same keys', async () => {
    const { sink, scenario } = await httpScenario({}, true);
    sink.answer((_, number) =>
      number > 1
        ? {}
        : {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({
              results: [
                { index: 1, status: 422, code: 'ACCOUNT_CLOSED' },
                { index: 3, status: 'retry' },
              ],
            }),
          },
    );
    const jobs = await scenario.deliverJobs([{ lines: lines(5) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    const batches = await scenario.batches();
    expect(batches.map(({ state, records }) => [state, records])).toEqual([
      ['split', 5],
      ['acked', 3],
      ['refused', 1],
      ['acked', 1],
    ]);
    expect(new Set(batches.slice(1).map(({ parentBatchId }) => parentBatchId))).toEqual(new Set([batches[0]!.batchId]));
    expect(sink.requests[1]!.body).toBe(`${sink.requests[0]!.body.split('\n')[3]}\n`);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 5, delivered: 4, refused: 1, dead: 0, cancelled: 0 }]);
    const letters = await scenario.rows(
      '/* letters */ select record_number, code, message from headgate.dead_letters where tenant_id = $1',
    );
    const message = 'the target answered for the record with status 422';
    expect(letters).toEqual([{ record_number: 2, code: 'ACCOUNT_CLOSED', message }]);
  });

  it('come from single requests too, each with the delivery key of its record', async () => {
    const { sink, scenario } = await httpScenario({ settings: { mode: 'single' } });
    sink.answer((request) => ({ status: JSON.parse(request.body).id === 'r3' ? 400 : 201 }));
    const jobs = await scenario.deliverJobs([{ lines: lines(4) }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(new Set(sink.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(4);
    const [letter] = await scenario.rows<{ delivery_key: string }>(
      '/* letters */ select delivery_key from headgate.dead_letters where tenant_id = $1',
    );
    const refused = sink.requests.find(({ body }) => body.includes('"r3"'))!;
    expect(letter!.delivery_key).toBe(refused.headers['idempotency-key']);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 4, delivered: 3, refused: 1, dead: 0, cancelled: 0 }]);
  });
});
