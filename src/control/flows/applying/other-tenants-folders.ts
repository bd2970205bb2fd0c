/**
 * Roots of the folder connections of all other tenants, for the question whether a new one meets any of them. Who has them
 * is not told. Needed only where the administrator gave tenants no roots of their own: it reads every tenant.
 */
import { listTenants } from '../../../platform/access/tenants.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { Connection } from '../definition.ts';
import { listDefinitions } from './definition-store.ts';

/** Most connections of a tenant that are looked at. */
const connectionsMax = 100_000;

export async function listFoldersOfOthers(db: Db, tenantId: string): Promise<readonly string[]> {
  const roots: string[] = [];
  for (const other of await listTenants(db)) {
    if (other.tenantId === tenantId) continue;
    const found = await withTenant(db, other.tenantId, (tx) => listDefinitions(tx, 'Connection', connectionsMax), { readOnly: true });
    for (const { document } of found) {
      const { spec } = document as Connection;
      if (spec.type === 'folder') roots.push(spec.root);
    }
  }
  return roots;
}
