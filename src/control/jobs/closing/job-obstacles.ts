/**
 * What keeps a job that is being delivered from going on although it will: sealed bytes that can't be read when its batches
 * are cut or its receipt is made. The job says so by its code, an event tells it once, and the work is tried again without
 * end, because the bytes may come back from a copy; the code goes when it succeeds.
 */
import { unreadableCodes } from '../../../pipeline/deliveries/endings/unreadable-codes.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

/** Between two tries. */
export const obstacleAgainMs = 5 * 60_000;

const markRow = `/* mark obstacle of job */
  update headgate.jobs set reason_code = $3, changed_at = headgate.clock()
  where tenant_id = $1 and job_id = $2 and state = 'delivering' and reason_code is distinct from $3 returning trace_id as "traceId"`;

export async function markObstacle(tx: TenantTx, ids: Ids, jobId: string, code: string): Promise<void> {
  const { rows } = await tx.query<{ traceId: string | null }>(markRow, [tx.tenantId, jobId, code]);
  const events = rows.map(({ traceId }) => ({ objectId: jobId, from: 'delivering', to: 'delivering', actor: 'system', traceId }));
  await recordEvents(
    tx,
    ids,
    events.map((event) => ({ ...event, type: 'job.obstructed', detail: { code } })),
  );
}

/** As SQL over a row `j` of jobs: its code without one that was an obstacle. */
export const withoutObstacle = `case when j.state = 'delivering' and j.reason_code in (${unreadableCodes.map((code) => `'${code}'`).join(', ')}) then null else j.reason_code end`;

const clearRow = `/* clear obstacle of job */
  update headgate.jobs j set reason_code = ${withoutObstacle} where j.tenant_id = $1 and j.job_id = $2`;

export async function clearObstacle(tx: TenantTx, jobId: string): Promise<void> {
  await tx.query(clearRow, [tx.tenantId, jobId]);
}
