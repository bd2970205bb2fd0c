/**
 * Cuts the output segments of accepted jobs into delivery batches. Batches are ranges of sealed segments: no byte is
 * copied. Together they hold every routed record exactly once and no excluded one; jobs of one group share batches, and a
 * batch that is one whole segment keeps the segment's own hash.
 */
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import type { Ids, Sleep } from '../../../platform/base/ports.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import { type BatchSpan, type NewBatch, noLane, orderNumberOf } from '../batch.ts';
import { BatchBuilder, type BuiltBatch, type RecordRun } from './batch-builder.ts';
import { hashBody, wholeBytesMax } from './body-hash.ts';
import type { BigBodies, CutInput, PreparedCut } from './cut-input.ts';
import { keyLaneRuns } from './key-lanes.ts';
import { laneSchemeOf } from './lane-scheme.ts';
import { amountRuns } from './record-runs.ts';
import { SegmentReaders } from './segment-readers.ts';
import { stripeRuns } from './stripe-runs.ts';

export type { CutChunk, CutInput, CutJob, CutOutput, PreparedCut } from './cut-input.ts';

export interface CutServices {
  readonly store: SealedStore;
  readonly ports: { readonly ids: Ids; readonly sleep: Sleep };
  /** Where there are none, big bodies are hashed here. */
  readonly bigBodies?: BigBodies;
}

/** `bodySha256` is null while its body, a big one, is still to be hashed. */
type CutBatch = Omit<NewBatch, 'bodySha256'> & { bodySha256: string | null };

const runsBetweenPauses = 2_000;

/** Reads and hashes outside any transaction (`insertCutBatches` writes); for the same input it gives the same batches but for their ids. */
export async function prepareBatches(input: CutInput, services: CutServices): Promise<PreparedCut> {
  const readers = new SegmentReaders(services.store, input.tenantId);
  try {
    const batches: CutBatch[] = [];
    for (let target = 0; target < input.plan.targets.length; target++) {
      // One by one: a call takes some hundred thousand arguments, and a file may have more batches.
      for (const batch of await cutTarget(input, target, readers, services)) batches.push(batch);
    }
    return { input, batches: await withBigBodies(batches, input, services.bigBodies) };
  } finally {
    readers.close();
  }
}

async function cutTarget(input: CutInput, target: number, readers: SegmentReaders, { ports, bigBodies }: CutServices): Promise<CutBatch[]> {
  const plan = input.plan.targets[target]!;
  const builders = new Map<number, BatchBuilder>();
  const batches: CutBatch[] = [];
  const laneScheme = laneSchemeOf(input.plan, plan);
  let sequence = 0;
  const close = async (lane: number, built: BuiltBatch | null) => {
    if (built === null) return;
    batches.push({
      batchId: ports.ids.next(),
      parentBatchId: null,
      targetId: plan.id,
      lane,
      laneScheme,
      orderNumber: orderNumberOf(built.acceptedNumber, sequence++),
      orderOffset: 0,
      fileSequence: null,
      spans: built.spans,
      members: built.members,
      records: built.records,
      bytes: built.bytes,
      bodySha256: await bodyHash(built, segments, readers, { sleep: ports.sleep, leavesBig: bigBodies !== undefined }),
      attempts: 0,
      unknownAttempts: input.possibleDuplicate === true ? 1 : 0,
      heldAttempts: 0,
      decidedAttempts: 0,
      via: null,
    });
  };
  const segments = segmentsOf(input);
  // What lingers is parts of one job each, so that a job that is cancelled meanwhile takes its own with it.
  const sharesBatches = plan.settings['rollUp'] !== false && plan.lingerMs === undefined && plan.type !== 'answers';
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

function segmentsOf({ jobs }: CutInput): ReadonlyMap<string, SealedObject> {
  return new Map(jobs.flatMap((job) => job.outputs.map(({ segment }) => [segment.segmentId, segment.object] as const)));
}

/** Each has its hash when it resolves. */
async function withBigBodies(batches: CutBatch[], input: CutInput, bigBodies: BigBodies | undefined): Promise<NewBatch[]> {
  const big = batches.filter((batch) => batch.bodySha256 === null);
  const segments = segmentsOf(input);
  await forEachAtOnce(big, bigBodies?.size ?? 1, async (batch) => {
    const objects = new Map(batch.spans.map(({ segmentId }) => [segmentId, segments.get(segmentId)!]));
    batch.bodySha256 = await bigBodies!.hashBody({ tenantId: input.tenantId, spans: batch.spans, objects });
  });
  return batches as NewBatch[];
}

/** Every run of records for a target, with the lane it belongs to, in the order of acceptance and of the file. */
function* laneRuns(input: CutInput, target: number, readers: SegmentReaders): Generator<{ lane: number; run: RecordRun }> {
  const { plan } = input;
  const { lanes, batchAmount } = plan.targets[target]!;
  for (const job of input.jobs) {
    const outputs = job.outputs.filter((output) => output.target === target).sort((a, b) => a.chunkNumber - b.chunkNumber);
    for (const output of outputs) {
      if (lanes > 1) yield* keyLaneRuns(plan, job, output, readers);
      else {
        const runs = batchAmount === undefined ? stripeRuns : amountRuns;
        for (const run of runs(plan, job, output, readers)) yield { lane: lanes === 1 ? 0 : noLane, run };
      }
    }
  }
}

async function bodyHash(
  built: BuiltBatch,
  segments: ReadonlyMap<string, SealedObject>,
  readers: SegmentReaders,
  { sleep, leavesBig }: { readonly sleep: Sleep; readonly leavesBig: boolean },
): Promise<string | null> {
  const [only] = built.spans;
  const whole = segments.get(only!.segmentId)!;
  if (isWhole(built.spans, whole)) return whole.sha256;
  if (leavesBig && built.bytes > wholeBytesMax) return null;
  return await hashBody(built.spans, built.bytes, (segmentId) => readers.open(segments.get(segmentId)!), sleep);
}

function isWhole(spans: readonly BatchSpan[], object: SealedObject): boolean {
  const [span] = spans;
  return spans.length === 1 && span!.ranges.length === 2 && span!.ranges[0] === 0 && span!.ranges[1] === object.bytes;
}
