/** What reads the fields of one message after they are put together and in place: a statement, or payments. */
import type { FieldText } from './field-text.ts';
import type { FileTotals } from './file-totals.ts';
import type { SwiftDocument } from './swift-document.ts';
import type { SwiftFindings } from './swift-findings.ts';

export interface MessageReader {
  /** The field is valid during the call only. */
  take(field: FieldText): void;
  end(): void;
}

export interface MessageContext {
  readonly findings: SwiftFindings;
  readonly totals: FileTotals;
  readonly document: SwiftDocument;
}
