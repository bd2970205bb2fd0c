/**
 * One file through a flow in `headgate run`: splits it while it is hashed, runs its chunks here or in threads, judges the
 * file, applies the exclusions, and leaves the folder's files. Memory is bounded whatever the file's size.
 */
import { createHash } from 'node:crypto';
import type { ChunkSpec, ChunkSummary, EnvelopeRecord } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { checkFile, type FileCheck } from '../../pipeline/engine/file/file-checks.ts';
import { foldSummaries } from '../../pipeline/engine/file/fold-summaries.ts';
import { OutcomeSegment } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { Format, SplitResult } from '../../pipeline/formats/format.ts';
import { type ChunkReceiver, runChunkJob } from './chunk-job.ts';
import type { ChunkResult } from './chunk-lane.ts';
import { ExclusionList, mergeRejections, removeExcluded, type TargetLines } from './exclusions.ts';
import { createOutputFiles, type OutputFile, type OutputFiles, writeDocument } from './output-files.ts';
import { FileSource, PagedSource } from './plain-files.ts';
import { describeOutcomes, fileFindings, makeReceipt, type ReceiptFinding, type RunReceipt } from './run-receipt.ts';
import type { RunThreads } from './run-threads.ts';
import type { SplitFile } from './split-reader.ts';
import type { ChunkSizes } from './split-thread.ts';

export interface RunFileOptions {
  readonly path: string;
  /** How the receipt names the file. */
  readonly name: string;
  readonly folder: string;
  /** Null: everything in this thread, as it must be where `onFindings` is given. */
  readonly threads: RunThreads | null;
  /** Input bytes of a chunk; the default fits the memory that a thread may use. */
  readonly chunkBytes?: number;
  /** Receives the lines of rejections and warnings in record order, for `--errors`. */
  readonly onFindings: ((text: string, severity: 'error' | 'warn') => void) | null;
  /** Receives why the file is held or rejected, where it is. */
  readonly onReasons?: (reasons: readonly ReceiptFinding[]) => void;
}

/** Small, so that lanes end at about the same time. */
const chunkBytesDefault = 2 * 1024 * 1024;
/** The flow's code is compiled while the first records are taken; the sooner it begins, the better. */
const firstChunkBytesMax = 256 * 1024;

export async function runFile(flow: CompiledFlow, format: Format, options: RunFileOptions): Promise<RunReceipt> {
  const source = new FileSource(options.path);
  try {
    const outputs = createOutputFiles(options.folder, flow.plan);
    const run = new FileRun(flow, source, outputs, options);
    const { split, sha256 } = options.threads === null ? run.runHere(format) : await run.runThreaded(options.threads);
    await outputs.cleared;
    return run.finish(split, sha256);
  } finally {
    source.close();
  }
}

class FileRun {
  readonly #flow: CompiledFlow;
  readonly #source: FileSource;
  readonly #outputs: OutputFiles;
  readonly #options: RunFileOptions;
  readonly #summaries: ChunkSummary[] = [];
  /** Where each chunk's segment starts in outcomes.bin. */
  readonly #segmentStarts: number[] = [];
  readonly #receiver: ChunkReceiver;
  #header: EnvelopeRecord | null = null;

  constructor(flow: CompiledFlow, source: FileSource, outputs: OutputFiles, options: RunFileOptions) {
    this.#flow = flow;
    this.#source = source;
    this.#outputs = outputs;
    this.#options = options;
    this.#receiver = {
      targets: outputs.targets,
      outcomes: outputs.outcomes,
      rejections: (text) => {
        outputs.rejections.write(Buffer.from(text, 'utf8'));
        options.onFindings?.(text, 'error');
      },
      warnings: options.onFindings === null ? null : (text) => options.onFindings?.(text, 'warn'),
    };
  }

  /** Everything in this thread: a chunk is run as soon as its end is known. */
  runHere(format: Format): SplitFile {
    const hash = createHash('sha256');
    const splitter = format.createSplitter(this.#flow.plan.format, this.#flow.plan.records, {
      ...this.#chunkSizes(),
      onChunk: (spec) => this.#runChunk(spec),
    });
    for (const piece of this.#source.pieces()) {
      hash.update(piece);
      splitter.push(piece);
    }
    return { split: splitter.end(), sha256: hash.digest('hex') };
  }

  /** One thread reads, hashes and splits; the lanes run the chunks. */
  async runThreaded({ reader, lanes }: RunThreads): Promise<SplitFile> {
    const { plan } = this.#flow;
    const input = this.#source.share();
    const outputPaths = this.#laneFiles().map((file) => file.partPath);
    lanes.begin(this.#flow, { plan, input, outputPaths }, (result) => this.#takeResult(result));
    const isHeaderAwaited = plan.records.some((record) => record.role === 'header');
    const request = {
      input,
      plan: { format: plan.format, records: plan.records },
      sizes: this.#chunkSizes(),
    };
    const ended = await reader.split(request, async (spec) => {
      await lanes.submit({ spec, header: this.#header });
      // Rules may use the header record, so the chunks after the first wait until it is known.
      if (spec.number === 0 && isHeaderAwaited) await lanes.drain();
    });
    await lanes.drain();
    return ended;
  }

  /** The same with threads and without, so that the outcomes are the same bytes. */
  #chunkSizes(): ChunkSizes {
    const chunkBytes = this.#options.chunkBytes ?? chunkBytesDefault;
    return { chunkBytes, firstChunkBytes: Math.min(chunkBytes, firstChunkBytesMax) };
  }

  #runChunk(spec: ChunkSpec): void {
    this.#segmentStarts.push(this.#outputs.outcomes.bytes);
    this.#takeSummary(runChunkJob(this.#flow, this.#source, { spec, header: this.#header }, this.#receiver));
  }

  #takeResult(result: ChunkResult): readonly number[] {
    this.#segmentStarts.push(this.#outputs.outcomes.bytes);
    this.#takeSummary(result.summary);
    return this.#laneFiles().map((file, index) => file.reserve(result.sizes[index]!));
  }

  /** In the order of `LaneSetup.outputPaths`. */
  #laneFiles(): readonly OutputFile[] {
    const { targets, outcomes, rejections } = this.#outputs;
    return [...targets, outcomes, rejections];
  }

  #takeSummary(summary: ChunkSummary): void {
    this.#header ??= summary.header;
    this.#summaries.push(summary);
  }

  finish(split: SplitResult, sha256: string): RunReceipt {
    const summary = foldSummaries(this.#summaries);
    const outcomesFile = new FileSource(this.#outputs.outcomes.partPath);
    const outcomesSource = new PagedSource(outcomesFile);
    const exclusions = new ExclusionList();
    try {
      const chunks = split.chunks.map((spec, index) => ({
        spec,
        outcomes: new OutcomeSegment(outcomesSource, this.#segmentStarts[index]!),
      }));
      const check = checkFile(this.#flow, {
        summary,
        chunks,
        source: this.#source,
        damage: newDamage(split, summary),
        onExclusion: (exclusion) => exclusions.add(exclusion),
      });
      const segments = chunks.map(({ outcomes }) => outcomes);
      this.#finishTargets(check, (target) => ({ segments, exclusions, stripes: summary.targets[target]!.stripes }));
      if (exclusions.count > 0) {
        mergeRejections(this.#outputs.rejections, exclusions);
        for (const line of exclusions.lines()) this.#options.onFindings?.(line, 'error');
      }
      writeDocument(this.#outputs.folder, 'outcomes.json', describeOutcomes(this.#flow.plan, chunks, this.#segmentStarts));
      this.#outputs.rejections.finish();
      this.#outputs.outcomes.finish();
      const receipt = makeReceipt(
        this.#flow.plan,
        { name: this.#options.name, sha256, bytes: this.#source.size },
        check,
        summary,
        exclusions,
      );
      writeDocument(this.#outputs.folder, 'receipt.json', receipt);
      if (receipt.verdict === 'held' || receipt.verdict === 'rejected') this.#options.onReasons?.(fileFindings(check));
      return receipt;
    } finally {
      outcomesFile.close();
    }
  }

  /** Of a file that is held or rejected nothing is delivered: its target files are empty. */
  #finishTargets(check: FileCheck, linesOf: (target: number) => TargetLines): void {
    const isDelivered = check.verdict === 'accepted' || check.verdict === 'partial';
    for (const [target, file] of this.#outputs.targets.entries()) {
      if (!isDelivered) file.empty();
      else removeExcluded(this.#flow.plan, target, file, linesOf(target));
      file.finish();
    }
  }
}

/** Splitter and chunks may have met the same damage. */
function newDamage(split: SplitResult, summary: ChunkSummary): SplitResult['damage'] {
  return split.damage.filter(({ code, offset }) => !summary.damage.some((known) => known.code === code && known.offset === offset));
}
