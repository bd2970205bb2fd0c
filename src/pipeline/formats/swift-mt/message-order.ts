/**
 * Follows the fields of one message through the layout of its type: what may come next, what was left out, what is out of
 * place. After something out of place it stays where it was, so that one mistake is told once.
 */
import type { FieldStep, MessageLayout } from './message-layouts.ts';

export type Placement = 'fits' | 'repeated' | 'out of order' | 'unknown';

const nothing: readonly FieldStep[] = [];

export class MessageOrder {
  readonly #layout: MessageLayout;
  /** Index of the step that the last field took; -1 before the first. */
  #at = -1;
  readonly #begun: boolean[];
  /** Mandatory steps that were passed over by the last field; replaced by each. */
  missing = nothing;

  constructor(layout: MessageLayout) {
    this.#layout = layout;
    this.#begun = layout.sequences.map(() => false);
  }

  get step(): FieldStep | null {
    return this.#layout.steps[this.#at] ?? null;
  }

  take(tag: string): Placement {
    this.missing = nothing;
    const { steps, sequences, tags } = this.#layout;
    if (!tags.has(tag)) return 'unknown';
    const step = this.step;
    const isSame = step?.tags.includes(tag) ?? false;
    if (isSame && step!.isRepeatable) return 'fits';
    const round = step === null || step.sequence === null ? null : sequences[step.sequence]!;
    if (round !== null) {
      const inRound = this.#find(tag, this.#at + 1, round.last);
      if (inRound >= 0) return this.#go(inRound, this.#mandatory(this.#at + 1, inRound));
      if (round.isRepeatable && steps[round.first]!.tags.includes(tag))
        return this.#go(round.first, this.#mandatory(this.#at + 1, round.last + 1));
    }
    // A second field 86 belongs to the entry before it, not to the message.
    if (isSame && round !== null) return 'repeated';
    const ahead = this.#find(tag, round === null ? this.#at + 1 : round.last + 1, steps.length - 1);
    if (ahead < 0) return isSame || this.#find(tag, 0, this.#at) < 0 ? 'repeated' : 'out of order';
    const missing = this.#mandatory(this.#at + 1, ahead);
    if (isSame && missing.length > 0) return 'repeated';
    return this.#go(ahead, missing);
  }

  /** What is still missing when the message ends. */
  end(): readonly FieldStep[] {
    return this.#mandatory(this.#at + 1, this.#layout.steps.length);
  }

  #find(tag: string, from: number, to: number): number {
    for (let index = from; index <= to; index++) if (this.#layout.steps[index]!.tags.includes(tag)) return index;
    return -1;
  }

  #go(index: number, missing: readonly FieldStep[]): Placement {
    this.#at = index;
    const sequence = this.#layout.steps[index]!.sequence;
    if (sequence !== null) this.#begun[sequence] = true;
    this.missing = missing;
    return 'fits';
  }

  /** Mandatory steps from `from` up to `to`; those of a sequence that is not entered only where the sequence is mandatory. */
  #mandatory(from: number, to: number): readonly FieldStep[] {
    const { steps, sequences } = this.#layout;
    const target = steps[to]?.sequence ?? null;
    let missing: FieldStep[] | null = null;
    for (let index = from; index < to; index++) {
      const step = steps[index]!;
      if (!step.isMandatory) continue;
      const { sequence } = step;
      const counts = sequence === null || sequence === target || this.#begun[sequence]! || sequences[sequence]!.isMandatory;
      if (counts && !(sequence !== null && this.#isBefore(sequence))) (missing ??= []).push(step);
    }
    return missing ?? nothing;
  }

  /** A sequence that was begun and left behind. */
  #isBefore(sequence: number): boolean {
    return this.#begun[sequence]! && this.#layout.sequences[sequence]!.last < this.#at;
  }
}
