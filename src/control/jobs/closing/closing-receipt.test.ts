import { expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../../pipeline/engine/plans.fixture.ts';
import type { ClosingFacts, ClosingJob, TenantFacts } from './closing-facts.ts';
import { makeReceipt } from './closing-receipt.ts';

const minute = (at: number) => new Date(`2026-01-31T08:0${at}:00.000Z`);
const setting = {
  environment: { name: 'test', hash: 'none' },
  versions: { headgate: '0.1.0', kernel: 'k', code: 'c', codec: '1', referenceData: {} },
};

const id = fieldPlan('id', 'string', { column: 0, header: null });
const plan = planOf({ format: delimitedFormat, records: [recordPlan([id])] });

/** Of a job that a person rejected before its file was checked. */
function timesOf({ now, ...times }: Pick<ClosingJob, 'acceptedAt' | 'startedAt' | 'decidedAt'> & { readonly now: Date }) {
  const job = {
    jobId: 'job',
    lineageId: 'job',
    state: 'rejected',
    decision: 'reject',
    reason: 'sent by mistake',
    decidedBy: 'key:ops',
    decisionEventId: 'event',
    totals: null,
    redrive: null,
    createdAt: times.acceptedAt,
    ...times,
  } as unknown as ClosingJob;
  const flow = { plan, flowId: 'flow', flowName: 'flow', source: '' };
  const facts: ClosingFacts = { job, flow, chunks: [], batches: [], listed: null, counts: [] };
  const tenant: TenantFacts = { name: 'bank', cell: 'local', region: 'local', now };
  const { receipt } = makeReceipt('tenant', tenant, facts, setting, () => '')!;
  const { acceptedAt, startedAt, closedAt } = receipt.times;
  return [acceptedAt, startedAt, receipt.job.decision!.at, closedAt].map((time) => Number(time.slice(15, 16)));
}

it('a receipt gives the times as they were read', () => {
  const times = { acceptedAt: minute(1), startedAt: minute(2), decidedAt: minute(3), now: minute(4) };
  expect(timesOf(times)).toEqual([1, 2, 3, 4]);
  expect(timesOf({ ...times, startedAt: null })).toEqual([1, 1, 3, 4]);
});

it('a clock that is set back makes no receipt by which a job was closed before it was accepted, started or decided about', () => {
  const times = { acceptedAt: minute(5), startedAt: minute(6), decidedAt: minute(7), now: minute(1) };
  expect(timesOf(times)).toEqual([5, 6, 7, 7]);
  expect(timesOf({ ...times, startedAt: minute(8) })).toEqual([5, 8, 7, 8]);
  expect(timesOf({ ...times, startedAt: minute(2), decidedAt: minute(3) })).toEqual([5, 5, 5, 5]);
});
