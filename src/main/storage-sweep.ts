/**
 * Removes objects that no row names: what a crash left between an object and its row. Runs on the leader only, slowly, and
 * only what has been without a row for the grace. A name holds its tenant, so each is looked up in that tenant's scope.
 */
import type { PollingLoop } from '../platform/base/polling-loop.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { RawStore } from '../platform/storage/object-store.ts';
import { createOrphanSweep } from '../platform/storage/orphan-sweep.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';
import { createLeaderLoop, type LeaderLoopOptions } from './leader-loop.ts';

export interface StorageSweepOptions extends LeaderLoopOptions {
  /** Another installation, with a database of its own, may keep its objects in the same place. */
  readonly cell: string;
  readonly raw: RawStore;
}

const graceMs = 60 * 60_000;
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As `object-name.ts` makes them. */
const namePattern = new RegExp(`^([^/]+)/(${uuid})/[^/]+/[^/]+/(${uuid})(?:_[^/]*)?$`);

const selectNamed = `/* find named objects */
  select object_id as "objectId" from headgate.files where tenant_id = $1 and object_id = any($2)
  union all select container_object_id from headgate.files where tenant_id = $1 and container_object_id = any($2)
  union all select object_id from headgate.arrivals where tenant_id = $1 and object_id = any($2)
  union all select object_id from headgate.segments where tenant_id = $1 and object_id = any($2)`;

export function createStorageSweep(options: StorageSweepOptions): PollingLoop {
  const { raw, db, cell, ports, logger } = options;
  const sweep = createOrphanSweep({ raw, clock: ports.clock, graceMs, isReferenced: (names) => findReferenced(db, cell, names) });
  return createLeaderLoop('storage-sweep', options, async (signal) => {
    const result = await sweep.sweep(signal);
    if (result.removedObjects + result.removedUnfinished > 0) logger.info('orphans removed', { ...result });
  });
}

/** A name that this program did not make, or not for this cell, counts as referenced: it is not ours to remove. */
export async function findReferenced(db: Db, cell: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const referenced = new Set<string>();
  const byTenant = new Map<string, Map<string, string>>();
  for (const name of names) {
    const match = namePattern.exec(name);
    if (match?.[1] !== cell) referenced.add(name);
    else {
      const [, , tenantId, objectId] = match as unknown as [string, string, string, string];
      const known = byTenant.get(tenantId) ?? new Map<string, string>();
      byTenant.set(tenantId, known.set(objectId, name));
    }
  }
  for (const [tenantId, known] of byTenant) {
    const find = async (tx: TenantTx) => (await tx.query<{ objectId: string }>(selectNamed, [tx.tenantId, [...known.keys()]])).rows;
    for (const { objectId } of await withTenant(db, tenantId, find, { readOnly: true })) referenced.add(known.get(objectId)!);
  }
  return referenced;
}
