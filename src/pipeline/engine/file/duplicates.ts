/**
 * Finds records whose `unique: file` value an earlier record of the file already has. Hashes of all chunks are merged in
 * bounded memory; a match of hashes is confirmed on the bytes; of equals the lowest record number stays.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { AmountTotals } from '../amount-totals.ts';
import type { ChunkSpec, FieldAmounts } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { outcomeStatus, statusMask } from '../outcomes/outcome-columns.ts';
import type { OutcomeSegment } from '../outcomes/outcome-segment.ts';
import { type IndexEntry, visitEqualHashes } from './index-merge.ts';
import { RecordFetcher } from './record-fetcher.ts';

/** A record that was valid on its own and is taken out of the file's outputs when batches are cut. */
export interface Exclusion {
  readonly record: number;
  readonly offset: number;
  readonly code: string;
  readonly field: string;
  /** Targets it was routed to. */
  readonly targets: readonly number[];
  readonly amounts: FieldAmounts;
}

export interface FinishedChunk {
  readonly spec: ChunkSpec;
  readonly outcomes: OutcomeSegment;
}

/** A record that shares its hash with another, waiting to be confirmed. */
interface Candidate extends IndexEntry {
  readonly group: number;
  readonly key: number;
}

/** Exclusions in record order, each record once. */
export function* findDuplicates(flow: CompiledFlow, chunks: readonly FinishedChunk[], source: ByteSource): Generator<Exclusion> {
  const candidates = flow.hashedKeys.flatMap((key, index) => (key.isUnique ? collectCandidates(chunks, index) : []));
  candidates.sort((a, b) => a.chunk - b.chunk || a.position - b.position || a.key - b.key);
  const seen = new Map<string, Set<string>>();
  const fetchers = new Map<string, RecordFetcher>();
  let last = -1;
  let lastChunk = -1;
  for (const candidate of candidates) {
    const isExcluded = last === candidate.position && lastChunk === candidate.chunk;
    if (isExcluded) continue;
    const chunk = chunks[candidate.chunk]!;
    const outcome = chunk.outcomes.outcome(candidate.position);
    const judge = fetcherOf(fetchers, flow, chunk, source).fetch(outcome.offset);
    const values = judge.keys[candidate.key];
    if (values === null || values === undefined) continue;
    const group = `${candidate.key} ${candidate.group}`;
    const texts = seen.get(group) ?? new Set<string>();
    seen.set(group, texts);
    const text = values.join('\0');
    if (!texts.has(text)) {
      texts.add(text);
      continue;
    }
    last = candidate.position;
    lastChunk = candidate.chunk;
    const amounts = new AmountTotals(flow.sums.sums);
    for (const { sum, currency, amount } of judge.amounts) if (amount !== null) amounts.add(sum, currency, amount);
    yield {
      record: outcome.record,
      offset: outcome.offset,
      code: fileErrors.E_DUPLICATE_KEY,
      field: fieldName(flow, candidate.key, judge.type),
      targets: outcome.targets,
      amounts: amounts.toFieldAmounts(),
    };
  }
}

function collectCandidates(chunks: readonly FinishedChunk[], key: number): Candidate[] {
  const candidates: Candidate[] = [];
  let group = 0;
  const segments = chunks.map((chunk) => chunk.outcomes);
  visitEqualHashes(segments, key, (entries) => {
    const valid = entries.filter(({ chunk, position }) => (segments[chunk]!.statusOf(position) & statusMask) === outcomeStatus.valid);
    if (valid.length < 2) return;
    for (const entry of valid) candidates.push({ ...entry, group, key });
    group++;
  });
  return candidates;
}

function fetcherOf(fetchers: Map<string, RecordFetcher>, flow: CompiledFlow, chunk: FinishedChunk, source: ByteSource): RecordFetcher {
  const { columns } = chunk.spec.context;
  const name = JSON.stringify(columns);
  const known = fetchers.get(name);
  if (known !== undefined) return known;
  const made = new RecordFetcher(flow, columns, source);
  fetchers.set(name, made);
  return made;
}

function fieldName(flow: CompiledFlow, key: number, type: number): string {
  const fields = flow.hashedKeys[key]!.fields[type] ?? [];
  return fields.map((index) => flow.plan.records[type]!.fields[index]!.name).join('+');
}
