/** What a run over a file comes to by the engine and by the reference parser, in a form in which both can be compared. */
import { formats } from '../../../main/catalogue.ts';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ChunkSummary, EnvelopeRecord, FieldAmounts, Finding } from '../chunk.ts';
import { type CompiledFlow, compileFlow } from '../compile-flow.ts';
import { foldSummaries } from '../file/fold-summaries.ts';
import { readHeaderRecord } from '../file/header-record.ts';
import { OutcomeSegment } from '../outcomes/outcome-segment.ts';
import type { Plan } from '../plan.ts';
import { publicHashKey, runChunk } from '../run-chunk.ts';
import type { RunOptions } from '../run-options.ts';
import { ReferenceRun } from './reference-run.ts';

const compiledFlows = new WeakMap<Plan, CompiledFlow>();

/** Compiled once for all runs of a plan, as engine threads keep it: each flow compiles kernels of its own. */
export function compiledFlowOf(plan: Plan): CompiledFlow {
  const compiled = compiledFlows.get(plan) ?? compileFlow(plan);
  compiledFlows.set(plan, compiled);
  return compiled;
}

function sourceOf(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: (into, at, length, position) => bytes.copy(into, at, position, Math.min(bytes.length, position + length)),
  };
}

/** To the word: whoever verifies a job compares the words too. */
const place = ({ record, offset, code, field, rule, message }: Finding) => [record, offset, code, field, rule, message];

export interface EngineRun {
  readonly chunkBytes: number;
  readonly path: 'fast' | 'slow';
  readonly blockBytes: number;
}

/** What a run over a file comes to, whoever made it. */
export interface Account {
  readonly records: readonly unknown[];
  readonly findings: readonly unknown[];
  readonly warnings: readonly unknown[];
  readonly segments: readonly string[];
  readonly totals: unknown;
  readonly damage: readonly unknown[];
}

function totalsOf(
  totals: Pick<ChunkSummary, 'records' | 'warned' | 'amounts' | 'byType' | 'header' | 'trailer'> & {
    readonly rejectedMagnitudes?: FieldAmounts | undefined;
  },
  targets: readonly { records: number; bytes: number; amounts: unknown }[],
) {
  const envelope = (record: EnvelopeRecord | null) => (record === null ? null : { ...record, findings: record.findings.map(place) });
  return {
    records: totals.records,
    warned: totals.warned,
    amounts: totals.amounts,
    rejectedMagnitudes: totals.rejectedMagnitudes,
    byType: totals.byType,
    header: envelope(totals.header),
    trailer: envelope(totals.trailer),
    targets: targets.map(({ records, bytes, amounts }) => ({ records, bytes, amounts })),
  };
}

/** Damage is reported by splitter and chunks; the same place once. Where a misplaced header or trailer is reported depends on the chunks. */
function damageOf(findings: readonly Finding[]): unknown[] {
  const places = findings.map((finding) => place(finding.code === 'E_ENVELOPE' ? { ...finding, record: 0, offset: 0 } : finding));
  const seen = new Map(places.map((entry) => [entry.join(' '), entry]));
  return [...seen.values()].sort((a, b) => Number(a[1]) - Number(b[1]) || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export function runReference(plan: Plan, bytes: Buffer): Account {
  const run = new ReferenceRun(plan);
  const records = [...run.records([bytes])];
  const totals = run.totals();
  const isLimited = plan.acceptance.maxInvalidAmount !== null;
  const segments = plan.targets.map((_, target) =>
    Buffer.concat(records.map((record) => Buffer.from(record.outputs.get(target) ?? []))).toString('utf8'),
  );
  return {
    records: records.map(({ record, offset, status, routes, warnings }) => [record, offset, status, routes, warnings.length > 0]),
    findings: records.flatMap((record) => record.findings.map(place)),
    warnings: records.flatMap((record) => record.warnings.map(place)),
    segments,
    totals: totalsOf({ ...totals, rejectedMagnitudes: isLimited ? totals.rejectedMagnitudes : undefined }, totals.targets),
    damage: damageOf(totals.damage),
  };
}

export function runEngine(plan: Plan, bytes: Buffer, by: EngineRun): Account {
  const { chunkBytes, path, blockBytes } = by;
  const format = formats.find(({ name }) => name === plan.format.type)!;
  const splitter = format.createSplitter(plan.format, plan.records, { chunkBytes });
  splitter.push(bytes);
  const split = splitter.end();
  const flow = compiledFlowOf(plan);
  const source = sourceOf(bytes);
  const findings: Finding[] = [];
  const warnings: Finding[] = [];
  const segments: Buffer[][] = plan.targets.map(() => []);
  const records: unknown[] = [];
  const summaries: ChunkSummary[] = [];
  const start = split.chunks[0]?.start ?? 0;
  for (const spec of split.chunks) {
    const outcomes: Buffer[] = [];
    const sinks = {
      targets: segments.map((parts) => ({ write: (part: Uint8Array) => void parts.push(Buffer.from(part)) })),
      outcomes: { write: (part: Uint8Array) => void outcomes.push(Buffer.from(part)) },
      rejected: (finding: Finding) => void findings.push(finding),
      warned: (finding: Finding) => void warnings.push(finding),
    };
    const header = spec.start > start ? readHeaderRecord(flow, { start, context: spec.context }, source) : undefined;
    const options: RunOptions = { hashKey: publicHashKey, header, path, blockBytes };
    const summary = runChunk(flow, spec, source, sinks, options);
    summaries.push(summary);
    const segment = new OutcomeSegment(sourceOf(Buffer.concat(outcomes)));
    for (let position = 0; position < segment.header.records; position++) {
      const { record, offset, status, targets, warned } = segment.outcome(position);
      records.push([record, offset, status, status === 'valid' ? targets : [], warned]);
    }
  }
  const summary = foldSummaries(summaries);
  return {
    records,
    findings: findings.map(place),
    warnings: warnings.map(place),
    segments: segments.map((parts) => Buffer.concat(parts).toString('utf8')),
    totals: totalsOf(summary, summary.targets),
    damage: damageOf([...split.damage, ...summary.damage]),
  };
}
