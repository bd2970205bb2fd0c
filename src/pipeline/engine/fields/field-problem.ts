/** What a check of one field finds wrong: a code and a sentence that never holds the value. Shared instances, compared by identity. */
export class FieldProblem {
  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}
