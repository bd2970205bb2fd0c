/** Rows of attempts: written before the first byte is sent, so that a process that dies while sending leaves a trace. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

export interface NewAttempt {
  readonly attemptId: string;
  readonly batchId: string;
  readonly attemptNumber: number;
  readonly fence: number;
  readonly possibleDuplicate: boolean;
  readonly via: string | null;
}

const insertAttemptRows = `/* start attempts */
  insert into headgate.attempts (tenant_id, attempt_id, batch_id, attempt_number, fence, possible_duplicate, via, started_at)
  select $1, a.*, (select headgate.clock()) from unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::boolean[], $7::text[]) as a`;

export async function insertAttempts(tx: TenantTx, attempts: readonly NewAttempt[]): Promise<void> {
  if (attempts.length === 0) return;
  await tx.query(insertAttemptRows, [
    tx.tenantId,
    attempts.map((attempt) => attempt.attemptId),
    attempts.map((attempt) => attempt.batchId),
    attempts.map((attempt) => attempt.attemptNumber),
    attempts.map((attempt) => attempt.fence),
    attempts.map((attempt) => attempt.possibleDuplicate),
    attempts.map((attempt) => attempt.via),
  ]);
}

export interface AttemptEnding {
  readonly attemptId: string;
  readonly outcome: 'acked' | 'refused' | 'unknown';
  readonly reasonCode: string | null;
  /** In words, without content. */
  readonly message?: string | undefined;
}

/** Characters of a message that are kept. */
const messageMax = 500;

const endAttemptRows = `/* end attempts */
  update headgate.attempts a set outcome = e.outcome, reason_code = e.reason_code, message = e.message, ended_at = (select headgate.clock())
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as e (attempt_id, outcome, reason_code, message)
  where a.tenant_id = $1 and a.attempt_id = any ($2::uuid[]) and a.attempt_id = e.attempt_id`;

export async function endAttempts(tx: TenantTx, endings: readonly AttemptEnding[]): Promise<void> {
  if (endings.length === 0) return;
  await tx.query(endAttemptRows, [
    tx.tenantId,
    endings.map((ending) => ending.attemptId),
    endings.map((ending) => ending.outcome),
    endings.map((ending) => ending.reasonCode),
    endings.map((ending) => ending.message?.slice(0, messageMax) ?? null),
  ]);
}

const abandonRows = `/* abandon attempts */
  update headgate.attempts set outcome = 'unknown', reason_code = $3, ended_at = (select headgate.clock())
  where tenant_id = $1 and batch_id = any ($2::uuid[]) and outcome is null`;

/** Ends what dead processes left running: nobody knows what became of it. */
export async function abandonAttempts(tx: TenantTx, batchIds: readonly string[], reasonCode: string): Promise<void> {
  if (batchIds.length > 0) await tx.query(abandonRows, [tx.tenantId, batchIds, reasonCode]);
}

export interface AttemptResolution {
  readonly batchId: string;
  readonly resolvedAs: 'acked' | 'refused' | 'resent' | 'dead' | 'cancelled';
  /** In words, without content. */
  readonly evidence: string;
  /** The target was asked, and has nothing of what was sent under the batch's id; that is so of attempts which were resolved before, too. */
  readonly isAbsent?: boolean;
}

const resolveRows = `/* resolve attempts */
  update headgate.attempts a set resolved_as = coalesce(a.resolved_as, r.resolved_as), evidence = coalesce(a.evidence, r.evidence), is_absent = a.is_absent or r.is_absent
  from unnest($2::uuid[], $3::text[], $4::text[], $5::boolean[]) as r (batch_id, resolved_as, evidence, is_absent)
  where a.tenant_id = $1 and a.batch_id = any ($2::uuid[]) and a.batch_id = r.batch_id and a.outcome = 'unknown' and (a.resolved_as is null or r.is_absent)`;

/** Of every unknown attempt of these batches that was not resolved before. */
export async function resolveAttempts(tx: TenantTx, resolutions: readonly AttemptResolution[]): Promise<void> {
  if (resolutions.length === 0) return;
  await tx.query(resolveRows, [
    tx.tenantId,
    resolutions.map((resolution) => resolution.batchId),
    resolutions.map((resolution) => resolution.resolvedAs),
    resolutions.map((resolution) => resolution.evidence),
    resolutions.map((resolution) => resolution.isAbsent === true),
  ]);
}
