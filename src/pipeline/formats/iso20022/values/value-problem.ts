/** What a check of one value finds wrong. Shared instances: nothing is made per value. */
export class ValueProblem {
  /** `business`: the schema takes the value, a code list or check digits do not. */
  readonly level: 'schema' | 'business';
  readonly rule: string;
  /** Never holds the value. */
  readonly message: string;

  constructor(level: 'schema' | 'business', rule: string, message: string) {
    this.level = level;
    this.rule = rule;
    this.message = message;
  }
}

/** Looks at bytes `from` to `to`, which are well-formed UTF-8. */
export type ValueCheck = (bytes: Buffer, from: number, to: number) => ValueProblem | null;
