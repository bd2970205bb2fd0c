/**
 * Sets apart what is said of one record where several of the batch have its name, such as `NOTPROVIDED`: nobody knows which is
 * meant. Where the same is said as often as there are records of the name, and nothing else, it is said of each of them.
 */
import { answerLevels } from './answer-levels.ts';
import type { AnswerTable } from './answer-table.ts';
import { GrowingHits, type Hits, noHits } from './batch-answers.ts';
import { unclearBit } from './record-answers.ts';

export interface ClearHits {
  readonly hits: Hits;
  /** Of ambiguous answers, each with what it says. */
  readonly unclear: Hits;
  /** Answers of which the records can't be told apart. */
  readonly ambiguous: ReadonlySet<number>;
}

/** `timesSaid`: by how many answers. `records`: of the batch. */
export function clearHits(
  hits: Hits,
  table: Pick<AnswerTable, 'length' | 'level' | 'word'>,
  { records, timesSaid }: { readonly records: number; readonly timesSaid: (answer: number) => number },
): ClearHits {
  const isOfRecord = (answer: number) => table.level[answer] === answerLevels.record && table.word[answer]! < unclearBit;
  const counts = new Int32Array(table.length);
  let isShared = false;
  for (let index = 0; index < hits.length; index++)
    if (++counts[hits.answers[index]!]! > 1 && isOfRecord(hits.answers[index]!)) isShared = true;
  if (!isShared) return { hits, unclear: noHits, ambiguous: new Set() };
  const isAmong = (answer: number) => isOfRecord(answer) && counts[answer]! > 1;
  /** By position: 1 more than the first word; by position too: another one was said. */
  const [words, areDifferent] = [new Uint8Array(records), new Uint8Array(records)];
  for (let index = 0; index < hits.length; index++) {
    const [answer, position] = [hits.answers[index]!, hits.positions[index]!];
    if (!isAmong(answer)) continue;
    const said = table.word[answer]! + 1;
    if (words[position] === 0) words[position] = said;
    else if (words[position] !== said) areDifferent[position] = 1;
  }
  const ambiguous = new Set<number>();
  const times = new Int32Array(table.length);
  for (let index = 0; index < hits.length; index++) {
    const answer = hits.answers[index]!;
    if (!isAmong(answer)) continue;
    times[answer] ||= timesSaid(answer);
    if (times[answer]! < counts[answer]! || areDifferent[hits.positions[index]!] === 1) ambiguous.add(answer);
  }
  const [clear, unclear] = [new GrowingHits(), new GrowingHits()];
  for (let index = 0; index < hits.length; index++)
    (ambiguous.has(hits.answers[index]!) ? unclear : clear).add(hits.answers[index]!, hits.positions[index]!);
  return { hits: clear, unclear, ambiguous };
}
