/**
 * Idempotency keys: the answer to a key is kept in the transaction that does what was asked, so that a key has an answer
 * exactly when it happened. Of two requests with one key at once, the second waits for the first's COMMIT. A key belongs to
 * its tenant and scope; answers hold ids, states and changes of configuration, never content or secrets. Kept for `keptKeyMs` at least.
 */
import { createHash } from 'node:crypto';
import { HeadgateError } from '../base/errors.ts';
import type { TenantTx } from '../tenancy/tenant-scope.ts';
import { accessErrors } from './access-errors.ts';

/** Uploads, and what people decide: a key of one has nothing to do with the same key of the other. */
export type KeyScope = 'files' | 'decisions';

export interface KeyedRequest {
  readonly scope: KeyScope;
  readonly key: string;
  /** Of what must be the same for a repeated key to get the same answer. */
  readonly requestHash: string;
}

/** Thrown in the accepting transaction when another request with the key was faster. */
export class KeyTakenError extends Error {}

export interface KeptAnswer<Answer> {
  readonly requestHash: string;
  readonly response: Answer;
}

/** How long an answer is kept at least, by the database's clock. */
const keptKeyMs = 7 * 24 * 60 * 60_000;

const selectKey = `/* find idempotency key */
  select request_hash as "requestHash", response from headgate.idempotency_keys where tenant_id = $1 and scope = $2 and key = $3`;
const insertKey = `/* take idempotency key */
  insert into headgate.idempotency_keys (tenant_id, scope, key, request_hash, status, response, created_at)
  values ($1, $2, $3, $4, 0, 'null', headgate.clock()) on conflict do nothing`;
const updateKey = `/* keep answer under idempotency key */
  update headgate.idempotency_keys set status = $4, response = $5 where tenant_id = $1 and scope = $2 and key = $3`;

export async function findKeptAnswer<Answer>(
  tx: TenantTx,
  { scope, key }: Pick<KeyedRequest, 'scope' | 'key'>,
): Promise<KeptAnswer<Answer> | undefined> {
  const kept = (await tx.query<KeptAnswer<Answer | string>>(selectKey, [tx.tenantId, scope, key])).rows[0];
  return kept && { ...kept, response: (typeof kept.response === 'string' ? JSON.parse(kept.response) : kept.response) as Answer };
}

/** Fails with KeyTakenError when the key has an answer. */
export async function takeKey(tx: TenantTx, { scope, key, requestHash }: KeyedRequest): Promise<void> {
  const { rowCount } = await tx.query(insertKey, [tx.tenantId, scope, key, requestHash]);
  if (rowCount === 0) throw new KeyTakenError('the idempotency key was taken meanwhile');
}

/** Kept as its text: jsonb would put the keys of an object into another order, and a repeat has the answer that was given. */
export async function keepAnswer(
  tx: TenantTx,
  { scope, key }: Pick<KeyedRequest, 'scope' | 'key'>,
  answer: { readonly status: number; readonly response: unknown },
): Promise<void> {
  await tx.query(updateKey, [tx.tenantId, scope, key, answer.status, JSON.stringify(JSON.stringify(answer.response))]);
}

/** The answer that a request with this key got. Fails with E_KEY_REUSED when that was another request. */
export function sameAnswer<Answer>(kept: KeptAnswer<Answer>, requestHash: string): Answer {
  if (kept.requestHash === requestHash) return kept.response;
  throw new HeadgateError(accessErrors.E_KEY_REUSED, 'this Idempotency-Key came before with another request');
}

/**
 * Does the work and keeps its answer, or gives the answer that was kept, in the caller's transaction and before anything
 * else in it is locked. What fails keeps nothing, so that it can be asked again. Fails with E_KEY_REUSED.
 */
export async function answerOnce<Answer>(tx: TenantTx, keyed: KeyedRequest | undefined, work: () => Promise<Answer>): Promise<Answer> {
  if (keyed === undefined) return await work();
  try {
    await takeKey(tx, keyed);
  } catch (error) {
    if (!(error instanceof KeyTakenError)) throw error;
    const kept = await findKeptAnswer<Answer>(tx, keyed);
    if (kept === undefined) throw new HeadgateError(accessErrors.E_KEY_REUSED, 'this Idempotency-Key was used by another request just now');
    return sameAnswer(kept, keyed.requestHash);
  }
  const response = await work();
  await keepAnswer(tx, keyed, { status: 200, response });
  return response;
}

const deleteExpired = `/* delete expired idempotency keys */
  delete from headgate.idempotency_keys k
  using (select e.scope, e.key from headgate.idempotency_keys e
         where e.tenant_id = $1 and e.created_at < (select headgate.clock()) - $2 * interval '1 millisecond'
         order by e.created_at limit $3 for update skip locked) d
  where k.tenant_id = $1 and k.scope = d.scope and k.key = d.key`;

/** Of the scope's tenant, the oldest first, at most `rowsMax`. Returns how many. */
export async function deleteExpiredKeys(tx: TenantTx, rowsMax: number): Promise<number> {
  return (await tx.query(deleteExpired, [tx.tenantId, keptKeyMs, rowsMax])).rowCount;
}

export function hashOfRequest(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Fails with E_IDEMPOTENCY_KEY. */
export function checkKey(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new HeadgateError(accessErrors.E_IDEMPOTENCY_KEY, 'the Idempotency-Key is not 1 to 255 visible ASCII characters');
  return key;
}
