/**
 * Which dead letters a person chose, with what is needed to find their records: open ones only, in the order in which their first
 * files were accepted, and in that of the records. One that was sent again before keeps its place.
 */

import { deliveryErrors } from '../../pipeline/deliveries/delivery-errors.ts';
import type { DeadLetterCause } from '../../pipeline/deliveries/endings/dead-letter-store.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { redriveErrors } from './redrive-errors.ts';

/** At least one of them; all that are named must fit. */
export interface RedriveSelection {
  readonly deadLetterIds?: readonly string[];
  readonly groupId?: string;
  readonly jobId?: string;
  readonly flow?: string;
  readonly targetId?: string;
}

/** `first`: so many of them, in their order; left out, all. */
export type RedriveChoice = RedriveSelection & { readonly first?: number | undefined };

export interface RedriveMember {
  readonly deadLetterId: string;
  readonly flowId: string;
  readonly jobId: string;
  readonly targetId: string;
  readonly recordNumber: number;
  /** An attempt may have brought it to its target, whatever was said later. */
  readonly mayBeThere: boolean;
  readonly cause: DeadLetterCause;
}

/** Records of one decision. */
export const redriveRecordsMax = 1_000;

const selectMembers = `/* choose dead letters */
  select d.dead_letter_id as "deadLetterId", d.flow_id as "flowId", d.job_id as "jobId", d.target_id as "targetId", d.record_number as "recordNumber", d.may_be_there as "mayBeThere", d.cause
  from headgate.dead_letters d
  join headgate.jobs j on j.tenant_id = $1 and j.job_id = d.job_id
  join headgate.jobs r on r.tenant_id = $1 and r.job_id = j.lineage_id
  join headgate.flows f on f.tenant_id = $1 and f.flow_id = d.flow_id
  where d.tenant_id = $1 and d.state = 'open' and j.closed_at is not null and ($2::uuid[] is null or d.dead_letter_id = any ($2)) and ($3::text is null or d.group_id = $3)
    and ($4::uuid is null or d.job_id = $4) and ($5::text is null or f.name = $5) and ($6::text is null or d.target_id = $6)
  order by r.accepted_number, d.record_number, d.job_id, d.target_id limit $7`;

/**
 * Dead letters of jobs that are closed: until then a ledger still moves. Fails with E_DEAD_LETTER_UNKNOWN, E_REDRIVE_EMPTY, E_REDRIVE_SIZE,
 * E_REDRIVE_FLOWS.
 */
export async function chooseMembers(tx: TenantTx, selection: RedriveChoice): Promise<RedriveMember[]> {
  await assertLettersKnown(tx, selection);
  const { deadLetterIds = null, groupId = null, jobId = null, flow = null, targetId = null, first = redriveRecordsMax + 1 } = selection;
  const { rows } = await tx.query<RedriveMember>(selectMembers, [tx.tenantId, deadLetterIds, groupId, jobId, flow, targetId, first]);
  if (rows.length === 0) throw new HeadgateError(redriveErrors.E_REDRIVE_EMPTY, 'no open dead letter of a closed job was chosen');
  if (rows.length > redriveRecordsMax)
    throw new HeadgateError(redriveErrors.E_REDRIVE_SIZE, `more than ${redriveRecordsMax} dead letters were chosen`);
  if (new Set(rows.map((row) => row.flowId)).size > 1)
    throw new HeadgateError(redriveErrors.E_REDRIVE_FLOWS, 'dead letters of several flows were chosen');
  return rows;
}

const selectKnown = `/* find dead letters */
  select count(*)::int8 as count from headgate.dead_letters where tenant_id = $1 and dead_letter_id = any ($2::uuid[])`;

/** Fails with E_DEAD_LETTER_UNKNOWN when one that is named is not there. */
export async function assertLettersKnown(tx: TenantTx, { deadLetterIds }: RedriveSelection): Promise<void> {
  if (deadLetterIds === undefined) return;
  const ids = [...new Set(deadLetterIds)];
  const { rows } = await tx.query<{ count: number }>(selectKnown, [tx.tenantId, ids]);
  if (rows[0]!.count < ids.length)
    throw new HeadgateError(deliveryErrors.E_DEAD_LETTER_UNKNOWN, 'there is no dead letter of one of these ids');
}

/** Those of one job for one target: what one job sends again. */
export function membersByJob(members: readonly RedriveMember[]): RedriveMember[][] {
  return [...Map.groupBy(members, ({ jobId, targetId }) => `${jobId} ${targetId}`).values()];
}
