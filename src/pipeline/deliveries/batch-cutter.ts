/**
 * Cuts the output segments of accepted jobs into delivery batches. Batches are ranges of sealed segments: no byte is
 * copied. Together they hold every routed record exactly once and no excluded one; jobs of one group share batches, and a
 * batch that is one whole segment keeps the segment's own hash.
 */
import type { Ids, Sleep } from '../../platform/base/ports.ts';
import type { SealedObject, SealedStore } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { Stripe } from '../engine/chunk.ts';
import type { Exclusion } from '../engine/file/duplicates.ts';
import type { Plan } from '../engine/plan.ts';
import { type BatchSpan, type NewBatch, noLane, orderNumberOf } from './batch.ts';
import { BatchBuilder, type BuiltBatch, type RecordRun } from './batch-builder.ts';
import { insertCutBatches } from './batch-insert.ts';
import { hashBody } from './body-hash.ts';
import { keyLaneRuns } from './key-lanes.ts';
import { SegmentReaders } from './segment-readers.ts';
import { stripeRuns } from './stripe-runs.ts';
import type { WorkQueue } from './work-queue-port.ts';

export interface CutInput {
  readonly tenantId: string;
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly traceParent: string | null;
  readonly actor: string;
  /** In order of acceptance. More than one: small jobs of one group, which may share batches. */
  readonly jobs: readonly CutJob[];
}

export interface CutJob {
  readonly jobId: string;
  readonly lineageId: string;
  readonly acceptedNumber: number;
  /** The raw file: read only where lanes by key need the amounts of single records. */
  readonly file: SealedObject;
  readonly chunks: readonly CutChunk[];
  readonly outputs: readonly CutOutput[];
  readonly exclusions: readonly Exclusion[];
}

export interface CutChunk {
  readonly chunkNumber: number;
  /** Of the chunk's context. */
  readonly columns: readonly string[] | null;
  /** Where the chunk's outcome segments lie, one behind the other. */
  readonly outcomes: { readonly segmentId: string; readonly object: SealedObject; readonly start: number; readonly end: number };
}

/** A chunk's part of a target's segment. */
export interface CutOutput {
  /** Index into `plan.targets`. */
  readonly target: number;
  readonly chunkNumber: number;
  readonly segment: { readonly segmentId: string; readonly object: SealedObject };
  /** Where the part starts in the segment; stripes count from here. */
  readonly start: number;
  readonly stripes: readonly Stripe[];
}

export interface CutServices {
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly ports: { readonly ids: Ids; readonly sleep: Sleep };
}

/** What `prepareBatches` found: to be written in the transaction that starts the deliveries. */
export interface PreparedCut {
  readonly input: CutInput;
  readonly batches: readonly NewBatch[];
}

const runsBetweenPauses = 2_000;

/** Prepares and writes in one go. Fails as the sealed store and the database do, and then nothing was written. */
export async function cutBatches(tx: TenantTx, input: CutInput, services: CutServices): Promise<void> {
  await insertCutBatches(tx, await prepareBatches(input, services), services);
}

/** Reads and hashes outside any transaction; for the same input it gives the same batches but for their ids. */
export async function prepareBatches(input: CutInput, services: Pick<CutServices, 'store' | 'ports'>): Promise<PreparedCut> {
  const readers = new SegmentReaders(services.store, input.tenantId);
  try {
    const batches: NewBatch[] = [];
    for (let target = 0; target < input.plan.targets.length; target++) {
      batches.push(...(await cutTarget(input, target, readers, services.ports)));
    }
    return { input, batches };
  } finally {
    readers.close();
  }
}

async function cutTarget(
  input: CutInput,
  target: number,
  readers: SegmentReaders,
  ports: { readonly ids: Ids; readonly sleep: Sleep },
): Promise<NewBatch[]> {
  const plan = input.plan.targets[target]!;
  const builders = new Map<number, BatchBuilder>();
  const batches: NewBatch[] = [];
  let sequence = 0;
  const close = async (lane: number, built: BuiltBatch | null) => {
    if (built === null) return;
    batches.push({
      batchId: ports.ids.next(),
      parentBatchId: null,
      targetId: plan.id,
      lane,
      orderNumber: orderNumberOf(built.acceptedNumber, sequence++),
      spans: built.spans,
      members: built.members,
      records: built.records,
      bytes: built.bytes,
      bodySha256: await bodyHash(built, segments, readers, ports.sleep),
      attempts: 0,
      unknownAttempts: 0,
    });
  };
  const segments = new Map(input.jobs.flatMap((job) => job.outputs.map(({ segment }) => [segment.segmentId, segment.object] as const)));
  const sharesBatches = plan.settings['rollUp'] !== false;
  let runs = 0;
  let jobId: string | null = null;
  for (const { lane, run } of laneRuns(input, target, readers)) {
    // Runs of lanes are single records, each read again: let others have the event loop.
    if (++runs % runsBetweenPauses === 0) await ports.sleep.sleep(0);
    if (!sharesBatches && jobId !== null && jobId !== run.jobId) {
      for (const [open, builder] of builders) await close(open, builder.finish());
    }
    jobId = run.jobId;
    let builder = builders.get(lane);
    if (builder === undefined) builders.set(lane, (builder = new BatchBuilder(plan)));
    await close(lane, builder.add(run));
  }
  for (const [lane, builder] of builders) await close(lane, builder.finish());
  return batches;
}

/** Every run of records for a target, with the lane it belongs to, in the order of acceptance and of the file. */
function* laneRuns(input: CutInput, target: number, readers: SegmentReaders): Generator<{ lane: number; run: RecordRun }> {
  const { plan } = input;
  const { order } = plan.targets[target]!;
  for (const job of input.jobs) {
    const outputs = job.outputs.filter((output) => output.target === target).sort((a, b) => a.chunkNumber - b.chunkNumber);
    for (const output of outputs) {
      if (order === 'by-key') yield* keyLaneRuns(plan, job, output, readers);
      else for (const run of stripeRuns(plan, job, output, readers)) yield { lane: order === 'file' ? 0 : noLane, run };
    }
  }
}

async function bodyHash(
  built: BuiltBatch,
  segments: ReadonlyMap<string, SealedObject>,
  readers: SegmentReaders,
  sleep: Sleep,
): Promise<string> {
  const [only] = built.spans;
  const whole = segments.get(only!.segmentId)!;
  if (isWhole(built.spans, whole)) return whole.sha256;
  return await hashBody(built.spans, built.bytes, (segmentId) => readers.open(segments.get(segmentId)!), sleep);
}

function isWhole(spans: readonly BatchSpan[], object: SealedObject): boolean {
  const [span] = spans;
  return spans.length === 1 && span!.ranges.length === 2 && span!.ranges[0] === 0 && span!.ranges[1] === object.bytes;
}
