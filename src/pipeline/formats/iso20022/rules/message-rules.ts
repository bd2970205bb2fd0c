/** What rules beyond the schema are to the reader of a message, by family of messages. */
import type { PackSummary } from '../../pack.ts';
import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import type { RoleListener } from '../schema/role-listener.ts';
import { amountScale, decimalsOf, scaledAmount, scaledInteger } from '../values/number-values.ts';
import { trimmedFrom, trimmedTo } from '../values/white-space.ts';
import type { ExactSum } from './exact-sum.ts';

/** Decimals that a sum may have. */
export const sumScale = 17;

/** A declared number and where it stands, kept until what it is compared with is known. */
export class Declared {
  isThere = false;
  line = 0;
  column = 0;
  offset = 0;
  #bytes = Buffer.alloc(0);
  #length = 0;

  take(value: CheckedValue, frame: ElementFrame): void {
    this.isThere = value.isValid;
    const from = trimmedFrom(value.bytes, 0, value.length);
    this.#length = trimmedTo(value.bytes, from, value.length) - from;
    if (this.#bytes.length < this.#length) this.#bytes = Buffer.alloc(Math.max(64, this.#length));
    // Short: a call that copies costs more.
    for (let at = 0; at < this.#length; at++) this.#bytes[at] = value.bytes[from + at]!;
    this.line = frame.textLine;
    this.column = frame.textColumn;
    this.offset = frame.textOffset;
  }

  reset(): void {
    this.isThere = false;
    this.#length = 0;
  }

  get text(): string {
    return this.#bytes.toString('latin1', 0, this.#length);
  }

  /** Characters: what is declared is ASCII. */
  get length(): number {
    return this.#length;
  }

  /** Times ten to the power of `scale`; digits beyond it are dropped. */
  units(scale: number): bigint {
    return scaledInteger(this.#bytes, 0, this.#length, scale);
  }

  /** A valid number text is compared: digits, fifteen at the most. */
  isCount(count: number): boolean {
    let declared = 0;
    for (let at = 0; at < this.#length; at++) declared = declared * 10 + this.#bytes[at]! - 0x30;
    return declared === count;
  }

  /** A valid decimal is compared, digit by digit: `CtrlSum` may have more decimals than amounts have. */
  isSum(sum: ExactSum): boolean {
    if (decimalsOf(this.#bytes, 0, this.#length) <= amountScale) {
      const amount = scaledAmount(this.#bytes, 0, this.#length);
      if (!Number.isNaN(amount)) return sum.is(amount);
    }
    return this.units(sumScale) === sum.total * 10n ** BigInt(sumScale - amountScale);
  }

  copy(): Declared {
    const { isThere, line, column, offset } = this;
    const made = Object.assign(new Declared(), { isThere, line, column, offset });
    made.#bytes = Buffer.from(this.#bytes.subarray(0, this.#length));
    made.#length = this.#length;
    return made;
  }

  /** The place of an element as such. */
  static of({ line, column, offset }: ElementFrame): Declared {
    return Object.assign(new Declared(), { line, column, offset });
  }
}

export interface RuleFinding {
  readonly rule: string;
  readonly message: string;
  readonly at: Declared;
  readonly field: string;
  /** Under the element of the message, or the whole path where it begins with /. */
  readonly path: string;
}

export interface RuleContext {
  report(finding: RuleFinding): void;
  /** XPath of an open element. */
  pathOf(frame: ElementFrame): string;
  /** False once the schema was broken: sums of what could not be read would say nothing. */
  readonly isSchemaKept: boolean;
  /** Errors so far, by which a record knows whether it had one. */
  readonly errorCount: number;
}

export interface MessageRules extends RoleListener {
  /** At the end of the message. */
  finish(): void;
  readonly summary: Pick<PackSummary, 'records' | 'amounts' | 'controlTotals'>;
}
