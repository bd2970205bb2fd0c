/** Discards dead letters: nobody will send their records again, and why is kept with them. Ledgers stay as they are: a letter counts as given up. */
import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import { type DeadLetterGroup, listDeadLetterGroups } from '../../pipeline/deliveries/endings/dead-letter-groups.ts';
import { checkReason } from '../../platform/access/decision-reason.ts';
import { answerOnce, type KeyedRequest } from '../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { expiryPolicy } from './dead-letter-expiry.ts';
import { redriveErrors } from './redrive-errors.ts';
import { assertLettersKnown, type RedriveSelection } from './redrive-members.ts';

export interface DiscardRequest {
  readonly selection: RedriveSelection;
  /** In words; kept with the letters. */
  readonly reason: string;
  readonly actor: string;
  readonly keyed?: KeyedRequest;
}

export interface DiscardPreview {
  readonly records: number;
  /** The first 200 of them. */
  readonly groups: readonly DeadLetterGroup[];
}

/** Letters of one decision. */
export const discardRecordsMax = 10_000;
const groupsMax = 200;

const chosen = `d.tenant_id = $1 and d.state = 'open' and ($2::uuid[] is null or d.dead_letter_id = any ($2)) and ($3::text is null or d.group_id = $3)
    and ($4::uuid is null or d.job_id = $4) and ($5::text is null or f.name = $5) and ($6::text is null or d.target_id = $6)`;
const lockChosen = `/* lock dead letters to discard */
  select d.dead_letter_id as "deadLetterId" from headgate.dead_letters d join headgate.flows f on f.tenant_id = $1 and f.flow_id = d.flow_id
  where ${chosen} order by d.dead_letter_id limit $7 for update of d`;
const countChosen = `/* count dead letters to discard */
  select count(*)::int8 as count from headgate.dead_letters d join headgate.flows f on f.tenant_id = $1 and f.flow_id = d.flow_id where ${chosen}`;
const discardRows = `/* discard dead letters */
  update headgate.dead_letters set state = 'discarded', reason = $3, decided_by = $4, changed_at = (select headgate.clock())
  where tenant_id = $1 and dead_letter_id = any ($2::uuid[])`;

function parametersOf(tx: TenantTx, { deadLetterIds, groupId, jobId, flow, targetId }: RedriveSelection) {
  return [tx.tenantId, deadLetterIds ?? null, groupId ?? null, jobId ?? null, flow ?? null, targetId ?? null];
}

/** Fails with E_DEAD_LETTER_UNKNOWN. */
export async function previewDiscard(services: JobServices, tenantId: string, selection: RedriveSelection): Promise<DiscardPreview> {
  return await withTenant(
    services.db,
    tenantId,
    async (tx) => {
      await assertLettersKnown(tx, selection);
      const { rows } = await tx.query<{ count: number }>(countChosen, parametersOf(tx, selection));
      const { expireAfterMs } = await expiryPolicy(tx);
      return { records: rows[0]!.count, groups: await listDeadLetterGroups(tx, selection, { limit: groupsMax, expireAfterMs }) };
    },
    { readOnly: true },
  );
}

/** Fails with E_REASON_REQUIRED, E_DEAD_LETTER_UNKNOWN, E_REDRIVE_SIZE, E_KEY_REUSED. */
export async function discardDeadLetters(services: JobServices, tenantId: string, request: DiscardRequest): Promise<{ discarded: number }> {
  const reason = checkReason(request.reason);
  const { selection, actor } = request;
  let discarded = 0;
  await commitForCertain(services, tenantId, async (tx) => {
    const answer = await answerOnce(tx, request.keyed, async () => {
      await assertLettersKnown(tx, selection);
      const { rows } = await tx.query<{ deadLetterId: string }>(lockChosen, [...parametersOf(tx, selection), discardRecordsMax + 1]);
      if (rows.length > discardRecordsMax)
        throw new HeadgateError(redriveErrors.E_REDRIVE_SIZE, `more than ${discardRecordsMax} dead letters were chosen`);
      const ids = rows.map(({ deadLetterId }) => deadLetterId);
      await tx.query(discardRows, [tx.tenantId, ids, reason, actor]);
      await recordEvents(
        tx,
        services.ports.ids,
        ids.map((id) => discardedEvent(id, actor, reason)),
      );
      return { discarded: ids.length };
    });
    discarded = answer.discarded;
  });
  return { discarded };
}

function discardedEvent(objectId: string, actor: string, reason: string): NewEvent {
  return { type: 'dead_letter.discarded', objectId, from: 'open', to: 'discarded', actor, detail: { reason } };
}
