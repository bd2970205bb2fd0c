import { expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { releaseJob } from '../../src/control/jobs/job-decisions.ts';
import { createRedrive } from '../../src/control/redrives/redrive-creation.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { until } from '../support/delivery-scenario.ts';
import { tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const scenarios = useJobScenarios();

const flowOf = (tenant: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: s, name: test, version: 1.0.0 }
spec:
  format: { type: delimited, discriminator: { column: 1 } }
  schema:
    header: { tag: H, fields: { created: { column: 2, type: date, format: yyyyMMdd, required: true } } }
    records:
      credit: { tag: C, key: [id], fields: { id: { column: 2, type: string, required: true, unique: file }, amount: { column: 3, type: decimal, scale: 2, sum: true } } }
      debit: { tag: D, key: [id], fields: { amount: { column: 2, type: decimal, scale: 2, point: implied, sum: true }, id: { column: 4, type: string, required: true, unique: file } } }
    trailer: { tag: T, fields: { count: { column: 2, type: int } } }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: c } }
`;

it.each([
  ['without a header', '', 'E_TRUNCATED'],
  ['whose header is wrong', 'H,soon\n', 'E_DATE'],
])('records of a released file %s are sent again without being held for it', async (_name, header, code) => {
  const tenant = tenantName();
  const source = flowOf(tenant);
  let isMended = false;
  const answer = (batch: OutgoingBatch): DeliveryOutcome => ({
    kind: 'acked',
    perRecord: isMended ? [] : Array.from({ length: batch.records }, (_, index) => ({ index, status: 'refused', code: 'CLOSED' }) as const),
  });
  const jobs = await scenarios.start({ plan: loadFlow(source).plan!, source, tenant, answer });
  const states = async () => (await jobs.jobs()).map(({ state }) => state);
  const [jobId] = await jobs.accept([`${header}C,P1,10.00\nD,500,,P2\nT,2\n`]);
  jobs.startAll();
  await until(async () => (await states())[0] === 'held', 'the file was not held');
  await releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'it is known', actor: 'key:ops' });
  await until(async () => (await states())[0] === 'completed_with_failures', 'the job did not close');
  expect((await verifiedWithReceipt(jobs, jobId!)).receipt.reasons).toMatchObject([{ code }]);
  isMended = true;
  const decision = { selection: { jobId: jobId! }, repair: null, reason: 'open again', actor: 'key:ops' };
  const redrive = await createRedrive(jobs.services, jobs.tenantId, decision);
  await until(
    async () => (await states()).every((state) => state !== 'queued' && state !== 'delivering'),
    'the records were not sent again',
  );
  expect((await states()).sort()).toEqual(['completed', 'completed_with_failures']);
  const { receipt, report } = await verifiedWithReceipt(jobs, redrive.jobs[0]!.jobId);
  expect(report.failures).toEqual([]);
  expect(receipt).toMatchObject({ reasons: [], job: { verdict: 'accepted' }, records: { read: 2, valid: 2 } });
  const letters = await jobs.inTenant((tx) => listDeadLetters(tx, {}, { limit: 10 }));
  expect(letters.map(({ state }) => state)).toEqual(['redriven', 'redriven']);
});
