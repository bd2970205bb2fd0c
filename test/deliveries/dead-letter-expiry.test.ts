import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { expireDeadLetters, expiryPolicy } from '../../src/control/redrives/dead-letter-expiry.ts';
import { expireAll } from '../../src/main/dead-letter-expirer.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const passDays = (days: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 day'", [days]);

it('dead letters are warned of before they expire, expire after that, and their counts stay', async () => {
  const sink = await startHttpSink(() => ({ status: 422 }));
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 2 })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const line = (id: string) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' });
  const jobs = await scenario.deliverJobs([{ lines: ['a', 'b', 'c'].map(line) }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  const states = () =>
    scenario.inTenant(async (tx) => (await listDeadLetters(tx, {}, { limit: 10 })).map(({ state, reason }) => [state, reason]));
  const expire = () => expireAll(database.db, systemPorts, new AbortController().signal);
  const events = () =>
    scenario.rows<{ type: string }>(
      "/* events */ select type from headgate.events where tenant_id = $1 and type like 'dead_letter.%' order by event_id",
    );
  const before = await scenario.counts();
  await passDays(82);
  expect(await expire()).toEqual({ warned: 0, expired: 0 });
  await passDays(2);
  expect(await expire()).toEqual({ warned: 3, expired: 0 });
  expect(await expire()).toEqual({ warned: 0, expired: 0 });
  // Older than it may be, but warned of less than seven days ago.
  await passDays(6.5);
  expect(await expire()).toEqual({ warned: 0, expired: 0 });
  expect(await states()).toEqual([1, 2, 3].map(() => ['open', null]));
  await passDays(1);
  expect(await expire()).toEqual({ warned: 0, expired: 3 });
  expect(await states()).toEqual([1, 2, 3].map(() => ['expired', 'nobody decided about it within 90 days']));
  expect((await events()).map(({ type }) => type)).toEqual([
    ...[1, 2, 3].map(() => 'dead_letter.expiring'),
    ...[1, 2, 3].map(() => 'dead_letter.expired'),
  ]);
  expect(await scenario.counts()).toEqual(before);
});

it('a policy says when, and few at a time are taken', async () => {
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api' })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  await scenario.rows(
    `/* plant policy */ insert into headgate.definitions (tenant_id, kind, name, revision, hash, document, applied_at, applied_by)
     values ($1, 'TenantPolicy', 'policy', 1, 'h', $2, headgate.clock(), 'test')`,
    [JSON.stringify({ spec: { deadLetters: { expireAfter: 2 * 86_400_000, warnBefore: 0 } } })],
  );
  for (let letter = 0; letter < 5; letter++)
    await scenario.rows(
      `/* plant letter */ insert into headgate.dead_letters (tenant_id, dead_letter_id, job_id, flow_id, target_id, batch_id, record_number, cause, code, message, may_be_there, group_id, shape,
         delivery_key, created_at, changed_at) values ($1, $2, $2, $3, 'api', $2, 1, 'refused', 'E_TARGET_REFUSED', '', false, repeat('0', 32), '', 'k', headgate.clock(), headgate.clock())`,
      [systemPorts.ids.next(), scenario.flowId],
    );
  await passDays(2.1);
  const some = () => scenario.inTenant(async (tx) => expireDeadLetters(tx, systemPorts.ids, await expiryPolicy(tx), 2));
  expect(await some()).toEqual({ warned: 2, expired: 0 });
  expect(await some()).toEqual({ warned: 2, expired: 2 });
  expect(await some()).toEqual({ warned: 1, expired: 2 });
  expect(await some()).toEqual({ warned: 0, expired: 1 });
});
