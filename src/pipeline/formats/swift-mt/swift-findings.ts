/** Findings of a SWIFT MT file: how badly a broken rule weighs depends on the kind of message and on the settings. */
import type { PackSink } from '../pack.ts';
import { type Place, RuleFindings } from '../statements/rule-findings.ts';
import { swiftErrors } from './swift-errors.ts';
import { type SwiftRule, swiftRules } from './swift-rules.ts';

export const lineBytesMax = 32_768;

export type MessageKind = 'any' | 'statements' | 'payments';

export type Strictness = 'network' | 'strict' | 'lenient';

export interface SwiftSettings {
  readonly balances: 'error' | 'warn';
  readonly strictness: Strictness;
  /** Type of messages that do not say theirs; null: it is seen from their fields. */
  readonly messageType: string | null;
  readonly messages: MessageKind;
}

/** Whatever the message: other readers take it, and nothing is lost. */
const alwaysWarned: ReadonlySet<SwiftRule> = new Set<SwiftRule>(['envelope-line', 'network-message', 'field-variant', 'page-number']);

/** Nothing that the network would refuse: it lies between messages, or between several of them. */
const besideMessages: ReadonlySet<SwiftRule> = new Set<SwiftRule>(['envelope-line', 'network-message', 'page-number']);

/** Statements are written by banks in dialects of their own, and read all the same. */
const warnedInStatements: ReadonlySet<SwiftRule> = new Set<SwiftRule>([
  'user-header',
  'character-set',
  'line-begin',
  'reference-slash',
  'amount-length',
  'currency-unknown',
  'entry-type',
  'entry-reference',
  'entry-details',
  'information-size',
]);

/** With the setting `strictness: lenient`: parts of messages are read as far as they go. */
const warnedIfLenient: ReadonlySet<SwiftRule> = new Set<SwiftRule>([
  'block-syntax',
  'block-order',
  'basic-header',
  'application-header',
  'text-end',
  'field-missing',
  'field-order',
  'field-repeated',
  'field-unknown',
]);

export class SwiftFindings {
  readonly #settings: SwiftSettings;
  readonly #rules: RuleFindings<SwiftRule>;
  #unbalanced = 0;
  /** Of the message that is read; null between messages. */
  messageType: string | null = null;
  isStatement = false;
  /** The message is one of the network, and not its text alone. */
  hasBlocks = false;

  constructor(settings: SwiftSettings, sink: PackSink) {
    this.#settings = settings;
    this.#rules = new RuleFindings(swiftRules, sink);
  }

  get errors(): number {
    return this.#rules.errors;
  }

  /** Findings of totals, as errors or warnings. */
  get unbalanced(): number {
    return this.#unbalanced;
  }

  /** `dialect` says how badly a habit of banks weighs, of which the rule is not always one. */
  tell(rule: SwiftRule, place: Place, field: string | null, message: string, dialect?: 'error' | 'warn'): void {
    const severity = (this.#settings.strictness === 'network' ? undefined : dialect) ?? this.#severityOf(rule);
    if (swiftRules[rule].code === swiftErrors.E_SWIFT_TOTAL && rule !== 'page-number') this.#unbalanced++;
    const record = this.messageType === null ? null : `MT${this.messageType}`;
    this.#rules.add(rule, { ...place, record, field, message, severity });
  }

  tellCutLine(place: Place): void {
    this.tell('line-size', place, null, `the line is longer than ${lineBytesMax} bytes; its end is not read`);
  }

  #severityOf(rule: SwiftRule): 'error' | 'warn' {
    if (this.#settings.strictness === 'network' && !besideMessages.has(rule)) return this.#severityOfTotal(rule);
    if (alwaysWarned.has(rule) || (this.isStatement && warnedInStatements.has(rule))) return 'warn';
    if (this.#settings.strictness === 'lenient' && warnedIfLenient.has(rule)) return 'warn';
    return this.#severityOfTotal(rule);
  }

  #severityOfTotal(rule: SwiftRule): 'error' | 'warn' {
    return this.#settings.balances === 'warn' && swiftRules[rule].code === swiftErrors.E_SWIFT_TOTAL ? 'warn' : 'error';
  }
}
