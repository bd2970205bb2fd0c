/** What rules beyond the schema are to the reader of a message, by family of messages. */
import type { PackSummary } from '../../pack.ts';
import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import type { RoleListener } from '../schema/role-listener.ts';

/** Where a declared number stands, kept until what it is compared with is known. */
export class Declared {
  isThere = false;
  text = '';
  line = 0;
  column = 0;
  offset = 0;

  take(value: CheckedValue, frame: ElementFrame): void {
    this.isThere = value.isValid;
    this.text = value.bytes.toString('latin1', 0, value.length).trim();
    this.line = frame.textLine;
    this.column = frame.textColumn;
    this.offset = frame.textOffset;
  }

  reset(): void {
    this.isThere = false;
    this.text = '';
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
