/**
 * What keeps an open job from going on although it will: the object store is full or away, the machine gives no thread, or sealed bytes can't be read when
 * its batches are cut or its receipt is made. The job says so by its code, an event tells it once, and the work is tried again
 * without end, because space and bytes may come back; the code goes when it succeeds.
 */
import { unreadableCodes } from '../../../pipeline/deliveries/endings/unreadable-codes.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import { storageErrors } from '../../../platform/storage/storage-errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { jobErrors } from '../job-errors.ts';

/** Between two tries. */
export const obstacleAgainMs = 5 * 60_000;

export const obstacleCodes: readonly string[] = [
  ...unreadableCodes,
  storageErrors.E_STORAGE_FULL,
  storageErrors.E_READ_BACK,
  jobErrors.E_NO_THREAD,
];

/** That of a passing failure which lies in the object store or the machine; null: another one. */
export function obstacleOf(error: unknown): string | null {
  return error instanceof HeadgateError && error.retryable && obstacleCodes.includes(error.code) ? error.code : null;
}

/** As SQL: the states in which a job waits for what is in its way. */
const waiting = "('queued', 'running', 'checking', 'delivering')";

/** Rows are locked in the order of all that lock several. */
const markRows = `/* mark obstacle of jobs */
  with w as materialized (select job_id from headgate.jobs where tenant_id = $1 and job_id = any ($2::uuid[]) and state in ${waiting}
    and reason_code is distinct from $3 order by job_id for update)
  update headgate.jobs j set reason_code = $3, changed_at = headgate.clock() from w
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) and j.job_id = w.job_id returning j.job_id as "jobId", j.state, j.trace_id as "traceId"`;

export async function markObstacle(tx: TenantTx, ids: Ids, jobIds: readonly string[], code: string): Promise<void> {
  const { rows } = await tx.query<{ jobId: string; state: string; traceId: string | null }>(markRows, [tx.tenantId, jobIds, code]);
  const events = rows.map(({ jobId, state, traceId }) => ({ objectId: jobId, from: state, to: state, actor: 'system', traceId }));
  await recordEvents(
    tx,
    ids,
    events.map((event) => ({ ...event, type: 'job.obstructed', detail: { code } })),
  );
}

/** As SQL over a row `j` of jobs: its code without one that was an obstacle. */
export const withoutObstacle = `case when j.state in ${waiting} and j.reason_code in (${obstacleCodes.map((code) => `'${code}'`).join(', ')}) then null else j.reason_code end`;

const clearRow = `/* clear obstacle of job */
  update headgate.jobs j set reason_code = ${withoutObstacle} where j.tenant_id = $1 and j.job_id = $2`;

export async function clearObstacle(tx: TenantTx, jobId: string): Promise<void> {
  await tx.query(clearRow, [tx.tenantId, jobId]);
}
