/**
 * The end of a file in `headgate run`, when all its chunks are run: judges it, applies the exclusions, and gives the folder's
 * files their names.
 */
import type { ChunkSummary } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { checkFile, type FileCheck } from '../../pipeline/engine/file/file-checks.ts';
import { foldSummaries } from '../../pipeline/engine/file/fold-summaries.ts';
import { OutcomeSegment } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { SplitResult } from '../../pipeline/formats/format.ts';
import { ExclusionList, mergeRejections, removeExcluded, type TargetLines } from './exclusions.ts';
import { type OutputFiles, writeDocument } from './output-files.ts';
import { FileSource, PagedSource } from './plain-files.ts';
import { describeOutcomes, fileFindings, makeReceipt, type ReceiptFinding, type RunReceipt } from './run-receipt.ts';
import type { SplitFile } from './split-file.ts';

export { foldSummaries };

export interface EndOptions {
  /** How the receipt names the file. */
  readonly name: string;
  /** Receives the lines of rejections and warnings in record order, and then those of exclusions, for `--errors`. */
  readonly onFindings: ((text: string, severity: 'error' | 'warn') => void) | null;
  /** Receives why the file is held or rejected, where it is. */
  readonly onReasons?: (reasons: readonly ReceiptFinding[]) => void;
}

interface EndedFile extends SplitFile {
  readonly flow: CompiledFlow;
  /** Of the file as it was given, as is the hash. */
  readonly bytes: number;
  readonly source: FileSource;
  readonly outputs: OutputFiles;
  readonly options: EndOptions;
  /** Of all chunks in order, some of them joined. */
  readonly summaries: readonly ChunkSummary[];
  /** Where each chunk's segment starts in outcomes.bin. */
  readonly segmentStarts: readonly number[];
}

export function endFile({ flow, source, outputs, options, summaries, segmentStarts, split, sha256, bytes }: EndedFile): RunReceipt {
  const read = foldSummaries(summaries);
  const outcomesFile = new FileSource(outputs.outcomes.partPath);
  const outcomesSource = new PagedSource(outcomesFile);
  const exclusions = new ExclusionList();
  try {
    const chunks = split.chunks.map((spec, index) => ({ spec, outcomes: new OutcomeSegment(outcomesSource, segmentStarts[index]!) }));
    const { check, summary } = checkFile(flow, {
      summary: read,
      chunks,
      source,
      damage: newDamage(split, read),
      onExclusion: (exclusion) => exclusions.add(exclusion),
    });
    const segments = chunks.map(({ outcomes }) => outcomes);
    endTargets(flow, outputs, check, (target) => ({ segments, exclusions, stripes: summary.targets[target]!.stripes }));
    if (exclusions.count > 0) {
      mergeRejections(outputs.rejections, exclusions);
      for (const line of exclusions.lines()) options.onFindings?.(line, 'error');
    }
    writeDocument(outputs.folder, 'outcomes.json', describeOutcomes(flow.plan, chunks, segmentStarts));
    outputs.rejections.finish();
    outputs.outcomes.finish();
    const parts = { check, summary, exclusions, packWarnings: split.warnings ?? [] };
    const receipt = makeReceipt(flow.plan, { name: options.name, sha256, bytes }, parts);
    writeDocument(outputs.folder, 'receipt.json', receipt);
    if (receipt.verdict === 'held' || receipt.verdict === 'rejected') options.onReasons?.(fileFindings(check));
    return receipt;
  } finally {
    outcomesFile.close();
  }
}

/** Of a file that is held or rejected nothing is delivered: its target files are empty. */
function endTargets(flow: CompiledFlow, outputs: OutputFiles, check: FileCheck, linesOf: (target: number) => TargetLines): void {
  const isDelivered = check.verdict === 'accepted' || check.verdict === 'partial';
  for (const [target, file] of outputs.targets.entries()) {
    if (!isDelivered) file.empty();
    else removeExcluded(flow.plan, target, file, linesOf(target));
    file.finish();
  }
}

/** Splitter and chunks may have met the same damage. */
function newDamage(split: SplitResult, summary: ChunkSummary): SplitResult['damage'] {
  return split.damage.filter(({ code, offset }) => !summary.damage.some((known) => known.code === code && known.offset === offset));
}
