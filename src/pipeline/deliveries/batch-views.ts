/** Queries for lists and pages of delivery batches: where each stands, whose records it has, what became of its attempts. */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { amountTexts, type FieldTexts } from '../engine/amount-texts.ts';
import { addAmounts } from '../engine/amount-totals.ts';
import type { FieldAmounts } from '../engine/chunk.ts';
import type { AnswerState } from './answers/answer-state.ts';
import { type AnswerFilter, type AnswerView, findAnswer } from './answers/answer-views.ts';
import { countLostAttempts } from './attempts/lost-attempts.ts';
import { type BatchState, openBatchStates } from './batch-state.ts';
import { deliveryErrors } from './delivery-errors.ts';
import { awaitsDecision, hasUnknownAttempt, mayHaveArrived } from './held/held-batch-query.ts';
import { nextOfBatch } from './next-steps.ts';

export interface BatchSummary {
  readonly batchId: string;
  readonly flow: string;
  readonly targetId: string;
  readonly state: BatchState;
  /** Nobody knows its outcome, and its flow says that a person decides; its sealed bytes can't be read; or settings are at fault. */
  readonly awaitsDecision: boolean;
  /** Its last attempt may have arrived, or not; nobody knows yet. */
  readonly outcomeUnknown: boolean;
  /** An attempt of it ended so that nobody knew, whatever was found out later: a person may then say that it was delivered. */
  readonly mayHaveArrived: boolean;
  readonly jobIds: readonly string[];
  readonly records: number;
  readonly bytes: number;
  readonly attempts: number;
  /** Of a target whose files are numbered: the number of its file, taken whatever became of it; null of others. */
  readonly fileSequence: number | null;
  /** The backup of its target that its last attempt went to; null: the target itself. */
  readonly via: string | null;
  /** How the answer of its target stands; null where none is expected. */
  readonly answerState: AnswerState | null;
  readonly reasonCode: string | null;
  /** What was said last of why it is not delivered, in words; null where nothing was said. */
  readonly message: string | null;
  /** What can be done about it as it stands; null where nothing is to be done. */
  readonly next: string | null;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

export interface BatchView extends BatchSummary {
  /** Of which it is a part, where that one was split. */
  readonly parentBatchId: string | null;
  /** Of the body, the same for every attempt. */
  readonly bodySha256: string;
  /** How its last state is known, where its target or a person said so; null elsewhere. */
  readonly evidence: string | null;
  /** What its target said of its records since; null where nothing is expected. */
  readonly answer: AnswerView | null;
  /** By field. */
  readonly amounts: FieldTexts;
  /** In the order in which they began; the last thousand. */
  readonly attemptHistory: readonly AttemptView[];
}

export interface AttemptView {
  readonly attemptId: string;
  readonly number: number;
  readonly possibleDuplicate: boolean;
  readonly via: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** Null while it runs. */
  readonly outcome: 'acked' | 'refused' | 'unknown' | null;
  readonly reasonCode: string | null;
  readonly message: string | null;
  /** Of an unknown one: what it turned out to be, and how that is known. */
  readonly resolvedAs: string | null;
  readonly evidence: string | null;
}

export interface BatchFilter {
  readonly flow?: string;
  readonly jobId?: string;
  readonly targetId?: string;
  readonly state?: BatchState;
  readonly answer?: AnswerFilter;
}

/** As the partial index of open batches has them. */
const isOpen = `b.state in (${openBatchStates.map((state) => `'${state}'`).join(', ')})`;

const columns = `b.batch_id as "batchId", f.name as flow, b.target_id as "targetId", b.state, (${awaitsDecision}) as "awaitsDecision", ${hasUnknownAttempt} as "outcomeUnknown", ${mayHaveArrived} as "mayHaveArrived",
  case when b.state = 'held' and b.unknown_attempts > 0 and ${countLostAttempts} = 0 then b.parent_batch_id end as "lostIn",
  b.job_ids as "jobIds", b.records, b.bytes, b.attempts, b.file_sequence as "fileSequence", b.via, b.reason_code as "reasonCode",
  (select w.state from headgate.answers w where w.tenant_id = $1 and w.batch_id = b.batch_id) as "answerState",
  (select a.message from headgate.attempts a where a.tenant_id = $1 and a.batch_id in (b.batch_id, b.parent_batch_id) and a.reason_code = b.reason_code
    order by a.attempt_number desc limit 1) as message, b.created_at as "createdAt", b.changed_at as "changedAt"`;
const tables = 'from headgate.batches b join headgate.flows f on f.tenant_id = b.tenant_id and f.flow_id = b.flow_id';
const matches = `b.tenant_id = $1 and ($2::uuid is null or b.batch_id < $2) and ($3::text is null or f.name = $3)
  and ($4::text is null or b.target_id = $4) and ($5::text is null or b.state = $5)`;
const newestFirst = 'order by b.batch_id desc limit $6';

const selectAll = `/* list batches */ select ${columns} ${tables} where ${matches} ${newestFirst}`;
const selectOpen = `/* list open batches */ select ${columns} ${tables} where ${matches} and ${isOpen} ${newestFirst}`;
const selectOfJob = `/* list batches of job */ select ${columns} ${tables} where ${matches}
  and b.batch_id = any (array(select h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $7)) ${newestFirst}`;

const selectAnswered = (condition: string) => `/* list answered batches */ select ${columns} ${tables}
  join headgate.answers a on a.tenant_id = $1 and a.batch_id = b.batch_id where ${matches} and ${condition}
  and ($7::uuid is null or b.batch_id = any (array(select h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $7))) ${newestFirst}`;
const answeredBy: Readonly<Record<AnswerFilter, string>> = {
  awaited: selectAnswered("a.state = 'awaited'"),
  overdue: selectAnswered("a.state = 'overdue'"),
  complete: selectAnswered("a.state = 'complete'"),
  refused: selectAnswered('a.refused > 0'),
};

/** Newest first, at most `limit`; `before`: the last id of the page before. */
export async function listBatches(
  tx: TenantTx,
  { flow, jobId, targetId, state, answer }: BatchFilter,
  page: { readonly before?: string; readonly limit: number },
): Promise<BatchSummary[]> {
  const values = [tx.tenantId, page.before ?? null, flow ?? null, targetId ?? null, state ?? null, page.limit];
  if (answer !== undefined) return (await tx.query<SummaryRow>(answeredBy[answer], [...values, jobId ?? null])).rows.map(withNext);
  if (jobId !== undefined) return (await tx.query<SummaryRow>(selectOfJob, [...values, jobId])).rows.map(withNext);
  const sql = state !== undefined && openBatchStates.includes(state) ? selectOpen : selectAll;
  return (await tx.query<SummaryRow>(sql, values)).rows.map(withNext);
}

/** `lostIn`: the batch in which the records of one were sent that was not sent itself. */
type SummaryRow = Omit<BatchSummary, 'next'> & { readonly lostIn: string | null };

function withNext<Row extends Pick<SummaryRow, 'batchId' | 'flow' | 'targetId' | 'state' | 'reasonCode' | 'lostIn'>>(
  row: Row,
): Omit<Row, 'lostIn'> & Pick<BatchSummary, 'next'> {
  const { lostIn: _lostIn, ...shown } = row;
  return { ...shown, next: nextOfBatch(row) };
}

const selectOne = `/* get batch */ select ${columns}, b.parent_batch_id as "parentBatchId", b.body_sha256 as "bodySha256", b.resolution_evidence as evidence,
  (select jsonb_agg(m -> 'amounts') from jsonb_array_elements(b.members) m) as sums
  ${tables} where b.tenant_id = $1 and b.batch_id = $2`;

/** Bounded: a batch that waits for settings to be mended for weeks has a row for each recheck. */
const attemptsMax = 1_000;

const selectAttempts = `/* list attempts of batch */ select l.* from (select a.attempt_id as "attemptId", a.attempt_number as number, a.possible_duplicate as "possibleDuplicate", a.via,
  a.started_at as "startedAt", a.ended_at as "endedAt", a.outcome, a.reason_code as "reasonCode", a.message, a.resolved_as as "resolvedAs", a.evidence
  from headgate.attempts a where a.tenant_id = $1 and a.batch_id = $2 order by a.attempt_number desc, a.attempt_id desc limit ${attemptsMax}) l
  order by l.number, l."attemptId"`;

/** Fails with E_BATCH_UNKNOWN. */
export async function getBatch(tx: TenantTx, batchId: string): Promise<BatchView> {
  type Row = Omit<BatchView, 'amounts' | 'attemptHistory' | 'next' | 'answer'> &
    Pick<SummaryRow, 'lostIn'> & { readonly sums: readonly FieldAmounts[] };
  const found = (await tx.query<Row>(selectOne, [tx.tenantId, batchId])).rows[0];
  if (found === undefined) throw new HeadgateError(deliveryErrors.E_BATCH_UNKNOWN, 'there is no delivery batch of this id');
  const { rows: attemptHistory } = await tx.query<AttemptView>(selectAttempts, [tx.tenantId, batchId]);
  const { sums, ...batch } = found;
  const answer = await findAnswer(tx, batchId);
  return {
    ...withNext(batch),
    answer,
    amounts: amountTexts(sums.reduce<FieldAmounts>((sum, own) => addAmounts(sum, own), {})),
    attemptHistory,
  };
}
