/** What deliveries do with a service that can be asked what became of a request whose answer was lost. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { connectorErrors } from '../../src/pipeline/connectors/connector-errors.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { HeadgateError } from '../../src/platform/base/errors.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { type SinkRequest, startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const lines = Array.from({ length: 3 }, (_, index) =>
  deliveryLine({ id: `r${index + 1}`, customer: `c${index}`, amount: 100, currency: 'EUR', letters: 'a' }),
);
const retry = { max: 5, initialMs: 10, capMs: 40 };

async function startAsked(settings: Record<string, unknown>, onUnknown: 'resend' | 'hold' = 'resend') {
  const sink = await startHttpSink();
  const status = { path: '/status/{key}', field: 'state', acked: ['done'], absent: ['never seen'] };
  const plan = deliveryPlan([
    targetPlan('out', { format: 'ndjson' }, { type: 'http', connection: 'api', retry, onUnknown, settings: { ...settings, status } }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, scenario };
}

const posts = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'POST');
const asks = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'GET');
const json = (state: string) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ state }) });

it('a batch whose answer was lost is acknowledged by what the service says of it, and not sent again', async () => {
  const { sink, scenario } = await startAsked({});
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : json('done')));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect([posts(sink.requests).length, asks(sink.requests).length]).toEqual([1, 1]);
  expect(asks(sink.requests)[0]!.path).toBe(`/status/${(await scenario.batches())[0]!.batchId}`);
  expect(await scenario.attempts()).toMatchObject([
    { outcome: 'unknown', resolvedAs: 'acked', evidence: 'the service was asked, and has the batch' },
  ]);
  expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3 }]);
});

it('one that the service has nothing of is sent again, also where unknown ones are to be held', async () => {
  const { sink, scenario } = await startAsked({}, 'hold');
  sink.answer(({ method }) => (method === 'GET' ? json('never seen') : posts(sink.requests).length === 1 ? { isLost: true } : {}));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(posts(sink.requests).map(({ headers }) => headers['headgate-possible-duplicate'])).toEqual([undefined, 'true']);
  expect((await scenario.attempts()).map(({ outcome, resolvedAs }) => [outcome, resolvedAs])).toEqual([
    ['unknown', 'resent'],
    ['acked', null],
  ]);
});

it('while the service does not say, it is asked again and nothing is sent, however many tries that takes', async () => {
  const { sink, scenario } = await startAsked({});
  const answers = [...Array(retry.max + 3).fill({ status: 503 }), json('pending'), json('what is this'), { status: 500 }];
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : (answers.shift() ?? json('done'))));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect([posts(sink.requests).length, asks(sink.requests).length]).toEqual([1, retry.max + 7]);
  expect((await scenario.batches()).map(({ state, attempts }) => [state, attempts])).toEqual([['acked', 1]]);
});

it('one of which the service never says anything is held for a person in the end', async () => {
  const { sink, scenario } = await startAsked({});
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : json('pending')));
  await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await until(() => asks(sink.requests).length >= 2, 'the service was not asked');
  await scenario.rows(
    `/* a while ago */ update headgate.batches set changed_at = headgate.clock() - interval '5 hours' where tenant_id = $1`,
  );
  await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  expect(posts(sink.requests)).toHaveLength(1);
});

it('of single records, those that the service has are not sent again', async () => {
  const { sink, scenario } = await startAsked({ mode: 'single', requestsInFlight: 1 });
  const taken = new Set<string>();
  sink.answer(({ method, headers, path }) => {
    if (method === 'GET') return json(taken.has(decodeURIComponent(path.slice('/status/'.length))) ? 'done' : 'never seen');
    taken.add(headers['idempotency-key'] as string);
    return { isLost: posts(sink.requests).length === 2 };
  });
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect([posts(sink.requests).length, taken.size]).toEqual([3, 3]);
  expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3 }]);
});

it('while its connection is not there, nothing is taken for granted: it is asked when there is one again, and not sent', async () => {
  const { sink, scenario } = await startAsked({});
  let isGone = false;
  let refused = 0;
  let state = 'pending';
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : json(state)));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker({
    definitions: {
      loadFlow: async () => ({ flowName: 'eft', plan: scenario.plan }),
      async loadBinding() {
        if (isGone) {
          refused += 1;
          throw new HeadgateError(connectorErrors.E_TARGET, 'there is no connection api');
        }
        return bindingOf('http', { baseUrl: sink.url });
      },
    },
  });
  await until(() => asks(sink.requests).length >= 2, 'the service was not asked');
  isGone = true;
  const asked = asks(sink.requests).length;
  await until(() => refused >= 5, 'the connection was not looked for');
  expect(await scenario.batches()).toMatchObject([{ state: 'unknown' }]);
  state = 'done';
  isGone = false;
  await scenario.allEnded(jobs);
  expect(asks(sink.requests).length).toBeGreaterThan(asked);
  expect(posts(sink.requests)).toHaveLength(1);
  expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3 }]);
});
