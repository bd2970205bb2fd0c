/** Findings by rule: a rule knows its error code, whoever finds that it is broken says where and how badly. */
import type { PackRule, PackSink } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';

export interface Place {
  readonly line: number;
  readonly columns: readonly [number, number] | null;
  /** In the file, of the first byte of `columns`, or of the line. */
  readonly offset: number;
}

export interface Found extends Place {
  readonly record: string | null;
  readonly field: string | null;
  readonly message: string;
  readonly severity: PackFinding['severity'];
}

export class RuleFindings<Rule extends string> {
  readonly #rules: Readonly<Record<Rule, PackRule>>;
  readonly #sink: PackSink;
  #errors = 0;

  constructor(rules: Readonly<Record<Rule, PackRule>>, sink: PackSink) {
    this.#rules = rules;
    this.#sink = sink;
  }

  /** Errors so far: a record without one of its own leaves it as it was. */
  get errors(): number {
    return this.#errors;
  }

  add(rule: Rule, { severity, line, columns, offset, record, field, message }: Found): void {
    if (severity === 'error') this.#errors++;
    this.#sink.finding({ code: this.#rules[rule].code, severity, line, columns, offset, record, field, rule, message });
  }
}
