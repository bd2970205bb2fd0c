/** One of several jobs whose records share a batch is cancelled: each of them is closed, with a receipt that adds up. */

import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { cancelJob } from '../../src/control/jobs/job-decisions.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { until } from '../support/delivery-scenario.ts';
import { tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const scenarios = useJobScenarios();

const flowOf = (tenant: string, order: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: keyed, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [account], fields: { account: { type: string, required: true }, id: { type: string, required: true } } } }
  transform: [{ id: shape, set: { account: record.account, id: record.id } }]
  routes: { default: { to: [api] } }
  targets: { api: { type: http, connection: api, order: ${order}, retry: { max: 20, initial: 100ms, cap: 200ms } } }
`;

it.each([
  ['none', 'waits'],
  ['by-key', 'waits'],
  ['file', 'waits'],
  ['none', 'is tried again'],
  ['by-key', 'is tried again'],
])('of order %s, while the batch %s', async (order, how) => {
  const tenant = tenantName();
  const source = flowOf(tenant, order);
  const sent: string[] = [];
  let isBusy = how === 'is tried again';
  let refusals = 0;
  const answer = (batch: OutgoingBatch): DeliveryOutcome => {
    if (isBusy) refusals++;
    if (isBusy) return { kind: 'refused', retryable: true, code: 'E_TARGET_BUSY', message: 'later' };
    sent.push(...[...batch.body.lines()].map((line) => (JSON.parse(Buffer.from(line).toString()) as { id: string }).id));
    return { kind: 'acked' };
  };
  const jobs = await scenarios.start({ plan: loadFlow(source).plan!, source, tenant, answer });
  const ids = await jobs.accept(['a', 'b', 'c'].map((name) => `account,id\nk,${name}1\nl,${name}2\n`));
  jobs.startWorker();
  if (isBusy) jobs.startDeliveries();
  const state = isBusy ? 'sending' : 'ready';
  const isThere = async () =>
    (
      await jobs.rows('/* there */ select 1 from headgate.events where tenant_id = $1 and type like $2 and to_state = $3', [
        'batch.%',
        state,
      ])
    ).length > 0;
  await until(isThere, `no batch was ${state}`);
  const cancelled = ids[1]!;
  await cancelJob(jobs.services, jobs.tenantId, { jobId: cancelled, reason: 'not this one', actor: 'key:ops' });
  // What was being tried when the job was cancelled still had its records.
  const before = refusals;
  if (isBusy) await until(async () => refusals >= before + 6, 'the batches were not tried again');
  isBusy = false;
  jobs.startAll();
  await until(async () => (await jobs.jobs()).every((job) => job.closedAt !== null), 'a job was not closed');
  expect(sent.sort()).toEqual(['a1', 'a2', 'c1', 'c2']);
  for (const jobId of ids) {
    const { receipt, report } = await verifiedWithReceipt(jobs, jobId);
    expect(report.failures).toEqual([]);
    const records = jobId === cancelled ? { delivered: { records: 0 }, cancelled: { records: 2 } } : { delivered: { records: 2 } };
    expect(receipt.targets).toMatchObject([records]);
  }
});
