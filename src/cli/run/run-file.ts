/**
 * One file through a flow in `headgate run`: splits it while it is hashed and runs its chunks here or in lanes. Memory is
 * bounded whatever the file's size. What becomes of the file as a whole is `file-end.ts`.
 */
import type { ChunkSpec, ChunkSummary, EnvelopeRecord } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import type { foldSummaries } from '../../pipeline/engine/file/fold-summaries.ts';
import { knownHeader } from '../../pipeline/engine/file/known-header.ts';
import type { Format, Splitter } from '../../pipeline/formats/format.ts';
import type { Pack } from '../../pipeline/formats/pack.ts';
import { growSlowly } from '../../platform/base/heap-growth.ts';
import type { ChunkReceiver } from './chunk-job.ts';
import type { ChunkResult } from './chunk-lane.ts';
import type { ChunkLanes } from './chunk-lanes.ts';
import type { EndOptions } from './file-end.ts';
import type { FileFormat } from './file-format.ts';
import { type HashApart, hashApart } from './hash-apart.ts';
import { keptSummary } from './kept-summary.ts';
import { createOutputFiles, type OutputFile, type OutputFiles } from './output-files.ts';
import type { PackConversion } from './pack-conversion.ts';
import { FileSource } from './plain-files.ts';
import type { RunReceipt } from './run-receipt.ts';
import { type ChunkSizes, type SplitFile, splitFile } from './split-file.ts';

export interface RunFileOptions extends EndOptions {
  readonly path: string;
  readonly folder: string;
  /** Null: everything in this thread, as it must be where `onFindings` is given. */
  readonly lanes: ChunkLanes | null;
  /** Input bytes of a chunk; the default fits the memory that a thread may use. */
  readonly chunkBytes?: number;
  /** Of each piece that was read and whose chunks were taken, with the bytes up to its end. */
  readonly onRead?: (done: number, total: number) => void;
}

/** Small, so that lanes end at about the same time. */
const chunkBytesDefault = 2 * 1024 * 1024;
/** The flow's code is compiled while the first records are taken; the sooner it begins, the better. */
const firstChunkBytesMax = 256 * 1024;

export async function runFile(flow: CompiledFlow, { format, pack }: FileFormat, options: RunFileOptions): Promise<RunReceipt> {
  const given = new FileSource(options.path);
  let conversion: PackConversion | null = null;
  let hash: HashApart | null = null;
  try {
    const outputs = createOutputFiles(options.folder, flow.plan, options.path);
    if (pack !== null) conversion = await convert(pack, flow, options);
    // Lanes have the other processors, and less to do than the thread that makes lines.
    if (conversion !== null && options.lanes !== null) hash = hashApart(given);
    const run = new FileRun(flow, { given, source: conversion?.lines ?? given, conversion, hash }, outputs, options);
    const { split, sha256 } = await (options.lanes === null ? run.runHere(format) : run.runInLanes(format, options.lanes));
    await outputs.cleared;
    conversion?.finish();
    const { endFile } = await fileEnd();
    return endFile({ flow, source: conversion?.lines ?? given, outputs, options, ...run.results(), split, sha256, bytes: given.size });
  } finally {
    growSlowly(false);
    conversion?.close();
    await hash?.stop();
    given.close();
  }
}

async function convert(pack: Pack, { plan }: CompiledFlow, { folder, lanes }: RunFileOptions): Promise<PackConversion> {
  const { PackConversion } = await import('./pack-conversion.ts');
  return new PackConversion(pack, plan, { folder, isBeside: lanes !== null });
}

/** The file as it was given, and what chunks are of: the same, or the lines that a pack makes of it. */
interface RunInput {
  readonly given: FileSource;
  readonly source: FileSource;
  readonly conversion: PackConversion | null;
  readonly hash: HashApart | null;
}

/** What comes last is loaded when the first chunk is on its way. */
const fileEnd = () => import('./file-end.ts');
/** So many summaries are joined at a time, while others run the chunks. */
const joinedTogether = 16;

class FileRun {
  readonly #flow: CompiledFlow;
  readonly #input: RunInput;
  readonly #outputs: OutputFiles;
  readonly #options: RunFileOptions;
  /** In order; some are joined already. */
  #summaries: ChunkSummary[] = [];
  /** Where each chunk's segment starts in outcomes.bin. */
  readonly #segmentStarts: number[] = [];
  readonly #receiver: ChunkReceiver;
  /** As `knownHeader` says. */
  #header: EnvelopeRecord | null | undefined;
  #join: typeof foldSummaries | null = null;
  #isLong = false;

  constructor(flow: CompiledFlow, input: RunInput, outputs: OutputFiles, options: RunFileOptions) {
    this.#flow = flow;
    this.#input = input;
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

  /** Everything in this thread. */
  async runHere(format: Format): Promise<SplitFile> {
    // Not loaded where lanes have it.
    const { runChunkJob } = await import('./chunk-job.ts');
    return splitFile(this.#input.given, this.#splitRules(format), async (spec) => {
      this.#segmentStarts.push(this.#outputs.outcomes.bytes);
      this.#takeSummary(runChunkJob(this.#flow, this.#input.source, { spec, header: this.#header }, this.#receiver));
      this.#join ??= (await fileEnd()).foldSummaries;
    });
  }

  /** This thread reads, hashes and splits; the lanes run the chunks. */
  async runInLanes(format: Format, lanes: ChunkLanes): Promise<SplitFile> {
    const { plan } = this.#flow;
    const outputPaths = this.#laneFiles().map((file) => file.partPath);
    lanes.begin({ plan, input: this.#input.source.share(), inputBytes: this.#input.given.size, outputPaths }, (result) =>
      this.#takeResult(result),
    );
    const { conversion } = this.#input;
    const unwritten: ChunkSpec[] = [];
    const ended = await splitFile(this.#input.given, this.#splitRules(format), async (spec) => {
      unwritten.push(spec);
      const readable = conversion === null ? spec.end : await conversion.readableBytes();
      while (unwritten.length > 0 && unwritten[0]!.end <= readable) await this.#submit(unwritten.shift()!, lanes);
    });
    await conversion?.written();
    for (const spec of unwritten) await this.#submit(spec, lanes);
    await lanes.drain();
    return ended;
  }

  async #submit(spec: ChunkSpec, lanes: ChunkLanes): Promise<void> {
    await lanes.submit({ spec, header: this.#header });
    if (spec.number === 0) void fileEnd().then((end) => (this.#join = end.foldSummaries));
    // Rules may use the header record, so the chunks behind wait until it is known.
    if (this.#header === undefined && this.#flow.plan.records.some((record) => record.role === 'header')) await lanes.drain();
  }

  #splitRules(format: Format) {
    const { conversion, hash } = this.#input;
    const inFront = conversion === null ? null : (lines: Splitter) => conversion.inFront(lines);
    const onRead = (done: number) => this.#options.onRead?.(done, this.#input.given.size);
    return { format, plan: this.#flow.plan, sizes: this.#chunkSizes(), inFront, hash, onRead };
  }

  results() {
    return { summaries: this.#summaries, segmentStarts: this.#segmentStarts };
  }

  /** The same with threads and without, so that the outcomes are the same bytes. */
  #chunkSizes(): ChunkSizes {
    const chunkBytes = this.#options.chunkBytes ?? chunkBytesDefault;
    return { chunkBytes, firstChunkBytes: Math.min(chunkBytes, firstChunkBytesMax) };
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
    if (this.#header === undefined) this.#header = knownHeader(summary);
    this.#summaries.push(keptSummary(summary));
    if (this.#join === null || this.#summaries.length < joinedTogether) return;
    this.#summaries = [this.#join(this.#summaries)];
    if (this.#isLong) return;
    this.#isLong = true;
    growSlowly(true);
  }
}
