/**
 * Runs a group of chunks through the engine: sealed bytes in, sealed segments out, a summary per chunk, and for files of one
 * chunk the verdict on the file as a whole. Synchronous: it runs in threads and child processes. The same run writes the
 * same plaintext; a chunk whose stored file is damaged fails alone.
 */

import type { ChunkSummary, EnvelopeRecord, Finding, Stripe } from '../../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../../pipeline/engine/compile-flow.ts';
import { readHeaderRecord } from '../../../pipeline/engine/file/header-record.ts';
import { OutcomeSegment } from '../../../pipeline/engine/outcomes/outcome-segment.ts';
import { runChunk } from '../../../pipeline/engine/run-chunk.ts';
import type { RunOptions } from '../../../pipeline/engine/run-options.ts';
import { encodeRejection } from '../../../pipeline/ledger/rejection-lines.ts';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { SealedReader, SealedReads } from '../../../platform/storage/object-store.ts';
import { judgeFile, writeExclusions } from '../file-judge.ts';
import { PoisonFindings, withoutPoison } from '../poison/poison-source.ts';
import type { ChunkParts, OutputPart, SegmentPart } from './chunk-parts.ts';
import { compiledFlowOf } from './engine-flows.ts';
import type { ChunkToRun, FailedChunkRun, FinishedChunkRun, GroupResult, GroupRun, Sample } from './group-run.ts';
import { SegmentSet } from './segment-set.ts';
import type { SearchKey, ThreadStorage } from './thread-storage.ts';

/** Test and child processes look at what is read; null for plain reading. */
export type WatchSource = ((source: ByteSource) => ByteSource) | null;

/** Nothing that it wrote is left when it throws. */
export function runGroup(storage: ThreadStorage, run: GroupRun, watch: WatchSource = null): GroupResult {
  const { monotonicMs } = systemPorts.clock;
  const startedMs = monotonicMs();
  const { tenantId, label } = run;
  const set = new SegmentSet({ store: storage.store, tenantId, ids: systemPorts.ids, label });
  const runner = new GroupRunner(storage, run, set, watch);
  try {
    const chunks: FinishedChunkRun[] = [];
    const failed: FailedChunkRun[] = [];
    for (const chunk of run.chunks) {
      const result = runner.runChunk(chunk);
      if ('failure' in result) failed.push(result);
      else chunks.push(result);
    }
    return { chunks, failed, segments: set.commit(), seconds: (monotonicMs() - startedMs) / 1000 };
  } catch (error) {
    set.discard();
    throw error;
  } finally {
    runner.close();
  }
}

class GroupRunner {
  readonly #run: GroupRun;
  readonly #set: SegmentSet;
  readonly #watch: WatchSource;
  readonly #flow: CompiledFlow;
  readonly #searchKey: SearchKey;
  readonly #reads: SealedReads;

  constructor(storage: ThreadStorage, run: GroupRun, set: SegmentSet, watch: WatchSource) {
    this.#run = run;
    this.#set = set;
    this.#watch = watch;
    this.#flow = compiledFlowOf(run);
    this.#searchKey = storage.searchKey(run.tenantId);
    this.#reads = storage.store.openReads();
  }

  close(): void {
    this.#reads.close();
  }

  runChunk(chunk: ChunkToRun): FinishedChunkRun | FailedChunkRun {
    const { jobId, spec } = chunk;
    let reader: SealedReader | null = null;
    try {
      reader = this.#reads.open(this.#run.tenantId, chunk.file);
      return this.#runOpen(chunk, reader);
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.retryable) throw error;
      return { jobId, number: spec.number, failure: { code: error.code, message: error.message } };
    } finally {
      reader?.close();
    }
  }

  #runOpen(chunk: ChunkToRun, reader: SealedReader): FinishedChunkRun {
    const { jobId, spec } = chunk;
    const poison = this.#run.poison.filter((record) => record.jobId === jobId);
    const masked = poison.length === 0 ? reader : withoutPoison(reader, poison, this.#run.plan.format);
    const source = this.#watch === null ? masked : this.#watch(masked);
    const findings = new PoisonFindings(poison);
    const samples = new Samples(chunk);
    const outputs = this.#run.plan.targets.map((_, target) => this.#set.openPart('output', target));
    const outcomes = this.#set.openPart('outcome');
    const rejections = this.#set.openPart('rejections');
    const outcomeBytes: Buffer[] = [];
    const ran = runChunk(
      this.#flow,
      spec,
      source,
      {
        targets: outputs,
        outcomes: {
          write(bytes) {
            outcomes.write(bytes);
            if (chunk.isWholeFile) outcomeBytes.push(Buffer.from(bytes));
          },
        },
        rejected(found) {
          const finding = findings.take(found);
          rejections.write(Buffer.from(encodeRejection(finding)));
          samples.add(finding, 'error');
        },
        warned: (finding) => samples.add(finding, 'warn'),
      },
      { ...this.#options(), header: this.#headerOf(chunk, source) },
    );
    const summary = findings.correct(ran);
    const parts = { outcomes: outcomes.end()!, rejections: rejections.end(), outputs: outputParts(outputs, summary) };
    const finished = {
      jobId,
      number: spec.number,
      summary: withoutStripes(summary),
      parts,
      samples: samples.taken,
      checked: null,
      exclusions: null,
    };
    if (!chunk.isWholeFile) return finished;
    const segment = new OutcomeSegment(sourceOf(Buffer.concat(outcomeBytes)));
    const checked = judgeFile(this.#flow, {
      summaries: [summary],
      chunks: [{ spec, outcomes: segment }],
      source,
      splitDamage: chunk.splitDamage,
    });
    return { ...finished, checked, exclusions: writeExclusions(this.#set, checked.exclusions) };
  }

  /** For a chunk that the file does not begin with. */
  #headerOf({ spec, fileStart }: ChunkToRun, source: ByteSource): EnvelopeRecord | null | undefined {
    return spec.start > fileStart ? readHeaderRecord(this.#flow, { start: fileStart, context: spec.context }, source) : undefined;
  }

  #options(): RunOptions {
    const { key, version } = this.#searchKey;
    return { hashKey: key, hashKeyVersion: version, path: this.#run.poison.length > 0 ? 'slow' : 'fast' };
  }
}

/** The first findings of a chunk, so many of each kind. */
class Samples {
  readonly #chunk: ChunkToRun;
  #errors = 0;
  #warnings = 0;
  readonly taken: Sample[] = [];

  constructor(chunk: ChunkToRun) {
    this.#chunk = chunk;
  }

  add(finding: Finding, severity: Sample['severity']): void {
    const isTaken = severity === 'error' ? this.#errors++ < this.#chunk.errorSamples : this.#warnings++ < this.#chunk.warningSamples;
    if (isTaken) this.taken.push({ ...finding, severity });
  }
}

function outputParts(outputs: readonly { end(): SegmentPart | null }[], summary: ChunkSummary): ChunkParts['outputs'] {
  return outputs.map((output, target): OutputPart | null => {
    const part = output.end();
    const stripes: readonly Stripe[] = summary.targets[target]!.stripes;
    return part === null ? null : { ...part, stripes };
  });
}

function withoutStripes(summary: ChunkSummary): ChunkSummary {
  return { ...summary, targets: summary.targets.map((target) => ({ ...target, stripes: [] })) };
}

function sourceOf(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: (into, at, length, position) => {
      const piece = bytes.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
  };
}
