/**
 * The durable set of blocked keys (decisions 19): business keys of which a record was given up at a target that keeps their
 * order. Written in the transaction that ends the batch, before any later batch of the lane can be claimed. Bounded for each
 * target: beyond the limit the whole lane of a key is blocked, so that nothing ever overtakes.
 */
import { versionOfIds } from '../../../platform/access/decision-version.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { batchesPerFileMax } from '../batch.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { DeadLetterCause } from '../endings/dead-letter-store.ts';

/** Keys that one target may have blocked, besides whole lanes. */
export const blockedKeysMax = 10_000;
/** Stands for every key of a lane. */
export const everyKey = '';

export interface NewBlockedKey {
  readonly flowId: string;
  readonly targetId: string;
  readonly lane: number;
  /** What its lanes mean (`laneSchemeOf`). */
  readonly laneScheme: number;
  readonly keyHash: string;
  readonly jobId: string;
  readonly deadLetterId: string;
}

const countKeys = `/* count blocked keys */
  select count(*)::int as count from (select from headgate.blocked_keys where tenant_id = $1 and flow_id = $2 and target_id = $3 and key_hash <> '' limit $4) k`;

const insertKeys = `/* block keys */
  insert into headgate.blocked_keys (tenant_id, flow_id, target_id, lane, lane_scheme, key_hash, job_id, dead_letter_id, blocked_at)
  select $1, k.*, (select headgate.clock())
  from unnest($2::uuid[], $3::text[], $4::smallint[], $5::int[], $6::text[], $7::uuid[], $8::uuid[]) as k
  on conflict (tenant_id, flow_id, target_id, lane, key_hash) do nothing`;

/** A key that is blocked already stays with the record that blocked it first. */
export async function blockKeys(tx: TenantTx, keys: readonly NewBlockedKey[], keysMax = blockedKeysMax): Promise<void> {
  for (const own of Map.groupBy(keys, ({ flowId, targetId }) => `${flowId} ${targetId}`).values()) {
    const { flowId, targetId } = own[0]!;
    const known = (await tx.query<{ count: number }>(countKeys, [tx.tenantId, flowId, targetId, keysMax])).rows[0]!.count;
    const rows = bounded(own, keysMax - known);
    await tx.query(insertKeys, [
      tx.tenantId,
      rows.map((row) => row.flowId),
      rows.map((row) => row.targetId),
      rows.map((row) => row.lane),
      rows.map((row) => row.laneScheme),
      rows.map((row) => row.keyHash),
      rows.map((row) => row.jobId),
      rows.map((row) => row.deadLetterId),
    ]);
  }
}

/** The first record of each key; those that there is no room for block their lanes. */
function bounded(keys: readonly NewBlockedKey[], room: number): NewBlockedKey[] {
  const found = new Map<string, NewBlockedKey>();
  let left = room;
  for (const key of keys) {
    if (found.has(`${key.lane} ${key.keyHash}`)) continue;
    if (left-- > 0) found.set(`${key.lane} ${key.keyHash}`, key);
    else if (!found.has(`${key.lane} ${everyKey}`)) found.set(`${key.lane} ${everyKey}`, { ...key, keyHash: everyKey });
  }
  return [...found.values()];
}

/**
 * Of batch `b`: records of its lane that blocked their keys and are sent again by jobs behind it. Files that were accepted before
 * such a job come behind its records all the same, and are held back as they were before it was made.
 */
const sentAgainBehind = `headgate.redrive_members m
  join headgate.jobs r on r.tenant_id = $1 and r.job_id = m.job_id and r.accepted_number > b.order_number / ${batchesPerFileMax}
  join headgate.dead_letters d on d.tenant_id = $1 and d.dead_letter_id = m.dead_letter_id and d.flow_id = b.flow_id and d.target_id = b.target_id
  where m.tenant_id = $1 and m.settled is null and m.lane is not null and (m.lane = b.lane or m.lane_scheme <> b.lane_scheme)
    and not exists (select from headgate.jobs o where o.tenant_id = $1 and o.job_id = b.job_ids[1] and o.redrive ->> 'id' = m.redrive_id::text)`;

const ofTarget = 'headgate.blocked_keys k where k.tenant_id = $1 and k.flow_id = b.flow_id and k.target_id = b.target_id';
/** In parts, each of which an index answers: of its lane, and of other lanes, where its keys may lie in any. */
const ofLane = [
  `${ofTarget} and k.lane = b.lane`,
  `${ofTarget} and k.lane_scheme < b.lane_scheme`,
  `${ofTarget} and k.lane_scheme > b.lane_scheme`,
];

/** Whether a record of batch `b` may be held back. */
export const hasBlockedKeys = `b.lane >= 0 and (${[...ofLane, sentAgainBehind].map((blocking) => `exists (select from ${blocking})`).join(' or ')})`;

const selectOfBatch = `/* read blocked keys */
  select x.key_hash as "keyHash", x.dead_letter_id as "deadLetterId" from headgate.batches b
  cross join lateral (${ofLane.map((blocking) => `select k.key_hash, k.dead_letter_id from ${blocking} union`).join(' ')} select m.key_hash, m.dead_letter_id from ${sentAgainBehind}) x
  where b.tenant_id = $1 and b.batch_id = $2`;

/** Hashes of the keys that are blocked for the batch, each with the dead letter that blocks it; `everyKey` among them blocks all. */
export async function readBlockedKeys(tx: TenantTx, { batchId }: { readonly batchId: string }): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<BlockedKey>(selectOfBatch, [tx.tenantId, batchId]);
  return new Map(rows.map(({ keyHash, deadLetterId }) => [keyHash, deadLetterId]));
}

interface BlockedKey {
  readonly keyHash: string;
  readonly deadLetterId: string;
}

const selectByHash = `/* find blocked keys */
  select key_hash as "keyHash", dead_letter_id as "deadLetterId" from headgate.blocked_keys
  where tenant_id = $1 and flow_id = $2 and target_id = $3 and key_hash = any ($4::text[])`;

/** Which of these keys are blocked, each with the dead letter that blocks it. Of lanes that are blocked as a whole it knows nothing. */
export async function findBlockedKeys(
  tx: TenantTx,
  { flowId, targetId, keyHashes }: Pick<NewBlockedKey, 'flowId' | 'targetId'> & { readonly keyHashes: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<BlockedKey>(selectByHash, [tx.tenantId, flowId, targetId, keyHashes]);
  return new Map(rows.map(({ keyHash, deadLetterId }) => [keyHash, deadLetterId]));
}

export interface BlockedKeyView {
  /** Of the record whose end blocked the key. */
  readonly deadLetterId: string;
  readonly jobId: string;
  readonly flow: string;
  readonly targetId: string;
  readonly recordNumber: number;
  readonly cause: DeadLetterCause;
  readonly code: string;
  /** The target had too many blocked keys: all that share the lane of this one are held back. */
  readonly isWholeLane: boolean;
  readonly blockedAt: Date;
}

export interface BlockedKeyFilter {
  readonly deadLetterId?: string;
  readonly jobId?: string;
  readonly flow?: string;
  readonly targetId?: string;
}

const matches = `k.tenant_id = $1 and ($2::uuid is null or k.dead_letter_id = $2) and ($3::uuid is null or k.job_id = $3)
  and ($4::text is null or f.name = $4) and ($5::text is null or k.target_id = $5)`;

const selectPage = `/* list blocked keys */
  select k.dead_letter_id as "deadLetterId", k.job_id as "jobId", f.name as flow, k.target_id as "targetId", d.record_number as "recordNumber",
    d.cause, d.code, k.key_hash = '' as "isWholeLane", k.blocked_at as "blockedAt"
  from headgate.blocked_keys k
  join headgate.flows f on f.tenant_id = k.tenant_id and f.flow_id = k.flow_id
  join headgate.dead_letters d on d.tenant_id = k.tenant_id and d.dead_letter_id = k.dead_letter_id
  where ${matches} and ($6::uuid is null or k.dead_letter_id < $6) order by k.dead_letter_id desc limit $7`;

/** Newest first, at most `limit`; `before`: the last dead letter's id of the page before. */
export async function listBlockedKeys(
  tx: TenantTx,
  filter: BlockedKeyFilter,
  page: { readonly before?: string; readonly limit: number },
): Promise<BlockedKeyView[]> {
  return (await tx.query<BlockedKeyView>(selectPage, [tx.tenantId, ...filterValues(filter), page.before ?? null, page.limit])).rows;
}

function filterValues({ deadLetterId, jobId, flow, targetId }: BlockedKeyFilter) {
  return [deadLetterId ?? null, jobId ?? null, flow ?? null, targetId ?? null];
}

const selectChosen = `/* find blocked keys to release */
  select k.dead_letter_id as "deadLetterId" from headgate.blocked_keys k join headgate.flows f on f.tenant_id = k.tenant_id and f.flow_id = k.flow_id
  where ${matches}`;

/** All that a release would free, of which a page of the list may be a part. */
export async function previewRelease(tx: TenantTx, filter: BlockedKeyFilter): Promise<{ readonly version: string; readonly keys: number }> {
  const { rows } = await tx.query<{ deadLetterId: string }>(selectChosen, [tx.tenantId, ...filterValues(filter)]);
  return { version: versionOfIds(rows.map(({ deadLetterId }) => deadLetterId)), keys: rows.length };
}

const deleteKeys = `/* release blocked keys */
  delete from headgate.blocked_keys b using headgate.blocked_keys k join headgate.flows f on f.tenant_id = k.tenant_id and f.flow_id = k.flow_id
  where ${matches} and b.tenant_id = k.tenant_id and b.flow_id = k.flow_id and b.target_id = k.target_id and b.lane = k.lane and b.key_hash = k.key_hash
  returning b.dead_letter_id as "deadLetterId", b.target_id as "targetId"`;

export interface KeyRelease {
  readonly filter: BlockedKeyFilter;
  /** In words, kept in the events. */
  readonly reason: string;
  readonly actor: string;
  /** `version` of the preview that was shown; left out, what is chosen is taken as it is. */
  readonly previewed?: string;
}

/**
 * Records of these keys are sent again from now on; those that were held back stay dead letters. Returns how many keys it freed. Fails
 * with E_BLOCKED_KEY_STALE: nothing of this transaction may then be kept.
 */
export async function releaseKeys(tx: TenantTx, ids: Ids, { filter, reason, actor, previewed }: KeyRelease): Promise<number> {
  const { rows } = await tx.query<{ deadLetterId: string; targetId: string }>(deleteKeys, [tx.tenantId, ...filterValues(filter)]);
  if (previewed !== undefined && previewed !== versionOfIds(rows.map(({ deadLetterId }) => deadLetterId)))
    throw new HeadgateError(deliveryErrors.E_BLOCKED_KEY_STALE, 'the chosen blocked keys are not those that were previewed');
  await recordEvents(
    tx,
    ids,
    rows.map(({ deadLetterId, targetId }) => ({
      type: 'dead_letter.key_released',
      objectId: deadLetterId,
      from: '',
      to: '',
      actor,
      traceId: null,
      detail: { target: targetId, reason },
    })),
  );
  return rows.length;
}
