/**
 * The loop that cuts files by time: when the window of a collection ends, its parts become batches, one after the other in the
 * order in which their files were accepted, each as full as its target lets it be. What is hashed is read outside the
 * transaction; a job that is cancelled meanwhile takes its parts with it, and the cut is made anew. Nobody waits for long for a part
 * whose bytes can't be read: it becomes a batch of its own, which is held as any batch that can't be read.
 */

import type { NewBatch } from '../../../pipeline/deliveries/batch.ts';
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { deliverWork, insertBatches, recordCut } from '../../../pipeline/deliveries/cutting/batch-insert.ts';
import { hashBody } from '../../../pipeline/deliveries/cutting/body-hash.ts';
import {
  batchOfParts,
  type CollectedPart,
  type Collection,
  endCollection,
  readCollectedParts,
  removeCollection,
  spansOf,
  takeCollectedParts,
} from '../../../pipeline/deliveries/cutting/collected-parts.ts';
import { numberFiles } from '../../../pipeline/deliveries/cutting/file-sequences.ts';
import { SegmentReaders } from '../../../pipeline/deliveries/cutting/segment-readers.ts';
import { isUnreadable } from '../../../pipeline/deliveries/endings/unreadable-codes.ts';
import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { readSegments } from '../groups/segment-rows.ts';
import type { JobFlow, JobServices } from '../job-services.ts';
import { createWorkLoop, type WorkLoop } from '../queue/work-loop.ts';

export interface WindowCloserOptions {
  readonly services: JobServices;
  readonly workerId: string;
  readonly leaseMs: number;
}

const inHandMax = 4;
/** Of one transaction, and so of one file. */
const partsMax = 1_000;
const failedAgainMs = 5_000;
/** What can't be read may be a disk that is away for a moment. */
const triesTogether = 3;

export function createWindowCloser({ services, workerId, leaseMs }: WindowCloserOptions): WorkLoop {
  return createWorkLoop({
    services,
    kind: 'collect',
    workerId,
    leaseMs,
    inHandMax,
    async handle(tenantId, items, done) {
      await Promise.all(items.map((item) => close(services, tenantId, item).finally(() => done(item))));
    },
  });
}

/** What fails is tried again, at growing intervals. */
async function close(services: JobServices, tenantId: string, item: WorkItem): Promise<void> {
  try {
    await cutCollection(services, tenantId, item);
  } catch (error) {
    if (!(error instanceof HeadgateError) || error.code === 'E_FENCED') throw error;
    services.logger.error('a collection could not be cut', { error });
    const delayMs = failedAgainMs * 2 ** Math.min(item.attempts, 6);
    await withTenant(services.db, tenantId, (tx) => services.queue.releaseWork(tx, [{ ...item, delayMs }]));
  }
}

interface LoadedCollection {
  readonly collection: Collection;
  readonly flow: JobFlow;
  readonly parts: readonly CollectedPart[];
  readonly objects: ReadonlyMap<string, SealedObject>;
}

async function cutCollection(services: JobServices, tenantId: string, item: WorkItem): Promise<void> {
  const { db, queue, ports, crashPoints } = services;
  const loaded = await withTenant(db, tenantId, (tx) => load(tx, services, item.referenceId));
  if (loaded === null) return await withTenant(db, tenantId, (tx) => queue.finishWork(tx, [item]));
  const { collection, flow, parts } = loaded;
  const batches = await mergeParts(services, tenantId, loaded, { setsApart: item.attempts > triesTogether });
  const input = { ...collection, plan: flow.plan, traceParent: null, actor: 'system' };
  const isLast = parts.length < partsMax;
  let isCut = false;
  await commitForCertain(services, tenantId, async (tx) => {
    await queue.endWork(tx, [{ ...item, delayMs: isLast ? null : 0 }]);
    if (!(await takeCollectedParts(tx, parts))) throw new PartsGone();
    const numbered = await numberFiles(tx, { input, batches });
    await insertBatches(tx, input, numbered);
    await queue.addWork(
      tx,
      numbered.map((batch) => deliverWork(collection.flowId, batch)),
    );
    await recordCut(tx, ports.ids, input, numbered);
    if (isLast) await removeCollection(tx, collection.collectionId);
    crashPoints.reach('collections.before-commit');
    isCut = true;
  }).catch(async (error: unknown) => {
    if (!(error instanceof PartsGone)) throw error;
    await withTenant(db, tenantId, (tx) => queue.releaseWork(tx, [{ ...item, delayMs: 0 }]));
  });
  if (isCut) services.signals.deliver.notify();
}

class PartsGone extends Error {}

async function load(
  tx: Parameters<Parameters<typeof withTenant>[2]>[0],
  services: JobServices,
  collectionId: string,
): Promise<LoadedCollection | null> {
  const collection = await endCollection(tx, collectionId);
  if (collection === undefined) return null;
  const parts = await readCollectedParts(tx, collectionId, partsMax);
  const segmentIds = parts.flatMap(({ spans }) => spans.map(({ segmentId }) => segmentId));
  const flow = await services.flows.load(tx, collection.flowVersionId);
  return { collection, flow, parts, objects: await readSegments(tx, segmentIds) };
}

async function mergeParts(
  { store, ports }: JobServices,
  tenantId: string,
  { collection, flow, parts, objects }: LoadedCollection,
  { setsApart }: { readonly setsApart: boolean },
): Promise<NewBatch[]> {
  const target = flow.plan.targets.find(({ id }) => id === collection.targetId)!;
  const readers = new SegmentReaders(store, tenantId);
  const open = (segmentId: string) => readers.open(objects.get(segmentId)!);
  const hashOf = (group: readonly CollectedPart[]) =>
    hashBody(
      spansOf(group),
      group.reduce((sum, { bytes }) => sum + bytes, 0),
      open,
      ports.sleep,
    );
  const isReadable = (part: CollectedPart) =>
    hashOf([part]).then(
      () => true,
      (error: unknown) => {
        if (isUnreadable(error)) return false;
        throw error;
      },
    );

  /** A part alone keeps the hash that it has. */
  async function merge(group: readonly CollectedPart[]): Promise<NewBatch[]> {
    if (group.length === 0) return [];
    try {
      const bodySha256 = group.length === 1 ? group[0]!.bodySha256 : await hashOf(group);
      return [batchOfParts(group, { batchId: ports.ids.next(), targetId: target.id, bodySha256 })];
    } catch (error) {
      if (!setsApart || !isUnreadable(error)) throw error;
      const apart = new Set<CollectedPart>();
      for (const part of group) if (!(await isReadable(part))) apart.add(part);
      if (apart.size === 0) throw error;
      const others = await merge(group.filter((part) => !apart.has(part)));
      return [...others, ...(await Promise.all([...apart].map((part) => merge([part])))).flat()];
    }
  }

  try {
    const batches: NewBatch[] = [];
    for (const group of fill(parts, target)) for (const batch of await merge(group)) batches.push(batch);
    return batches;
  } finally {
    readers.close();
  }
}

/** Whole parts, in order, up to the target's limits of a file. */
function* fill(parts: readonly CollectedPart[], { batchRecords, batchBytes }: TargetPlan): Generator<CollectedPart[]> {
  let group: CollectedPart[] = [];
  let [records, bytes] = [0, 0];
  for (const part of parts) {
    if (group.length > 0 && (records + part.records > batchRecords || bytes + part.bytes > batchBytes)) {
      yield group;
      [group, records, bytes] = [[], 0, 0];
    }
    group.push(part);
    records += part.records;
    bytes += part.bytes;
  }
  if (group.length > 0) yield group;
}
