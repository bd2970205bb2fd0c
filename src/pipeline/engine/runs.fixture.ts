/** Runs a plan over bytes in memory, for tests and benches: every sink's bytes and findings, to be compared whole. */
import type { ByteSource } from '../../platform/base/byte-source.ts';
import type { ChunkSpec, ChunkSummary, Finding } from './chunk.ts';
import { type CompiledFlow, compileFlow } from './compile-flow.ts';
import type { Plan } from './plan.ts';
import { publicHashKey, type RunOptions, runOpenRange } from './run-chunk.ts';

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(into, at, length, position) {
      const part = bytes.subarray(position, Math.min(bytes.length, position + length));
      into.set(part, at);
      return part.length;
    },
  };
}

export interface MemoryRun {
  readonly summary: ChunkSummary;
  readonly targets: readonly Buffer[];
  readonly outcomes: Buffer;
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly slowRecords: number;
}

export interface MemoryRunInput {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  readonly columns?: readonly string[] | null;
  readonly spec?: Partial<ChunkSpec>;
  readonly flow?: CompiledFlow;
}

export function runInMemory(input: MemoryRunInput, options: Partial<RunOptions> = {}): MemoryRun {
  const { plan, bytes } = input;
  const targets: Buffer[][] = plan.targets.map(() => []);
  const outcomes: Buffer[] = [];
  const findings: Finding[] = [];
  const warnings: Finding[] = [];
  const collect = (parts: Buffer[]) => ({ write: (part: Uint8Array) => void parts.push(Buffer.from(part)) });
  const spec: ChunkSpec = {
    number: 0,
    start: 0,
    end: bytes.length,
    firstRecord: 1,
    context: { version: 1, columns: input.columns ?? null },
    ...input.spec,
  };
  const { summary, slowRecords } = runOpenRange(
    input.flow ?? compileFlow(plan),
    spec,
    memorySource(bytes),
    {
      targets: targets.map(collect),
      outcomes: collect(outcomes),
      rejected: (finding) => void findings.push(finding),
      warned: (finding) => void warnings.push(finding),
    },
    { hashKey: publicHashKey, stopAfterBytes: Number.POSITIVE_INFINITY, ...options },
  );
  return {
    summary,
    slowRecords,
    targets: targets.map((parts) => Buffer.concat(parts)),
    outcomes: Buffer.concat(outcomes),
    findings,
    warnings,
  };
}

/** Everything a run leaves, whichever path its records took, as text that test output can show. */
export function describeRun(run: MemoryRun): unknown {
  const { slowRecords: _, ...left } = run;
  return { ...left, targets: run.targets.map((target) => target.toString('latin1')), outcomes: run.outcomes.toString('latin1') };
}
