/**
 * Finds records whose `unique: file` value an earlier record of the file already has. Hashes of all chunks are merged in
 * bounded memory; a match of hashes is confirmed on the bytes; of equals the lowest record number that is not excluded itself stays.
 */
import { AmountTotals } from '../amount-totals.ts';
import type { FieldAmounts } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { uniqueKeys } from '../outcomes/hashed-keys.ts';
import { outcomeStatus, statusMask } from '../outcomes/outcome-columns.ts';
import type { RecordFinding } from '../records/record-finding.ts';
import type { RecordJudge } from '../records/record-judge.ts';
import type { FileReason } from './file-verdict.ts';
import type { FinishedChunk, FinishedChunks } from './finished-chunks.ts';
import { type IndexEntry, visitEqualHashes } from './index-merge.ts';

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

export interface Duplicate {
  readonly exclusion: Exclusion;
  /** What it was warned of as a valid record. */
  readonly warnings: readonly RecordFinding[];
}

/** A record that shares its hash with another, waiting to be confirmed. */
interface Candidate extends IndexEntry {
  readonly group: number;
  readonly key: number;
}

/**
 * Most values of a file that repeat an earlier one, over all its unique fields: each record that is left out is in memory while the file is
 * judged and cut. A file with more is not what its flow is for.
 */
export const repeatsMax = 100_000;
export const tooManyRepeats: FileReason = {
  verdict: 'rejected',
  code: fileErrors.E_DUPLICATE_KEYS,
  rule: null,
  message: `more than ${repeatsMax} values of fields that are unique in the file repeat earlier ones`,
};

/** Null when there are more than `repeatsMax`: none is told then. */
export function findDuplicates(flow: CompiledFlow, chunks: FinishedChunks): Iterable<Duplicate> | null {
  const candidates: Candidate[] = [];
  let repeats = 0;
  for (const key of uniqueKeys(flow.hashedKeys)) {
    repeats += collectCandidates(chunks.all, key, { candidates, repeatsLeft: repeatsMax - repeats });
    if (repeats > repeatsMax) return null;
  }
  candidates.sort((a, b) => a.chunk - b.chunk || a.position - b.position || a.key - b.key);
  return exclusionsOf(flow, candidates, chunks);
}

/** In record order, each record once. Only the values of records that stay count for those behind them. */
function* exclusionsOf(flow: CompiledFlow, candidates: readonly Candidate[], chunks: FinishedChunks): Generator<Duplicate> {
  const seen = new SeenValues();
  for (const own of byRecord(candidates)) {
    const chunk = chunks.all[own[0]!.chunk]!;
    const outcome = chunk.outcomes.outcome(own[0]!.position);
    const judge = chunks.fetch(chunk, outcome.offset);
    const repeated = seen.take(own, judge.keys);
    if (repeated === null) continue;
    const amounts = new AmountTotals(flow.sums.sums);
    for (const { sum, currency, amount } of judge.amounts) if (amount !== null) amounts.add(sum, currency, amount);
    const exclusion = {
      record: outcome.record,
      offset: outcome.offset,
      code: fileErrors.E_DUPLICATE_KEY,
      field: fieldName(flow, repeated.key, judge.type),
      targets: outcome.targets,
      amounts: amounts.toFieldAmounts(),
    };
    yield { exclusion, warnings: outcome.warned ? judge.warnings : [] };
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

/** Of one key; returns how many repeat an earlier one, of more than `repeatsLeft` as many as were seen. */
function collectCandidates(
  chunks: readonly FinishedChunk[],
  key: number,
  { candidates, repeatsLeft }: { candidates: Candidate[]; repeatsLeft: number },
): number {
  const segments = chunks.map((chunk) => chunk.outcomes);
  let [group, repeats] = [0, 0];
  visitEqualHashes(segments, key, {
    isWanted: ({ chunk, position }) => (segments[chunk]!.statusOf(position) & statusMask) === outcomeStatus.valid,
    runMax: repeatsMax + 2,
    visit(entries) {
      repeats += entries.length - 1;
      if (repeats > repeatsLeft) return false;
      for (const entry of entries) candidates.push({ ...entry, group, key });
      group++;
      return true;
    },
  });
  return repeats;
}

function fieldName(flow: CompiledFlow, key: number, type: number): string {
  const fields = flow.hashedKeys[key]!.fields[type] ?? [];
  return fields.map((index) => flow.plan.records[type]!.fields[index]!.name).join('+');
}
