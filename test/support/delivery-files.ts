/**
 * Runs a plan over a file and seals what comes out, as a chunk group does: what is cut into batches in tests. Files are
 * delimited: id, customer, amount, currency, target letters.
 */

import type { CutChunk, CutJob, CutOutput } from '../../src/pipeline/deliveries/cutting/batch-cutter.ts';
import type { ChunkSpec, ChunkSummary, Stripe } from '../../src/pipeline/engine/chunk.ts';
import { compileFlow } from '../../src/pipeline/engine/compile-flow.ts';
import type { Plan, TargetPlan } from '../../src/pipeline/engine/plan.ts';
import {
  call,
  delimitedFormat,
  fieldPlan,
  literal,
  outputField,
  planOf,
  recordField,
  recordPlan,
} from '../../src/pipeline/engine/plans.fixture.ts';
import { publicHashKey, runChunk } from '../../src/pipeline/engine/run-chunk.ts';
import type { Ids } from '../../src/platform/base/ports.ts';
import type { SealedObject, SealedStore, SealedWriter } from '../../src/platform/storage/object-store.ts';

/** Targets get a record when its last column holds their letter: `a` for the first, `b` for the second. */
export function deliveryPlan(targets: readonly TargetPlan[], options: { readonly isKeyUnique?: boolean } = {}): Plan {
  const record = recordPlan(
    [
      fieldPlan('id', 'string', { column: 0, header: null }, options.isKeyUnique ? { unique: 'file' } : {}),
      fieldPlan('customer', 'string', { column: 1, header: null }),
      fieldPlan('amount', 'decimal', { column: 2, header: null }, { sum: true, currencyField: 3 }),
      fieldPlan('currency', 'string', { column: 3, header: null }),
      fieldPlan('letters', 'string', { column: 4, header: null }),
    ],
    { key: [options.isKeyUnique ? 0 : 1] },
  );
  const letters = recordField(record, 4);
  return planOf({
    format: delimitedFormat,
    records: [record],
    output: ['id', 'customer', 'amount', 'currency'].map((name, index) => outputField(name, recordField(record, index))),
    filters: [{ id: 'none', when: call('bool', 'equal', letters, literal('string', '-')), reason: 'for nobody' }],
    routes: {
      mode: 'all',
      rules: targets.map(({ id }, index) => ({
        id: `to-${id}`,
        when: call('bool', 'contains', letters, literal('string', 'abcdef'[index]!)),
        to: [index],
      })),
      default: [0],
    },
    targets,
  });
}

export interface DeliveryRow {
  readonly id: string;
  readonly customer: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly letters: string;
}

export function deliveryLine({ id, customer, amount, currency, letters }: DeliveryRow): string {
  return `${id},${customer},${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')},${currency},${letters}\n`;
}

export interface SealedJob extends CutJob {
  readonly bytes: number;
  readonly summaries: readonly ChunkSummary[];
  readonly specs: readonly ChunkSpec[];
  readonly segments: readonly SealedSegment[];
}

export interface SealedSegment {
  readonly segmentId: string;
  readonly kind: 'output' | 'outcome';
  readonly targetId: string | null;
  readonly object: SealedObject;
}

interface SealServices {
  readonly store: SealedStore;
  readonly ids: Ids;
  readonly tenantId: string;
}

/** `chunks`: how many lines each chunk has; the rest is one more. Several jobs sealed together share their segments. */
export function sealJobs(
  services: SealServices,
  plan: Plan,
  files: readonly { readonly lines: readonly string[]; readonly chunkLines?: readonly number[]; readonly acceptedNumber: number }[],
): SealedJob[] {
  const { store, ids, tenantId } = services;
  const flow = compileFlow(plan);
  const segmentIds = plan.targets.map(() => ids.next());
  const outcomeId = ids.next();
  const writers = segmentIds.map((objectId) => countingWriter(store.create({ tenantId, objectId, kind: 'output' })));
  const outcomes = countingWriter(store.create({ tenantId, objectId: outcomeId, kind: 'outcome' }));
  const drafts = files.map(({ lines, chunkLines = [], acceptedNumber }) => {
    const jobId = ids.next();
    const bytes = Buffer.from(lines.join(''));
    const file = sealRaw(services, bytes);
    const specs = specsOf(lines, chunkLines);
    const chunks = specs.map((spec) => {
      const starts = writers.map((writer) => writer.bytes);
      const outcomesStart = outcomes.bytes;
      const summary = runChunk(
        flow,
        spec,
        sourceOf(bytes),
        { targets: writers, outcomes, rejected() {}, warned() {} },
        { hashKey: publicHashKey },
      );
      return { spec, summary, starts, outcomes: { start: outcomesStart, end: outcomes.bytes } };
    });
    return { jobId, acceptedNumber, bytes: bytes.length, file, chunks };
  });
  const objects = writers.map((writer) => writer.writer.commit());
  const outcomesObject = outcomes.writer.commit();
  const segments: SealedSegment[] = [
    ...objects.map((object, index) => ({
      segmentId: segmentIds[index]!,
      kind: 'output' as const,
      targetId: plan.targets[index]!.id,
      object,
    })),
    { segmentId: outcomeId, kind: 'outcome', targetId: null, object: outcomesObject },
  ];
  return drafts.map(({ jobId, acceptedNumber, bytes, file, chunks }) => ({
    jobId,
    lineageId: jobId,
    acceptedNumber,
    bytes,
    file,
    segments,
    exclusions: [],
    specs: chunks.map(({ spec }) => spec),
    summaries: chunks.map(({ summary }) => summary),
    chunks: chunks.map(
      ({ spec, outcomes: place }): CutChunk => ({
        chunkNumber: spec.number,
        columns: spec.context.columns,
        outcomes: { segmentId: outcomeId, object: outcomesObject, ...place },
      }),
    ),
    outputs: chunks.flatMap(({ spec, summary, starts }) =>
      summary.targets.map(
        (totals): CutOutput => ({
          target: totals.target,
          chunkNumber: spec.number,
          segment: { segmentId: segmentIds[totals.target]!, object: objects[totals.target]! },
          start: starts[totals.target]!,
          stripes: totals.stripes as readonly Stripe[],
        }),
      ),
    ),
  }));
}

function countingWriter(writer: SealedWriter) {
  const counting = {
    writer,
    bytes: 0,
    write(bytes: Uint8Array) {
      counting.bytes += bytes.length;
      writer.write(bytes);
    },
  };
  return counting;
}

function sealRaw({ store, ids, tenantId }: SealServices, bytes: Uint8Array): SealedObject {
  const writer = store.create({ tenantId, objectId: ids.next(), kind: 'raw' });
  writer.write(bytes);
  return writer.commit();
}

function specsOf(lines: readonly string[], chunkLines: readonly number[]): ChunkSpec[] {
  const specs: ChunkSpec[] = [];
  let line = 0;
  let start = 0;
  const counts = [...chunkLines];
  do {
    const count = Math.min(counts.shift() ?? lines.length, lines.length - line);
    const end = start + Buffer.byteLength(lines.slice(line, line + count).join(''));
    specs.push({ number: specs.length, start, end, firstRecord: line + 1, context: { version: 1, columns: null } });
    line += count;
    start = end;
  } while (line < lines.length);
  return specs;
}

function sourceOf(bytes: Buffer) {
  return {
    size: bytes.length,
    read: (into: Uint8Array, at: number, length: number, position: number) =>
      bytes.copy(into, at, position, Math.min(bytes.length, position + length)),
  };
}
