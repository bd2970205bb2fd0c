/** What the breaker story tells at its end: its document, what of it is a failure, and its text for people. */
import { table } from '../../cli/terminal-text.ts';
import type { TakenRecord } from './story-downstream.ts';

export interface StoryStep {
  readonly atSeconds: number;
  readonly what: string;
}

export interface StoryTarget {
  readonly target: string;
  readonly routed: number;
  readonly delivered: number;
  /** By a backup, by its id. */
  readonly via: Readonly<Record<string, number>>;
  /** What downstreams hold of it. */
  readonly held: number;
  /** What came to them beyond the first time. */
  readonly duplicates: number;
  /** Of these, how many came without the label of a possible duplicate. */
  readonly unlabelledDuplicates: number;
  readonly breaker: string;
}

export interface StoryDocument {
  readonly story: 'breaker';
  readonly steps: readonly StoryStep[];
  readonly targets: readonly StoryTarget[];
  readonly files: number;
  readonly records: number;
  /** From the death of a downstream to the opening of its breaker. */
  readonly openedAfterSeconds: Readonly<Record<string, number>>;
  readonly parkedMost: number;
  /** The downstream without a backup holds every record, those of an account in the order of the files. */
  readonly orderKept: boolean;
  readonly balanced: boolean;
  /** Each in a sentence; empty when the story showed what it is for. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** A label may be on the one that came first: an attempt that was given up may come last. */
export function countHeld(
  held: readonly Pick<TakenRecord, 'id' | 'isLabelled'>[],
): Pick<StoryTarget, 'held' | 'duplicates' | 'unlabelledDuplicates'> {
  const ids = new Set(held.map(({ id }) => id));
  const unlabelled = held.filter(({ isLabelled }) => !isLabelled).map(({ id }) => id);
  return { held: ids.size, duplicates: held.length - ids.size, unlabelledDuplicates: unlabelled.length - new Set(unlabelled).size };
}

/** Under load a breaker opens before that. */
const openedSecondsMax = 5;

export function storyFailures({
  openedAfterSeconds,
  targets,
  orderKept,
  balanced,
}: Pick<StoryDocument, 'openedAfterSeconds' | 'targets' | 'orderKept' | 'balanced'>): string[] {
  const failures: string[] = [];
  for (const [target, seconds] of Object.entries(openedAfterSeconds))
    if (seconds >= openedSecondsMax)
      failures.push(`the breaker of ${target} opened after ${seconds} s under load, not in less than ${openedSecondsMax} s`);
  for (const { target, unlabelledDuplicates } of targets)
    if (unlabelledDuplicates > 0)
      failures.push(`${unlabelledDuplicates} records for ${target} came again without the label of a possible duplicate`);
  if (!orderKept) failures.push('ledger does not hold every record, or not in the order of the files');
  else if (!balanced) failures.push('a job or a target does not balance');
  return failures;
}

export function printStory(document: StoryDocument): string {
  const timeline = document.steps.map(({ atSeconds, what }) => `${atSeconds.toFixed(1).padStart(7)} s  ${what}`);
  const rows = document.targets.map(({ target, routed, delivered, via, held, breaker }) => [
    target,
    String(routed),
    String(delivered),
    Object.entries(via)
      .map(([id, records]) => `${id} ${records}`)
      .join(', '),
    String(held),
    breaker,
  ]);
  const opened = Object.entries(document.openedAfterSeconds).map(([target, seconds]) => `${target} after ${seconds} s`);
  const verdict =
    document.failures.length === 0 ? 'Everything balances, and the order was kept' : `FAILED: ${document.failures.join('; ')}`;
  return `${timeline.join('\n')}\n\n${table(['target', 'routed', 'delivered', 'by backup', 'held downstream', 'breaker'], rows)}\n${verdict}: ${document.files} files, ${document.records} records, at most ${document.parkedMost} batches parked, breakers open (${opened.join(', ')}), ${document.seconds} s.\n`;
}
