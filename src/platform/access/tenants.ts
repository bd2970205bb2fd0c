/** Tenants of this cell: made once, found by name. What a tenant may do is its policy's; its rows are behind tenant-scope.ts. */
import { HeadgateError } from '../base/errors.ts';
import type { Ids } from '../base/ports.ts';
import type { Db, Queryable } from '../postgres/database.ts';
import { type TenantTx, withTenant } from '../tenancy/tenant-scope.ts';
import { accessErrors } from './access-errors.ts';

export type Tier = 'gold' | 'silver' | 'bronze';

export interface TenantPlace {
  readonly cell: string;
  readonly region: string;
}

const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ensure = '/* ensure tenant */ select headgate.ensure_tenant($1, $2, $3, $4, $5) as "tenantId"';
const insertUsage = '/* start usage */ insert into headgate.tenant_usage (tenant_id) values ($1) on conflict do nothing';
const selectName = '/* find own tenant */ select name, tier, cell, region from headgate.tenants where tenant_id = $1';

/** The tenant's id, made if there is none of this name; its tier is set to the one given. */
export async function ensureTenant(
  db: Db,
  ids: Ids,
  tenant: TenantPlace & { readonly name: string; readonly tier?: Tier },
): Promise<string> {
  checkTenantName(tenant.name);
  const { rows } = await db.query<{ tenantId: string }>(ensure, [
    ids.next(),
    tenant.name,
    tenant.tier ?? 'silver',
    tenant.cell,
    tenant.region,
  ]);
  const { tenantId } = rows[0]!;
  await withTenant(db, tenantId, (tx) => tx.query(insertUsage, [tenantId]));
  return tenantId;
}

/** Fails with E_TENANT_NAME. */
export function checkTenantName(name: string): void {
  if (!namePattern.test(name)) throw new HeadgateError(accessErrors.E_TENANT_NAME, 'this is no name for a tenant');
}

/** Sets the tier of the scope's tenant, and with it the tenant's share of the workers, in the caller's transaction. */
export async function setTier(tx: TenantTx, tier: Tier): Promise<void> {
  const tenant = await findOwnTenant(tx);
  await tx.query(ensure, [tx.tenantId, tenant.name, tier, tenant.cell, tenant.region]);
}

/** The tenant of the scope. */
export async function findOwnTenant(tx: TenantTx): Promise<TenantPlace & { readonly name: string; readonly tier: Tier }> {
  const { rows } = await tx.query<TenantPlace & { name: string; tier: Tier }>(selectName, [tx.tenantId]);
  return rows[0]!;
}

export async function findTenant(db: Queryable, name: string): Promise<string | undefined> {
  const { rows } = await db.query<{ tenantId: string | null }>('/* find tenant */ select headgate.find_tenant($1) as "tenantId"', [name]);
  return rows[0]?.tenantId ?? undefined;
}

export async function listTenants(db: Queryable): Promise<{ readonly tenantId: string; readonly name: string }[]> {
  return (
    await db.query<{ tenantId: string; name: string }>(
      '/* list tenants */ select tenant_id as "tenantId", name from headgate.list_tenants()',
    )
  ).rows;
}
