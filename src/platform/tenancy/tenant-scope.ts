/**
 * The only door to tenant tables: a transaction with the tenant set for its duration, which row-level security reads. The
 * pool makes sure that no tenant stays on the connection afterwards. A scope inside a scope is refused: one transaction
 * works for one tenant.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { defineErrors, HeadgateError } from '../base/errors.ts';
import type { Db, TransactionOptions, Tx } from '../postgres/database.ts';

export const tenancyErrors = defineErrors({
  E_TENANT_ID: {
    meaning: 'A tenant id is not a UUID.',
    actor: 'caller',
    next: 'Give the id of the tenant in lower case with hyphens, as `headgate` prints it.',
  },
  E_TENANT_NESTED: {
    meaning: 'A tenant scope was opened inside another one.',
    actor: 'operator',
    next: 'Report this: the product mixes two units of work.',
  },
});

/** A transaction that sees one tenant's rows only. Functions that touch tenant tables take this type. */
export interface TenantTx extends Tx {
  readonly tenantId: string;
}

/** The setting that every policy reads. */
const tenantSetting = 'headgate.tenant';

const openScopes = new AsyncLocalStorage<{ isOpen: boolean }>();
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export type TenantScopeOptions = Omit<TransactionOptions, 'localSettings'>;

/**
 * Runs `fn` in one transaction that sees this tenant only; commits and fails like `Db.transaction`. Fails with E_TENANT_ID
 * before anything is sent, and with E_TENANT_NESTED inside another scope.
 */
export async function withTenant<T>(
  db: Db,
  tenantId: string,
  fn: (tx: TenantTx) => Promise<T>,
  options: TenantScopeOptions = {},
): Promise<T> {
  if (typeof tenantId !== 'string' || !uuid.test(tenantId))
    throw new HeadgateError(tenancyErrors.E_TENANT_ID, 'the tenant id is not a UUID');
  if (openScopes.getStore()?.isOpen) throw new HeadgateError(tenancyErrors.E_TENANT_NESTED, 'a tenant scope was opened inside another one');
  const scope = { isOpen: true };
  return openScopes.run(scope, async () => {
    try {
      return await db.transaction((tx) => fn({ ...tx, tenantId }), { ...options, localSettings: { [tenantSetting]: tenantId } });
    } finally {
      scope.isOpen = false;
    }
  });
}
