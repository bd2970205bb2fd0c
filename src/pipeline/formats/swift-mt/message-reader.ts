/** What reads the fields of one message after they are put together and in place: a statement, or payments. */
import type { EntryLines } from './entry-lines.ts';
import type { FieldText } from './field-text.ts';
import type { FileTotals } from './file-totals.ts';
import type { PaymentLines } from './payment-lines.ts';
import type { SwiftDocument } from './swift-document.ts';
import type { SwiftFindings } from './swift-findings.ts';

export interface MessageReader {
  /** Before a field with this tag is looked at: ends what it ends. */
  leave(tag: string): void;
  /** Begins what the field begins, so that what is found in the field is found in it. */
  enter(field: FieldText): void;
  /** The field is valid during the call only. */
  take(field: FieldText): void;
  end(): void;
}

export interface MessageContext {
  readonly findings: SwiftFindings;
  readonly totals: FileTotals;
  readonly document: SwiftDocument;
  /** Lines of what flows read, where they are wanted; one of them at most. */
  readonly entryLines: EntryLines | null;
  readonly paymentLines: PaymentLines | null;
}
