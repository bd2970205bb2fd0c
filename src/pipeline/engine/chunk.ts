/**
 * What goes into the engine and what comes out of it, for one chunk of one file. Pure: bytes in, bytes out. The worker
 * gives it sealed frames to read and write, `headgate run` gives it plain files, `headgate verify` the reference parser.
 */

import type { ByteSink, LendingSink } from '../../platform/base/byte-source.ts';

/** Versioned parser state at a chunk's start; made by the format's splitter. */
export interface ChunkContext {
  readonly version: 1;
  /** A delimited file's column names by position, from its header row; null where the format has none. */
  readonly columns: readonly string[] | null;
}

/** A range of the file that starts and ends at a record boundary. `firstRecord` is the number of its first data record, from 1. */
export interface ChunkSpec {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly firstRecord: number;
  readonly context: ChunkContext;
}

/** Unscaled amounts at the field's scale by ISO 4217 code, as decimal integer text (JSON-safe); `XXX` where the currency is unreadable. */
export type AmountsByCurrency = Readonly<Record<string, string>>;

/** Per summed field name. `unreadable` counts the records whose amount could not be read. */
export type FieldAmounts = Readonly<
  Record<string, { readonly scale: number; readonly unreadable: number; readonly byCurrency: AmountsByCurrency }>
>;

export interface RecordCounts {
  readonly read: number;
  readonly valid: number;
  readonly rejected: number;
  readonly filtered: number;
}

/** A run of consecutive lines of a target's segment with its own totals: batches are cut at stripe ends only. */
export interface Stripe {
  readonly firstRecord: number;
  readonly records: number;
  /** Bytes in the segment. */
  readonly start: number;
  readonly end: number;
  readonly amounts: FieldAmounts;
}

export interface TargetTotals {
  readonly target: number;
  readonly records: number;
  readonly bytes: number;
  readonly amounts: FieldAmounts;
  readonly stripes: readonly Stripe[];
}

/** One finding about one record. `offset` is the byte offset in the member of the record's first byte. Never holds content. */
export interface Finding {
  readonly record: number;
  readonly offset: number;
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}

/** Findings grouped by (code, field, rule): at most 1,000 groups. */
export interface FindingGroup {
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly count: number;
  readonly firstOffset: number;
  readonly message: string;
}

/** A header or trailer record: its values as exact text by field name, null where unreadable. */
export interface EnvelopeRecord {
  readonly record: string;
  readonly offset: number;
  readonly values: Readonly<Record<string, string | null>>;
  readonly findings: readonly Finding[];
}

/** JSON-safe and associative: `foldSummaries` joins consecutive chunks in order. */
export interface ChunkSummary {
  readonly records: RecordCounts;
  readonly warned: number;
  /** All read records, rejected and filtered ones included (`stats.*`). */
  readonly amounts: {
    readonly read: FieldAmounts;
    readonly valid: FieldAmounts;
    readonly rejected: FieldAmounts;
    readonly filtered: FieldAmounts;
  };
  /** The rejected amounts summed without their signs; absent where the flow has no limit for them. */
  readonly rejectedMagnitudes?: FieldAmounts;
  /** Records per data record type, uncounted types included. */
  readonly byType: Readonly<Record<string, number>>;
  readonly targets: readonly TargetTotals[];
  readonly header: EnvelopeRecord | null;
  readonly trailer: EnvelopeRecord | null;
  readonly errors: readonly FindingGroup[];
  readonly warnings: readonly FindingGroup[];
  /** File-level damage found while parsing: E_TRUNCATED, E_QUOTE …; the file is held. */
  readonly damage: readonly Finding[];
}

export interface ChunkSinks {
  /** One per target of the plan, by index. */
  readonly targets: readonly (ByteSink | LendingSink)[];
  /** The outcome segment (`outcome-segment.ts`). */
  readonly outcomes: ByteSink;
  /** Every finding of rejected records, in record order; may be called often, must be cheap. */
  rejected(finding: Finding): void;
  warned(finding: Finding): void;
}
