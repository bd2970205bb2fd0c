/**
 * Dead letters: one row for each record that was given up for a target, with why and under which delivery key. Written in
 * the transaction that ends its batch; after that only its state changes. Rows hold numbers and codes, never content.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { amountTexts, type FieldTexts } from '../../engine/amount-texts.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import { nextOfDeadLetter } from '../next-steps.ts';
import { deadLetterGroupId, messageShape } from './dead-letter-group.ts';
import type { DeadLetterState } from './dead-letter-state.ts';

export const deadLetterCauses = ['refused', 'exhausted', 'blocked', 'poison', 'operator'] as const;
export type DeadLetterCause = (typeof deadLetterCauses)[number];

export interface NewDeadLetter {
  readonly deadLetterId: string;
  readonly jobId: string;
  readonly flowId: string;
  readonly targetId: string;
  readonly batchId: string;
  readonly recordNumber: number;
  readonly cause: DeadLetterCause;
  readonly code: string;
  readonly message: string;
  readonly deliveryKey: string;
  /** Of the record. */
  readonly amounts: FieldAmounts;
  /** Of an attempt nobody knows whether it reached the target: sent again, the record is labelled a possible duplicate. */
  readonly mayBeThere: boolean;
}

export interface DeadLetterView extends Omit<NewDeadLetter, 'amounts'> {
  readonly amounts: FieldTexts;
  readonly flowName: string;
  /** Of the letters that were given up for the same cause. */
  readonly groupId: string;
  readonly state: DeadLetterState;
  /** Of the last decision about it: in words, and whose. */
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly createdAt: Date;
  /** Later records of its business key are held back because of it. */
  readonly blocksKey: boolean;
  /** What can be done about it. */
  readonly next: string;
}

type LetterRow = Omit<DeadLetterView, 'next' | 'amounts'> & Pick<NewDeadLetter, 'amounts'>;

export interface DeadLetterFilter {
  readonly jobId?: string;
  /** Name of a flow. */
  readonly flow?: string;
  readonly targetId?: string;
  readonly cause?: DeadLetterCause;
  readonly state?: DeadLetterState;
  readonly groupId?: string;
}

/** Rows of one insert. */
const rowsMax = 5_000;

const insertRows = `/* insert dead letters */
  insert into headgate.dead_letters (tenant_id, dead_letter_id, job_id, flow_id, target_id, batch_id, record_number, cause, code, message, delivery_key, group_id, shape, amounts, may_be_there, created_at, changed_at)
  select $1, d.dead_letter_id, d.job_id, d.flow_id, d.target_id, d.batch_id, d.record_number, d.cause, d.code, d.message, d.delivery_key, d.group_id, d.shape, d.amounts::json, d.may_be_there,
    (select headgate.clock()), (select headgate.clock())
  from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[])
    as d (dead_letter_id, job_id, flow_id, target_id, batch_id, record_number, cause, code, message, delivery_key, group_id, shape, amounts, may_be_there)`;

export async function insertDeadLetters(tx: TenantTx, letters: readonly NewDeadLetter[]): Promise<void> {
  for (let at = 0; at < letters.length; at += rowsMax) {
    const rows = letters.slice(at, at + rowsMax);
    const shapes = rows.map((row) => messageShape(row.message));
    await tx.query(insertRows, [
      tx.tenantId,
      rows.map((row) => row.deadLetterId),
      rows.map((row) => row.jobId),
      rows.map((row) => row.flowId),
      rows.map((row) => row.targetId),
      rows.map((row) => row.batchId),
      rows.map((row) => row.recordNumber),
      rows.map((row) => row.cause),
      rows.map((row) => row.code),
      rows.map((row) => row.message),
      rows.map((row) => row.deliveryKey),
      rows.map((row, index) => deadLetterGroupId({ ...row, shape: shapes[index]! })),
      shapes,
      rows.map((row) => JSON.stringify(row.amounts)),
      rows.map((row) => row.mayBeThere),
    ]);
  }
}

const columns = `d.dead_letter_id as "deadLetterId", d.job_id as "jobId", d.flow_id as "flowId", f.name as "flowName",
  d.target_id as "targetId", d.batch_id as "batchId", d.record_number as "recordNumber", d.cause, d.code, d.message,
  d.delivery_key as "deliveryKey", d.amounts, d.may_be_there as "mayBeThere", d.group_id as "groupId", d.state, d.reason, d.decided_by as "decidedBy", d.created_at as "createdAt",
  exists (select from headgate.blocked_keys k where k.tenant_id = d.tenant_id and k.dead_letter_id = d.dead_letter_id) as "blocksKey"`;
const source = 'headgate.dead_letters d join headgate.flows f on f.tenant_id = d.tenant_id and f.flow_id = d.flow_id';
const matches = `d.tenant_id = $1 and ($2::uuid is null or d.job_id = $2) and ($3::text is null or f.name = $3)
  and ($4::text is null or d.target_id = $4) and ($5::text is null or d.cause = $5)
  and ($6::text is null or d.state = $6) and ($7::text is null or d.group_id = $7)`;

const selectPage = `/* list dead letters */
  select ${columns} from ${source} where ${matches} and ($8::uuid is null or d.dead_letter_id < $8)
  order by d.dead_letter_id desc limit $9`;

/** Newest first, at most `limit`; `before`: the last id of the page before. */
export async function listDeadLetters(
  tx: TenantTx,
  filter: DeadLetterFilter,
  page: { readonly before?: string; readonly limit: number },
): Promise<DeadLetterView[]> {
  return (await tx.query<LetterRow>(selectPage, [tx.tenantId, ...filterValues(filter), page.before ?? null, page.limit])).rows.map(
    withNext,
  );
}

const selectNext = `/* export dead letters */
  select ${columns} from ${source} where ${matches} and ($8::uuid is null or d.dead_letter_id > $8)
  order by d.dead_letter_id limit $9`;

/** Oldest first, for going through all of them: call again with the last id until fewer than `limit` come. */
export async function exportDeadLetters(
  tx: TenantTx,
  filter: DeadLetterFilter,
  page: { readonly after?: string; readonly limit: number },
): Promise<DeadLetterView[]> {
  return (await tx.query<LetterRow>(selectNext, [tx.tenantId, ...filterValues(filter), page.after ?? null, page.limit])).rows.map(withNext);
}

const selectOne = `/* get dead letter */ select ${columns} from ${source} where d.tenant_id = $1 and d.dead_letter_id = $2`;

/** Fails with E_DEAD_LETTER_UNKNOWN. */
export async function getDeadLetter(tx: TenantTx, deadLetterId: string): Promise<DeadLetterView> {
  const found = (await tx.query<LetterRow>(selectOne, [tx.tenantId, deadLetterId])).rows[0];
  if (found === undefined) throw new HeadgateError(deliveryErrors.E_DEAD_LETTER_UNKNOWN, 'there is no dead letter of this id');
  return withNext(found);
}

function withNext(row: LetterRow): DeadLetterView {
  return { ...row, amounts: amountTexts(row.amounts), next: nextOfDeadLetter(row) };
}

function filterValues({ jobId, flow, targetId, cause, state, groupId }: DeadLetterFilter): (string | null)[] {
  return [jobId ?? null, flow ?? null, targetId ?? null, cause ?? null, state ?? null, groupId ?? null];
}
