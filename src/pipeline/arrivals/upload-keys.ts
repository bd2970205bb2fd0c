/**
 * Idempotency keys of uploads: the answer to a key is kept in the transaction that accepts the file, so that a key has an
 * answer exactly when the upload happened. Of two requests with one key at once, the second waits for the first's COMMIT.
 */
import { createHash } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from './arrival-errors.ts';

const scope = 'files';

/** Thrown in the accepting transaction when another request with the key was faster. */
export class KeyTakenError extends Error {}

export interface KeptAnswer<Answer> {
  readonly requestHash: string;
  readonly response: Answer;
}

const selectKey = `/* find idempotency key */
  select request_hash as "requestHash", response from headgate.idempotency_keys where tenant_id = $1 and scope = $2 and key = $3`;
const insertKey = `/* take idempotency key */
  insert into headgate.idempotency_keys (tenant_id, scope, key, request_hash, status, response, created_at)
  values ($1, $2, $3, $4, 0, 'null', headgate.clock()) on conflict do nothing`;
const updateKey = `/* keep answer under idempotency key */
  update headgate.idempotency_keys set status = $4, response = $5 where tenant_id = $1 and scope = $2 and key = $3`;

export async function findKeptAnswer<Answer>(tx: TenantTx, key: string): Promise<KeptAnswer<Answer> | undefined> {
  return (await tx.query<KeptAnswer<Answer>>(selectKey, [tx.tenantId, scope, key])).rows[0];
}

/** Fails with KeyTakenError when the key has an answer. */
export async function takeKey(tx: TenantTx, key: string, requestHash: string): Promise<void> {
  const { rowCount } = await tx.query(insertKey, [tx.tenantId, scope, key, requestHash]);
  if (rowCount === 0) throw new KeyTakenError('the idempotency key was taken meanwhile');
}

export async function keepAnswer(
  tx: TenantTx,
  key: string,
  answer: { readonly status: number; readonly response: unknown },
): Promise<void> {
  await tx.query(updateKey, [tx.tenantId, scope, key, answer.status, JSON.stringify(answer.response)]);
}

/** What must be the same for a repeated key to get the same answer. */
export function hashOfRequest(request: { readonly flowName: string; readonly name: string; readonly sha256: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([request.flowName, request.name, request.sha256]))
    .digest('hex');
}

/** Fails with E_IDEMPOTENCY_KEY. */
export function checkKey(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new HeadgateError(arrivalErrors.E_IDEMPOTENCY_KEY, 'the Idempotency-Key is not 1 to 255 visible ASCII characters');
  return key;
}

/** One at a time per key within this process: the second request finds the first one's answer instead of sealing in vain. */
export class KeyQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string | null, work: () => Promise<T>): Promise<T> {
    if (key === null) return work();
    const before = this.#last.get(key);
    const mine = (async () => {
      await before?.catch(() => {});
      return work();
    })();
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
