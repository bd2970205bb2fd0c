/**
 * Cuts the output segments of accepted jobs into delivery batches. Batches are ranges of sealed segments: no byte is
 * copied. Together they hold every routed record exactly once and no excluded one; jobs of one group share batches, and a
 * batch that is one whole segment keeps the segment's own hash.
 */
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import type { Ids, Sleep } from '../../../platform/base/ports.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { usesSequence } from '../../connectors/output-files/file-template.ts';
import type { TargetPlan } from '../../engine/plan.ts';
import { type BatchSpan, type NewBatch, noLane, orderNumberOf } from '../batch.ts';
import { BatchBuilder, type BuiltBatch, type RecordRun } from './batch-builder.ts';
import { hashBody, wholeBytesMax } from './body-hash.ts';
import type { BigBodies, CutInput, CutJob, CutOutput, PreparedCut } from './cut-input.ts';
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
/** In memory at once. A file of more batches is cut while it is written, for it may have a million … */
const preparedMax = 5_000;
/** … so many at a time. */
const pageMax = 1_000;
/** Hashed between two statements of the transaction: some seconds. */
const pageBytesMax = 4 * 1024 ** 3;

/**
 * Reads and hashes outside any transaction (`insertCutBatches` writes), as far as there are few batches; for the same input it gives the
 * same batches but for their ids.
 */
export async function prepareBatches(input: CutInput, services: CutServices): Promise<PreparedCut> {
  const targets = [...input.plan.targets.keys()];
  const batches: CutBatch[] = [];
  for await (const batch of cutTargets(input, targets, services, null)) {
    if (batches.push(batch) > preparedMax) return { input, batches: [], pages: (tx) => cutInPages(input, services, tx) };
  }
  return { input, batches: await withBigBodies(batches, input, services.bigBodies), pages: null };
}

async function* cutInPages(input: CutInput, services: CutServices, tx: TenantTx): AsyncGenerator<readonly NewBatch[]> {
  // Rows that number files are locked before those that collect them, each in the order of their targets, as where all is written at once.
  const { targets } = input.plan;
  const isNumbered = ({ settings, windowMs }: TargetPlan) => usesSequence(settings) && windowMs === undefined;
  const rank = (at: number) => `${isNumbered(targets[at]!) ? 0 : 1} ${targets[at]!.id}`;
  const inOrder = [...targets.keys()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  let page: CutBatch[] = [];
  let bytes = 0;
  for await (const batch of cutTargets(input, inOrder, services, tx)) {
    bytes += batch.bytes;
    if (page.push(batch) < pageMax && bytes < pageBytesMax) continue;
    yield await withBigBodies(page, input, services.bigBodies);
    [page, bytes] = [[], 0];
  }
  if (page.length > 0) yield await withBigBodies(page, input, services.bigBodies);
}

async function* cutTargets(
  input: CutInput,
  targets: readonly number[],
  services: CutServices,
  tx: TenantTx | null,
): AsyncGenerator<CutBatch> {
  const readers = new SegmentReaders(services.store, input.tenantId);
  try {
    for (const target of targets) yield* cutTarget(input, target, { readers, services, tx });
  } finally {
    readers.close();
  }
}

async function* cutTarget(
  input: CutInput,
  target: number,
  { readers, services, tx }: { readonly readers: SegmentReaders; readonly services: CutServices; readonly tx: TenantTx | null },
): AsyncGenerator<CutBatch> {
  const { ports, bigBodies } = services;
  const plan = input.plan.targets[target]!;
  const builders = new Map<number, BatchBuilder>();
  const laneScheme = laneSchemeOf(input.plan, plan);
  let sequence = 0;
  const batchOf = async (lane: number, built: BuiltBatch): Promise<CutBatch> => ({
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
  const segments = segmentsOf(input);
  // What lingers is parts of one job each, so that a job that is cancelled meanwhile takes its own with it.
  const sharesBatches = plan.settings['rollUp'] !== false && plan.lingerMs === undefined && plan.type !== 'answers';
  let runs = 0;
  let jobId: string | null = null;
  for (const { job, output } of outputsOf(input, target))
    for (const { lane, run } of laneRuns(input, target, { job, output: await withStripes(input, output, tx), readers })) {
      // Runs of lanes are single records, each read again: let others have the event loop.
      if (++runs % runsBetweenPauses === 0) await ports.sleep.sleep(0);
      if (!sharesBatches && jobId !== null && jobId !== run.jobId) {
        for (const [open, builder] of builders) {
          const built = builder.finish();
          if (built !== null) yield await batchOf(open, built);
        }
      }
      jobId = run.jobId;
      let builder = builders.get(lane);
      if (builder === undefined) builders.set(lane, (builder = new BatchBuilder(plan)));
      const full = builder.add(run);
      if (full !== null) yield await batchOf(lane, full);
    }
  for (const [lane, builder] of builders) {
    const built = builder.finish();
    if (built !== null) yield await batchOf(lane, built);
  }
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

/** What was written for a target, in the order of acceptance and of the file. */
function* outputsOf({ jobs }: CutInput, target: number): Generator<{ readonly job: CutJob; readonly output: CutOutput }> {
  for (const job of jobs) {
    const outputs = job.outputs.filter((output) => output.target === target).sort((a, b) => a.chunkNumber - b.chunkNumber);
    for (const output of outputs) yield { job, output };
  }
}

async function withStripes({ loadStripes }: CutInput, output: CutOutput, tx: TenantTx | null): Promise<CutOutput> {
  return loadStripes === undefined ? output : { ...output, stripes: await loadStripes(output, tx) };
}

/** Every run of records of an output, with the lane it belongs to, in order. */
function* laneRuns(
  { plan }: CutInput,
  target: number,
  { job, output, readers }: { readonly job: CutJob; readonly output: CutOutput; readonly readers: SegmentReaders },
): Generator<{ lane: number; run: RecordRun }> {
  const { lanes, batchAmount } = plan.targets[target]!;
  if (lanes > 1) {
    yield* keyLaneRuns(plan, job, output, readers);
    return;
  }
  const runs = batchAmount === undefined ? stripeRuns : amountRuns;
  for (const run of runs(plan, job, output, readers)) yield { lane: lanes === 1 ? 0 : noLane, run };
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
