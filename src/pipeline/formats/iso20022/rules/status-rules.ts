/** Status reports (pain.002, pacs.002) have no totals of their own: their transactions are counted. */
import type { MessageRules, RuleContext } from './message-rules.ts';
import { roles } from './roles.ts';

export class StatusRules implements MessageRules {
  readonly #context: RuleContext;
  #records = 0;
  #rejected = 0;
  #errorsBefore = 0;

  constructor(context: RuleContext) {
    this.#context = context;
  }

  started(role: number): void {
    if (role !== roles.record) return;
    this.#records++;
    this.#errorsBefore = this.#context.errorCount;
  }

  valued(): void {}

  ended(role: number): void {
    if (role === roles.record && this.#context.errorCount > this.#errorsBefore) this.#rejected++;
  }

  finish(): void {}

  get summary(): MessageRules['summary'] {
    return {
      records: { read: this.#records, rejected: this.#rejected },
      amounts: {},
      controlTotals: { declared: {}, computed: { transactions: this.#records }, balanced: true },
    };
  }
}
