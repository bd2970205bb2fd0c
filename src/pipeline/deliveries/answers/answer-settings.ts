/** What a target of type `answers` is told: whose deliveries are answered, and which output fields say what. Checked when the flow is compiled. */

/** Words of a downstream, by what they mean. */
export interface AnswerWords {
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
  readonly pending: readonly string[];
  /** Of many records at once: those that are listed are told of by themselves, the others as `unlisted` says. */
  readonly partial: readonly string[];
}

export interface AnswerSettings extends AnswerWords {
  readonly of: readonly { readonly flow: string; readonly target: string }[];
  /** Names of output fields; absent: nothing says it. */
  readonly file?: string;
  readonly group?: string;
  readonly key?: string;
  /** It is `transaction` where an answer is about one record, which it then has to name. */
  readonly level?: string;
  /** `records`: each answer is about one record. */
  readonly about?: 'any' | 'records';
  readonly status: string;
  readonly reason?: string;
  readonly unlisted: 'accepted' | 'pending' | 'unanswered';
}
