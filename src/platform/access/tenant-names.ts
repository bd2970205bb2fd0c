/**
 * Names of tenants for log lines and spans, where only an id is at hand. A tenant is never renamed: its name is read once in a
 * process.
 */
import type { Db } from '../postgres/database.ts';
import { withTenant } from '../tenancy/tenant-scope.ts';
import { findOwnTenant } from './tenants.ts';

const known = new WeakMap<Db, Map<string, string>>();
const namesMax = 10_000;

/** Never rejects: undefined where it can't be read now. Not to be called inside a tenant's transaction. */
export async function tenantNameOf(db: Db, tenantId: string): Promise<string | undefined> {
  let names = known.get(db);
  if (names === undefined) known.set(db, (names = new Map()));
  const kept = names.get(tenantId);
  if (kept !== undefined) return kept;
  try {
    const { name } = await withTenant(db, tenantId, findOwnTenant, { readOnly: true });
    if (names.size >= namesMax) names.clear();
    names.set(tenantId, name);
    return name;
  } catch {
    return undefined;
  }
}
