/**
 * The queue level: claims of the work queue in batches of 200, on a durable PostgreSQL. A claim must cost the same with ten
 * times the tenants that have work, and with ten times the items that wait; every claim is of ready items only.
 */
import { join } from 'node:path';
import { addWork, claimWork } from '../src/control/jobs/queue/work-queue.ts';
import type { WorkKind } from '../src/pipeline/deliveries/work-queue-port.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import type { Db } from '../src/platform/postgres/database.ts';
import { openDatabase } from '../src/platform/postgres/open-database.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, type Measured } from './comparison.ts';

const batchItems = 200;
const leaseMs = 600_000;
const { ids } = systemPorts;

export async function runQueueLevel(context: BenchContext): Promise<BenchRun[]> {
  const scale = context.isQuick ? 20 : 1;
  const [tenantsMany, itemsMany] = [1_000 / scale, 100_000 / scale];
  const pairs = context.isQuick ? 2 : 20;
  const opened = await openDatabase({ dataDir: join(context.folder, 'queue'), applicationName: 'headgate bench', ports: systemPorts });
  try {
    const { db } = opened;
    context.progress(`queue, ${itemsMany} items of ${tenantsMany} tenants`);
    const tenants: string[] = [];
    for (let index = 0; index < tenantsMany; index++)
      tenants.push(await ensureTenant(db, ids, { name: `bench-${index}`, cell: 'local', region: 'local' }));
    // Each kind of work is a queue of its own.
    await fill(db, 'chunks', tenants, itemsMany);
    await fill(db, 'check', tenants.slice(0, tenantsMany / 10), itemsMany);
    await fill(db, 'close', tenants, itemsMany / 10);
    const claim = (kind: WorkKind) => () => claimBatch(db, kind);
    await claim('chunks')();
    await claim('check')();
    const options = { level: 'queue', units: batchItems, pairs, bar: { kind: 'at-most', value: 1.1 }, ours: claim('chunks') } as const;
    return [
      await compare({ ...options, case: `claims, ${tenantsMany} tenants`, against: `${tenantsMany / 10} tenants`, theirs: claim('check') }),
      await compare({ ...options, case: `claims, ${itemsMany} items`, against: `${itemsMany / 10} items`, theirs: claim('close') }),
    ];
  } finally {
    await opened.close();
  }
}

async function fill(db: Db, kind: WorkKind, tenants: readonly string[], items: number): Promise<void> {
  const each = Math.ceil(items / tenants.length);
  for (const tenantId of tenants)
    await withTenant(db, tenantId, (tx) =>
      addWork(
        tx,
        ids,
        Array.from({ length: each }, () => ({ kind, referenceId: ids.next() })),
      ),
    );
}

async function claimBatch(db: Db, kind: WorkKind): Promise<Measured> {
  const startedAt = performance.now();
  const claimed = await claimWork(db, kind, { limit: batchItems, workerId: ids.next(), leaseMs });
  const seconds = (performance.now() - startedAt) / 1_000;
  if (claimed.length !== batchItems) throw new Error(`${claimed.length} of ${batchItems} items of kind ${kind} were claimed`);
  return { seconds, rssBytes: 0 };
}
