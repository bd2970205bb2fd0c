/**
 * Judges a file as a whole, once all its chunks are done: folds the summaries, finds duplicates across chunks, runs file
 * rules and acceptance policy, and writes who is excluded. Synchronous: it runs in threads.
 */

import { SegmentReaders } from '../../pipeline/deliveries/cutting/segment-readers.ts';
import type { ChunkSummary, Finding } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import type { Exclusion } from '../../pipeline/engine/file/duplicates.ts';
import { checkFile } from '../../pipeline/engine/file/file-checks.ts';
import type { FinishedChunk } from '../../pipeline/engine/file/finished-chunks.ts';
import { foldSummaries } from '../../pipeline/engine/file/fold-summaries.ts';
import { OutcomeSegment } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import { ExclusionGroups } from '../../pipeline/ledger/compose-receipt.ts';
import { encodeExclusions } from '../../pipeline/ledger/exclusions.ts';
import type { ByteSource } from '../../platform/base/byte-source.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import type { SegmentPart } from './groups/chunk-parts.ts';
import { compiledFlowOf } from './groups/engine-flows.ts';
import type { CheckedFile, FileResult, FileRun } from './groups/group-run.ts';

import { SegmentSet } from './groups/segment-set.ts';
import type { ThreadStorage } from './groups/thread-storage.ts';

export interface FileToJudge {
  readonly summaries: readonly ChunkSummary[];
  readonly chunks: readonly FinishedChunk[];
  readonly source: ByteSource;
  readonly splitDamage: readonly Finding[];
}

export function judgeFile(flow: CompiledFlow, file: FileToJudge): CheckedFile {
  const exclusions: Exclusion[] = [];
  const groups = new ExclusionGroups();
  const { check, summary } = checkFile(flow, {
    summary: foldSummaries(file.summaries),
    chunks: file.chunks,
    source: file.source,
    damage: file.splitDamage,
    onExclusion(exclusion) {
      exclusions.push(exclusion);
      groups.add(exclusion);
    },
  });
  const { warned, errors, warnings } = summary;
  return { summary: { warned, errors, warnings }, check, exclusions, exclusionGroups: groups.toGroups() };
}

/** One part of the set's exclusions segment; null when nothing is excluded. */
export function writeExclusions(set: SegmentSet, exclusions: readonly Exclusion[]): SegmentPart | null {
  if (exclusions.length === 0) return null;
  const part = set.openPart('exclusions');
  part.write(encodeExclusions(exclusions));
  return part.end();
}

/** Nothing that it wrote is left when it throws. */
export function runFileCheck(storage: ThreadStorage, run: FileRun): FileResult {
  const { store } = storage;
  const set = new SegmentSet({ store, tenantId: run.tenantId, ids: systemPorts.ids, label: run.label });
  const readers = new SegmentReaders(store, run.tenantId);
  try {
    const checked = judgeFile(compiledFlowOf(run), {
      summaries: run.chunks.map((chunk) => chunk.summary),
      chunks: run.chunks.map(({ spec, outcomes }) => ({
        spec,
        outcomes: new OutcomeSegment(readers.open(outcomes.object), outcomes.start),
      })),
      source: readers.open(run.file),
      splitDamage: run.splitDamage,
    });
    const exclusions = run.writesExclusions ? writeExclusions(set, checked.exclusions) : null;
    return { checked, exclusions, segments: set.commit() };
  } catch (error) {
    set.discard();
    throw error;
  } finally {
    readers.close();
  }
}
