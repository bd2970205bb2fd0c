/** The order of keys, where dead letters are sent again. */

import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { createRedrive } from '../../src/control/redrives/redrive-creation.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { until } from '../support/delivery-scenario.ts';
import { closed } from '../support/job-facts.ts';
import { type JobScenario, tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';

const scenarios = useJobScenarios();

const keyedFlow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme-pay, service: payments, name: keyed, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [account], fields: { account: { type: string, required: true }, id: { type: string, required: true } } } }
  transform: [{ id: shape, set: { account: record.account, id: record.id } }]
  routes: { default: { to: [api] } }
  targets: { api: { type: http, connection: api, order: by-key } }
`;

const letters = (jobs: JobScenario) => jobs.inTenant((tx) => listDeadLetters(tx, {}, { limit: 100 }));

/** One record of the key in each file; the first is refused until its target is mended. */
async function startKeyed() {
  const sent: string[] = [];
  let isMended = false;
  const answer = (batch: OutgoingBatch): DeliveryOutcome => {
    const ids = [...batch.body.lines()].map((line) => (JSON.parse(Buffer.from(line).toString()) as { id: string }).id);
    if (!isMended && ids.includes('first')) return { kind: 'refused', retryable: false, code: 'E_TARGET_REFUSED', message: 'no' };
    sent.push(...ids);
    return { kind: 'acked' };
  };
  const tenant = tenantName();
  const source = keyedFlow.replace('acme-pay', tenant);
  const jobs = await scenarios.start({ plan: loadFlow(source).plan!, source, tenant, answer });
  const accept = (id: string) => jobs.accept([`account,id\nk,${id}\n`]);
  await accept('first');
  jobs.startAll();
  await closed(jobs, 1);
  // Files of a redrive are numbered behind those that the scenario planted.
  await jobs.rows('/* numbered */ insert into headgate.flow_counters (tenant_id, flow_id, accepted) values ($1, $2, 2) returning 1', [
    jobs.flowId,
  ]);
  const sendAgain = (selection: { jobId: string } | { flow: string }) =>
    createRedrive(jobs.services, jobs.tenantId, { selection, repair: null, reason: 'again', actor: 'key:ops' });
  return { jobs, accept, sendAgain, sent, mend: () => void (isMended = true) };
}

it('dead letters that are sent again keep the order of their keys when some of them were sent again before', async () => {
  const { jobs, accept, sendAgain, sent, mend } = await startKeyed();
  await accept('second');
  await closed(jobs, 2);
  await sendAgain({ jobId: (await jobs.jobs())[0]!.jobId });
  await closed(jobs, 3);
  mend();
  await sendAgain({ flow: 'test' });
  await closed(jobs, 5);
  expect(sent).toEqual(['first', 'second']);
});

it('dead letters that are sent again are not overtaken by a file that was accepted before that and still waits', async () => {
  const { jobs, accept, sendAgain, sent, mend } = await startKeyed();
  await jobs.stopAll();
  jobs.startWorker();
  await accept('second');
  const isCut = async () =>
    (await jobs.rows("/* cut */ select 1 from headgate.batches where tenant_id = $1 and state = 'ready'")).length > 0;
  await until(isCut, 'the second file was not cut');
  mend();
  await sendAgain({ flow: 'test' });
  jobs.startDeliveries();
  jobs.startCloser();
  await closed(jobs, 3);
  expect(sent).toEqual(['first']);
  expect((await letters(jobs)).map(({ cause, state }) => `${cause} ${state}`).sort()).toEqual(['blocked open', 'refused redriven']);
});
