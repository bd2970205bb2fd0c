/**
 * Removes objects that no row names: what a crash left between an object and its row. Runs on the leader only, slowly, and
 * only what has been without a row for the grace. A name holds its tenant, so each is looked up in that tenant's scope.
 */
import { createPollingLoop, type PollingLoop } from '../platform/base/polling-loop.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { RawStore } from '../platform/storage/object-store.ts';
import { createOrphanSweep } from '../platform/storage/orphan-sweep.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';

export interface StorageSweepOptions {
  readonly raw: RawStore;
  readonly db: Db;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'set'>;
  readonly workerId: string;
}

const graceMs = 60 * 60_000;
const pauseMs = 10 * 60_000;
const leaseMs = 20 * 60_000;
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** As `object-name.ts` makes them. */
const namePattern = new RegExp(`^[^/]+/(${uuid})/[^/]+/[^/]+/(${uuid})(?:_[^/]*)?$`);
const lead = '/* lead storage sweep */ select headgate.lead($1, $2, $3) as fence';

const selectNamed = `/* find named objects */
  select object_id as "objectId" from headgate.files where tenant_id = $1 and object_id = any($2)
  union all select container_object_id from headgate.files where tenant_id = $1 and container_object_id = any($2)
  union all select object_id from headgate.arrivals where tenant_id = $1 and object_id = any($2)
  union all select object_id from headgate.segments where tenant_id = $1 and object_id = any($2)`;

export function createStorageSweep({ raw, db, ports, logger, metrics, workerId }: StorageSweepOptions): PollingLoop {
  const sweep = createOrphanSweep({ raw, clock: ports.clock, graceMs, isReferenced: (names) => findReferenced(db, names) });
  return createPollingLoop({
    ports,
    onError: (error) => logger.error('the storage sweep failed and goes on', { error }),
    idleMinMs: pauseMs,
    idleMaxMs: pauseMs,
    async work(signal) {
      const { rows } = await db.query<{ fence: number | null }>(lead, ['storage-sweep', workerId, leaseMs]);
      const isLeader = (rows[0]?.fence ?? null) !== null;
      metrics.set('headgate_is_leader', { role: 'storage-sweep' }, Number(isLeader));
      if (!isLeader) return false;
      const result = await sweep.sweep(signal);
      if (result.removedObjects + result.removedUnfinished > 0) logger.info('orphans removed', { ...result });
      return false;
    },
  });
}

/** A name that this program did not make counts as referenced: it is not ours to remove. */
export async function findReferenced(db: Db, names: readonly string[]): Promise<ReadonlySet<string>> {
  const referenced = new Set<string>();
  const byTenant = new Map<string, Map<string, string>>();
  for (const name of names) {
    const match = namePattern.exec(name);
    if (!match) referenced.add(name);
    else {
      const [, tenantId, objectId] = match as unknown as [string, string, string];
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
