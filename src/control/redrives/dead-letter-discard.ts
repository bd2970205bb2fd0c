/** Discards dead letters: nobody will send their records again, and why is kept with them. Ledgers stay as they are: a letter counts as given up. */
import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import { type DeadLetterGroup, listDeadLetterGroups } from '../../pipeline/deliveries/endings/dead-letter-groups.ts';
import { checkReason } from '../../platform/access/decision-reason.ts';
import { versionOfIds } from '../../platform/access/decision-version.ts';
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
  /** `version` of the preview that was shown; left out, what is chosen is taken as it is. */
  readonly previewed?: string;
  readonly keyed?: KeyedRequest;
}

export interface DiscardPreview {
  /** Of what was chosen; of no use where that is more than one decision takes. */
  readonly version: string;
  readonly records: number;
  /** The first 200 of them. */
  readonly groups: readonly DeadLetterGroup[];
}

/** Letters of one decision. */
export const discardRecordsMax = 10_000;
const groupsMax = 200;

const chosen = `d.tenant_id = $1 and d.state = 'open' and ($2::uuid[] is null or d.dead_letter_id = any ($2)) and ($3::text is null or d.group_id = $3)
    and ($4::uuid is null or d.job_id = $4) and ($5::text is null or f.name = $5) and ($6::text is null or d.target_id = $6)`;
const selectChosen = `select d.dead_letter_id as "deadLetterId" from headgate.dead_letters d join headgate.flows f on f.tenant_id = $1 and f.flow_id = d.flow_id
  where ${chosen} order by d.dead_letter_id limit $7`;
const listChosen = `/* list dead letters to discard */ ${selectChosen}`;
const lockChosen = `/* lock dead letters to discard */ ${selectChosen} for update of d`;
const countChosen = `/* count dead letters to discard */
  select count(*)::int8 as count from headgate.dead_letters d join headgate.flows f on f.tenant_id = $1 and f.flow_id = d.flow_id where ${chosen}`;
const discardRows = `/* discard dead letters */
  update headgate.dead_letters set state = 'discarded', reason = $3, decided_by = $4, changed_at = (select headgate.clock())
  where tenant_id = $1 and dead_letter_id = any ($2::uuid[])`;

function parametersOf(tx: TenantTx, { deadLetterIds, groupId, jobId, flow, targetId }: RedriveSelection) {
  return [tx.tenantId, deadLetterIds ?? null, groupId ?? null, jobId ?? null, flow ?? null, targetId ?? null];
}

/** One more than a decision takes, where there are more. */
async function chooseLetters(tx: TenantTx, sql: string, selection: RedriveSelection): Promise<string[]> {
  const { rows } = await tx.query<{ deadLetterId: string }>(sql, [...parametersOf(tx, selection), discardRecordsMax + 1]);
  return rows.map(({ deadLetterId }) => deadLetterId);
}

/** Fails with E_DEAD_LETTER_UNKNOWN. */
export async function previewDiscard(services: JobServices, tenantId: string, selection: RedriveSelection): Promise<DiscardPreview> {
  return await withTenant(
    services.db,
    tenantId,
    async (tx) => {
      await assertLettersKnown(tx, selection);
      const { rows } = await tx.query<{ count: number }>(countChosen, parametersOf(tx, selection));
      const version = versionOfIds(await chooseLetters(tx, listChosen, selection));
      const { expireAfterMs } = await expiryPolicy(tx);
      const groups = await listDeadLetterGroups(tx, selection, { limit: groupsMax, expireAfterMs });
      return { version, records: rows[0]!.count, groups };
    },
    { readOnly: true, isolation: 'repeatable read' },
  );
}

/** Fails with E_REASON_REQUIRED, E_DEAD_LETTER_UNKNOWN, E_REDRIVE_SIZE, E_REDRIVE_STALE, E_KEY_REUSED. */
export async function discardDeadLetters(services: JobServices, tenantId: string, request: DiscardRequest): Promise<{ discarded: number }> {
  const reason = checkReason(request.reason);
  const { selection, actor, previewed } = request;
  let discarded = 0;
  await commitForCertain(services, tenantId, async (tx) => {
    const answer = await answerOnce(tx, request.keyed, async () => {
      await assertLettersKnown(tx, selection);
      const ids = await chooseLetters(tx, lockChosen, selection);
      if (ids.length > discardRecordsMax)
        throw new HeadgateError(redriveErrors.E_REDRIVE_SIZE, `more than ${discardRecordsMax} dead letters were chosen`);
      if (previewed !== undefined && previewed !== versionOfIds(ids))
        throw new HeadgateError(redriveErrors.E_REDRIVE_STALE, 'the chosen dead letters are not those that were previewed');
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
