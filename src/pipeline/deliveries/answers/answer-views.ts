/** What people see of answers: how that to a batch stands, which of its records were refused, and how those to a job add up. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import { type AnswerState, answerStates } from './answer-state.ts';

/** How lists of batches are narrowed: by the state of the answer, or to those of which records were refused. */
export const answerFilters = [...answerStates, 'refused'] as const;
export type AnswerFilter = (typeof answerFilters)[number];

export interface AnswerView {
  readonly state: AnswerState;
  /** Of the file that was sent; null where the batch is none. */
  readonly name: string | null;
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
  readonly unanswered: number;
  /** Answers that say otherwise than one that stands. */
  readonly contradictions: number;
  /** The code with which all of it was refused at once; empty: without a code; null: it was not. */
  readonly refusedAsWhole: string | null;
  /** Something was said of it after it was due. */
  readonly isLate: boolean;
  readonly dueAt: Date;
  readonly answeredAt: Date | null;
  /** What can be done; null where nothing is to be done. */
  readonly next: string | null;
}

const selectAnswer = `/* get answer */ select a.state, a.name, a.accepted, a.refused, a.pending, a.records - a.accepted - a.refused - a.pending as unanswered,
  a.contradicted as contradictions, a.refused_as_whole as "refusedAsWhole", a.is_late as "isLate", a.due_at as "dueAt", a.answered_at as "answeredAt"
  from headgate.answers a where a.tenant_id = $1 and a.batch_id = $2`;

/** Null: its target is not to answer, or it was not delivered. */
export async function findAnswer(tx: TenantTx, batchId: string): Promise<AnswerView | null> {
  const row = (await tx.query<Omit<AnswerView, 'next'>>(selectAnswer, [tx.tenantId, batchId])).rows[0];
  return row === undefined ? null : { ...row, next: nextOf(row, batchId) };
}

function nextOf({ state, name, refused, contradictions }: Omit<AnswerView, 'next'>, batchId: string): string | null {
  const steps: string[] = [];
  if (state === 'overdue')
    steps.push(`Ask the downstream for its answer to ${name === null ? `batch ${batchId}` : 'the file'}; it is matched when it comes.`);
  if (contradictions > 0) steps.push('Ask it which of its answers holds: what was said first stands.');
  if (refused > 0) steps.push(`Look at what it refused: \`headgate batch refusals ${batchId}\`.`);
  return steps.length === 0 ? null : steps.join(' ');
}

/** A record that was delivered, and refused by an answer. */
export interface RefusalView {
  /** In the batch, from 0. */
  readonly position: number;
  readonly jobId: string;
  readonly record: number;
  /** As the downstream gave it; null where it gave none, or words instead of a code. */
  readonly code: string | null;
  /** The record of the answer that says so: what else it says is read there, masked as its flow says. */
  readonly answerJobId: string;
  readonly answerRecord: number;
  readonly createdAt: Date;
}

const selectRefusals = `/* list refusals */ select r.position, r.job_id as "jobId", r.record_number as record, r.code, r.answer_job_id as "answerJobId",
  r.answer_record as "answerRecord", r.created_at as "createdAt"
  from headgate.answer_refusals r where r.tenant_id = $1 and r.batch_id = $2 and r.position > $3 order by r.position limit $4`;
const selectBatch = '/* find batch of refusals */ select 1 from headgate.batches b where b.tenant_id = $1 and b.batch_id = $2';

/** In the order of the batch; `after`: the last position of the page before. Fails with E_BATCH_UNKNOWN. */
export async function listRefusals(
  tx: TenantTx,
  batchId: string,
  page: { readonly after: number | null; readonly limit: number },
): Promise<RefusalView[]> {
  if ((await tx.query(selectBatch, [tx.tenantId, batchId])).rowCount === 0)
    throw new HeadgateError(deliveryErrors.E_BATCH_UNKNOWN, 'there is no delivery batch of this id');
  return (await tx.query<RefusalView>(selectRefusals, [tx.tenantId, batchId, page.after ?? -1, page.limit])).rows;
}

/** Of one job at one target; batches that it shares with other jobs count whole. */
export interface JobAnswers {
  readonly batches: Readonly<Record<AnswerState, number>>;
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
  readonly unanswered: number;
}

const sumOfJob = `/* sum answers of job */ select a.target_id as "targetId",
  jsonb_build_object('awaited', count(*) filter (where a.state = 'awaited'), 'overdue', count(*) filter (where a.state = 'overdue'), 'complete', count(*) filter (where a.state = 'complete')) as batches,
  sum(a.accepted)::int8 as accepted, sum(a.refused)::int8 as refused, sum(a.pending)::int8 as pending, sum(a.records - a.accepted - a.refused - a.pending)::int8 as unanswered
  from headgate.answers a where a.tenant_id = $1 and a.batch_id = any (array(select h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $2))
  group by a.target_id`;

/** By target; one without an answer that is expected has none. */
export async function answersOfJob(tx: TenantTx, jobId: string): Promise<ReadonlyMap<string, JobAnswers>> {
  const { rows } = await tx.query<JobAnswers & { readonly targetId: string }>(sumOfJob, [tx.tenantId, jobId]);
  return new Map(rows.map(({ targetId, ...sums }) => [targetId, sums]));
}
