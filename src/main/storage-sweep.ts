/**
 * Removes objects that no row names: what a crash left between an object and its row. Runs on the leader only, slowly, and
 * only what has been without a row for the grace. A name holds its tenant, so each is looked up in that tenant's scope, and once
 * more before it is removed, while no late row is committed.
 */
import { holdLateRows } from '../pipeline/arrivals/late-rows.ts';
import type { PollingLoop } from '../platform/base/polling-loop.ts';
import type { Clock } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { RawStore, StoredName } from '../platform/storage/object-store.ts';
import { createOrphanSweep } from '../platform/storage/orphan-sweep.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';
import { createLeaderLoop, type LeaderLoopOptions } from './leader-loop.ts';

export interface StorageSweepOptions extends LeaderLoopOptions {
  /** Another installation, with a database of its own, may keep its objects in the same place. */
  readonly cell: string;
  readonly raw: RawStore;
}

const graceMs = 60 * 60_000;
/** Members of an archive are stored as they come, and named once all of it has come. */
const slowestArrivalMs = 24 * 60 * 60_000;
/** Of one transaction, within what others wait for its lock, and the database lets it idle: a remote store may take 20 s for the last of them. */
const removingMs = 10_000;
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As `object-name.ts` makes them. */
const namePattern = new RegExp(`^([^/]+)/(${uuid})/[^/]+/[^/]+/(${uuid})(?:_[^/]*)?$`);
const arrivalPattern = /^[^/]+\/[^/]+\/raw\//;

const selectNamed = `/* find named objects */
  select object_id as "objectId" from headgate.files where tenant_id = $1 and object_id = any($2)
  union all select container_object_id from headgate.files where tenant_id = $1 and container_object_id = any($2)
  union all select object_id from headgate.arrivals where tenant_id = $1 and object_id = any($2)
  union all select object_id from headgate.segments where tenant_id = $1 and object_id = any($2)`;

export function createStorageSweep(options: StorageSweepOptions): PollingLoop {
  const { raw, db, cell, ports, logger } = options;
  const sweep = createOrphanSweep({
    raw,
    clock: ports.clock,
    graceMs,
    isReferenced: (names) => findReferenced({ db, cell }, names),
    mayWait: (object) => mayWait(object, ports.clock.nowMs()),
    removeUnnamed: (names, remove) => removeUnnamed({ db, cell, clock: ports.clock }, names, remove),
  });
  return createLeaderLoop('storage-sweep', options, async (signal) => {
    const result = await sweep.sweep(signal);
    if (result.removedObjects + result.removedUnfinished > 0) logger.info('orphans removed', { ...result });
  });
}

/** Of the store's clock and this one's, for a wait alone: a clock that jumps ends it, and the grace comes still. */
export function mayWait({ name, modifiedMs }: Pick<StoredName, 'name' | 'modifiedMs'>, nowMs: number): boolean {
  return arrivalPattern.test(name) && nowMs - modifiedMs < slowestArrivalMs;
}

interface OwnNames {
  readonly db: Db;
  readonly cell: string;
}

/** A name that this program did not make, or not for this cell, counts as referenced: it is not ours to remove. */
export async function findReferenced({ db, cell }: OwnNames, names: readonly string[]): Promise<ReadonlySet<string>> {
  const { byTenant, others } = grouped(cell, names);
  const referenced = new Set(others);
  for (const [tenantId, known] of byTenant)
    for (const name of await withTenant(db, tenantId, (tx) => findNamed(tx, known), { readOnly: true })) referenced.add(name);
  return referenced;
}

/** What takes too long is left for another pass. */
export async function removeUnnamed(
  { db, cell, clock }: OwnNames & { readonly clock: Pick<Clock, 'monotonicMs'> },
  names: readonly string[],
  remove: (name: string) => void,
): Promise<void> {
  for (const [tenantId, known] of grouped(cell, names).byTenant)
    await withTenant(
      db,
      tenantId,
      async (tx) => {
        await holdLateRows(tx);
        const heldMs = clock.monotonicMs();
        const named = await findNamed(tx, known);
        for (const name of known.values()) {
          if (clock.monotonicMs() - heldMs > removingMs) return;
          if (!named.has(name)) remove(name);
        }
      },
      { readOnly: true },
    );
}

type ByObjectId = ReadonlyMap<string, string>;

function grouped(
  cell: string,
  names: readonly string[],
): { readonly byTenant: ReadonlyMap<string, ByObjectId>; readonly others: readonly string[] } {
  const byTenant = new Map<string, Map<string, string>>();
  const others: string[] = [];
  for (const name of names) {
    const match = namePattern.exec(name);
    if (match?.[1] !== cell) others.push(name);
    else {
      const [, , tenantId, objectId] = match as unknown as [string, string, string, string];
      const known = byTenant.get(tenantId) ?? new Map<string, string>();
      byTenant.set(tenantId, known.set(objectId, name));
    }
  }
  return { byTenant, others };
}

async function findNamed(tx: TenantTx, known: ByObjectId): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ objectId: string }>(selectNamed, [tx.tenantId, [...known.keys()]]);
  return new Set(rows.map(({ objectId }) => known.get(objectId)!));
}
