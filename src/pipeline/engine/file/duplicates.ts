/**
 * Finds records whose `unique: file` value an earlier record of the file already has. Hashes of all chunks are merged in
 * bounded memory; a match of hashes is confirmed on the bytes; of equals the lowest record number that is not excluded itself stays.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { AmountTotals } from '../amount-totals.ts';
import type { ChunkSpec, FieldAmounts } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { outcomeStatus, statusMask } from '../outcomes/outcome-columns.ts';
import type { OutcomeSegment } from '../outcomes/outcome-segment.ts';
import type { RecordJudge } from '../records/record-judge.ts';
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

/** Exclusions in record order, each record once. Only the values of records that stay count for those behind them. */
export function* findDuplicates(flow: CompiledFlow, chunks: readonly FinishedChunk[], source: ByteSource): Generator<Exclusion> {
  const candidates = flow.hashedKeys.flatMap((key, index) => (key.isUnique ? collectCandidates(chunks, index) : []));
  candidates.sort((a, b) => a.chunk - b.chunk || a.position - b.position || a.key - b.key);
  const seen = new SeenValues();
  const fetchers = new Map<string, RecordFetcher>();
  for (const own of byRecord(candidates)) {
    const chunk = chunks[own[0]!.chunk]!;
    const outcome = chunk.outcomes.outcome(own[0]!.position);
    const judge = fetcherOf(fetchers, flow, chunk, source).fetch(outcome.offset);
    const repeated = seen.take(own, judge.keys);
    if (repeated === null) continue;
    const amounts = new AmountTotals(flow.sums.sums);
    for (const { sum, currency, amount } of judge.amounts) if (amount !== null) amounts.add(sum, currency, amount);
    yield {
      record: outcome.record,
      offset: outcome.offset,
      code: fileErrors.E_DUPLICATE_KEY,
      field: fieldName(flow, repeated.key, judge.type),
      targets: outcome.targets,
      amounts: amounts.toFieldAmounts(),
    };
  }
}

/** What earlier records that stay hold, by group of equal hashes. */
class SeenValues {
  readonly #groups = new Map<string, Set<string>>();

  /** The first of a record's candidates whose value was seen before; where there is none, all of them are seen from now on. */
  take(own: readonly Candidate[], keys: RecordJudge['keys']): Candidate | null {
    const found = own.flatMap((candidate) => {
      const values = keys[candidate.key];
      return values === null || values === undefined ? [] : [{ candidate, texts: this.#textsOf(candidate), text: values.join('\0') }];
    });
    const repeated = found.find(({ texts, text }) => texts.has(text));
    if (repeated !== undefined) return repeated.candidate;
    for (const { texts, text } of found) texts.add(text);
    return null;
  }

  #textsOf({ key, group }: Candidate): Set<string> {
    const name = `${key} ${group}`;
    const texts = this.#groups.get(name) ?? new Set<string>();
    this.#groups.set(name, texts);
    return texts;
  }
}

/** Candidates of one record stand together. */
function* byRecord(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  for (let first = 0, end = 0; first < candidates.length; first = end) {
    const { chunk, position } = candidates[first]!;
    while (candidates[end]?.chunk === chunk && candidates[end]?.position === position) end++;
    yield candidates.slice(first, end);
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
