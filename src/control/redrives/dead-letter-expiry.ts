/**
 * Dead letters do not stay open for ever: after the days of the tenant's policy they end as expired, which is a discard by the
 * clock. Before that each is warned of, by an event, and no letter expires sooner after its warning than the policy says.
 */
import type { Ids } from '../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { findTenantPolicy } from '../flows/applying/definition-store.ts';

export interface ExpiryPolicy {
  readonly expireAfterMs: number;
  readonly warnBeforeMs: number;
}

const dayMs = 86_400_000;
export const defaultExpiry: ExpiryPolicy = { expireAfterMs: 90 * dayMs, warnBeforeMs: 7 * dayMs };

export async function expiryPolicy(tx: TenantTx): Promise<ExpiryPolicy> {
  const policy = await findTenantPolicy(tx);
  const own = (policy?.document as { spec?: { deadLetters?: { expireAfter?: number; warnBefore?: number } } } | undefined)?.spec
    ?.deadLetters;
  return { expireAfterMs: own?.expireAfter ?? defaultExpiry.expireAfterMs, warnBeforeMs: own?.warnBefore ?? defaultExpiry.warnBeforeMs };
}

const warnRows = `/* warn of expiring dead letters */
  with w as materialized (select e.dead_letter_id from headgate.dead_letters e where e.tenant_id = $1 and e.state = 'open' and e.warned_at is null
        and e.created_at <= (select headgate.clock()) - $2 * interval '1 millisecond' order by e.created_at limit $3 for update skip locked)
  update headgate.dead_letters d set warned_at = (select headgate.clock()), changed_at = (select headgate.clock()) from w
  where d.tenant_id = $1 and d.state = 'open' and d.dead_letter_id = w.dead_letter_id
  returning d.dead_letter_id as "deadLetterId", d.group_id as "groupId", d.created_at as "createdAt"`;
const expireRows = `/* expire dead letters */
  with w as materialized (select e.dead_letter_id from headgate.dead_letters e where e.tenant_id = $1 and e.state = 'open'
        and e.created_at <= (select headgate.clock()) - $2 * interval '1 millisecond' and e.warned_at <= (select headgate.clock()) - $3 * interval '1 millisecond'
        order by e.created_at limit $5 for update skip locked)
  update headgate.dead_letters d set state = 'expired', reason = $4, decided_by = 'system', changed_at = (select headgate.clock()) from w
  where d.tenant_id = $1 and d.state = 'open' and d.dead_letter_id = w.dead_letter_id returning d.dead_letter_id as "deadLetterId", d.group_id as "groupId"`;

/** At most `limit` of each in one transaction. */
export async function expireDeadLetters(
  tx: TenantTx,
  ids: Ids,
  { expireAfterMs, warnBeforeMs }: ExpiryPolicy,
  limit: number,
): Promise<{ readonly warned: number; readonly expired: number }> {
  const reason = `nobody decided about it within ${expireAfterMs / dayMs} days`;
  const expired = await tx.query<{ deadLetterId: string; groupId: string }>(expireRows, [
    tx.tenantId,
    expireAfterMs,
    warnBeforeMs,
    reason,
    limit,
  ]);
  const warned = await tx.query<{ deadLetterId: string; groupId: string; createdAt: Date }>(warnRows, [
    tx.tenantId,
    Math.max(0, expireAfterMs - warnBeforeMs),
    limit,
  ]);
  await recordEvents(tx, ids, [
    ...expired.rows.map(
      ({ deadLetterId, groupId }): NewEvent => ({
        type: 'dead_letter.expired',
        objectId: deadLetterId,
        from: 'open',
        to: 'expired',
        actor: 'system',
        detail: { groupId },
      }),
    ),
    ...warned.rows.map(
      ({ deadLetterId, groupId, createdAt }): NewEvent => ({
        type: 'dead_letter.expiring',
        objectId: deadLetterId,
        from: 'open',
        to: 'open',
        actor: 'system',
        detail: { groupId, expiresAt: new Date(createdAt.getTime() + expireAfterMs).toISOString() },
      }),
    ),
  ]);
  return { warned: warned.rowCount, expired: expired.rowCount };
}
