/** Runs lines of a file through a plan in memory and judges the file, for tests of what only the file as a whole shows. */
import type { ChunkSpec, ChunkSummary, EnvelopeRecord } from '../chunk.ts';
import { compileFlow } from '../compile-flow.ts';
import { OutcomeSegment } from '../outcomes/outcome-segment.ts';
import type { Plan } from '../plan.ts';
import { type MemoryRun, memorySource, runInMemory } from '../runs.fixture.ts';
import type { Exclusion } from './duplicates.ts';
import { checkFile, type FileCheck } from './file-checks.ts';
import { foldSummaries } from './fold-summaries.ts';
import { knownHeader } from './known-header.ts';

export interface CheckedLines {
  readonly check: FileCheck;
  readonly summary: ChunkSummary;
  readonly exclusions: readonly Exclusion[];
  readonly runs: readonly MemoryRun[];
}

/** Runs the lines in chunks of so many lines each, and judges the file. */
export function checkLines(plan: Plan, lines: readonly string[], linesPerChunk = lines.length): CheckedLines {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
  const flow = compileFlow(plan);
  const specs: ChunkSpec[] = [];
  const runs: MemoryRun[] = [];
  let header: EnvelopeRecord | null | undefined;
  let start = 0;
  let firstRecord = 1;
  for (let from = 0; from < Math.max(1, lines.length); from += Math.max(1, linesPerChunk)) {
    const end =
      start +
      Buffer.byteLength(
        lines
          .slice(from, from + linesPerChunk)
          .map((line) => `${line}\n`)
          .join(''),
      );
    const spec: ChunkSpec = { number: specs.length, start, end, firstRecord, context: { version: 1, columns: null } };
    const run = runInMemory({ plan, bytes, spec, flow }, { header });
    if (header === undefined) header = knownHeader(run.summary);
    specs.push(spec);
    runs.push(run);
    start = end;
    firstRecord += run.summary.records.read;
  }
  const exclusions: Exclusion[] = [];
  const { check, summary } = checkFile(flow, {
    summary: foldSummaries(runs.map((run) => run.summary)),
    chunks: specs.map((spec, index) => ({ spec, outcomes: new OutcomeSegment(memorySource(runs[index]!.outcomes)) })),
    source: memorySource(bytes),
    onExclusion: (exclusion) => void exclusions.push(exclusion),
  });
  return { check, summary, exclusions, runs };
}
