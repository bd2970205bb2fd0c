/**
 * The Plan: what a checked flow definition is compiled to, and all that the engine, the reference parser and the
 * verifier know of a flow. Plain data (JSON), deterministic for one definition, versioned. `control/flows` makes it;
 * nothing in it is user code: literals are values, expressions are typed trees.
 */
import type { Expression, ValueType } from './expressions/expression.ts';
import type { SingleByteEncoding } from './reference-data/code-pages.ts';

export const planVersion = 1;

/** Limits of a header row. The names of its columns go with each chunk of the file. */
export const headerRowBytesMax = 256 * 1024;
export const headerColumnsMax = 10_000;

export interface Plan {
  readonly planVersion: typeof planVersion;
  readonly flow: FlowIdentity;
  readonly format: FormatPlan;
  /** Every record type of the file. At most one has role `header`, at most one `trailer`; at least one is `data`. */
  readonly records: readonly RecordPlan[];
  readonly rules: readonly RulePlan[];
  readonly filters: readonly FilterPlan[];
  /** Output fields in order. Without transforms: every field of the (single) data record under its own name. */
  readonly output: readonly OutputFieldPlan[];
  readonly routes: RoutesPlan;
  readonly targets: readonly TargetPlan[];
  readonly acceptance: AcceptancePlan;
  /** What is written for the sender when a file is closed; without it nothing is. */
  readonly acknowledge?: AcknowledgePlan;
  /** Of a plan that `redrivePlan` narrowed: the targets that its routes still lead to. What a definition is compiled to has none. */
  readonly redriveTo?: readonly string[];
}

export interface FlowIdentity {
  readonly tenant: string;
  readonly service: string;
  readonly subService: string | null;
  readonly name: string;
  readonly version: string;
  /** `sha256:` + 64 hex digits, see decisions 29. */
  readonly hash: string;
}

export type FormatPlan = DelimitedPlan | FixedWidthPlan | JsonLinesPlan;

export interface DelimitedPlan {
  readonly type: 'delimited';
  /** Absent: UTF-8. */
  readonly encoding?: SingleByteEncoding;
  /** Bytes. `quote` null: no quoting. `escape` equal to `quote`: doubled quotes (RFC 4180). */
  readonly delimiter: number;
  readonly quote: number | null;
  readonly escape: number | null;
  /** A line that starts with this byte is a comment span, not a record. */
  readonly comment: number | null;
  /** `true`: the first record names the columns; fields are matched by name. */
  readonly header: boolean;
  /** More or fewer fields than the schema has: `exact` rejects the record (E_FIELD_COUNT), `lenient` reads the missing ones as absent and ignores the rest. */
  readonly columns: 'exact' | 'lenient';
  readonly skipBlankLines: boolean;
  /** Which column (0-based) holds the record tag, where there are several record types. */
  readonly discriminator: number | null;
}

export interface FixedWidthPlan {
  readonly type: 'fixed-width';
  /** Absent: UTF-8. */
  readonly encoding?: SingleByteEncoding;
  /** Positions and lengths count characters (code points), not bytes; absent: bytes. Only of UTF-8. */
  readonly positions?: 'characters';
  /** Records follow each other with nothing between them, each `recordLength` bytes; absent: every record ends with a line end. */
  readonly lineEnds?: false;
  /** Byte position (0-based) and length of the record tag. */
  readonly discriminator: { readonly start: number; readonly length: number } | null;
  /** Bytes per record without the line end; null: as long as the fields of its type need. */
  readonly recordLength: number | null;
  /** A line shorter than its record type: `reject` (E_WIDTH) or `pad` with spaces. Longer by anything but spaces is always E_WIDTH. */
  readonly shortLines: 'reject' | 'pad';
  readonly skipBlankLines: boolean;
}

export interface JsonLinesPlan {
  readonly type: 'json-lines';
  /** Top-level key whose string value is the record tag. */
  readonly discriminator: string | null;
  readonly unknownKeys: 'ignore' | 'reject';
  readonly skipBlankLines: boolean;
  /** The lines are what this pack makes of a file, not the file as received. Its findings are in the lines (`records/pack-notes.ts`). */
  readonly pack?: PackPlan;
}

export interface PackPlan {
  readonly name: 'nacha' | 'iso20022' | 'bai2' | 'swift-mt';
  /** As given in the flow; the others have their defaults. */
  readonly settings: Readonly<Record<string, string | boolean | number | null>>;
}

export interface RecordPlan {
  readonly name: string;
  readonly role: 'header' | 'data' | 'trailer';
  readonly tag: string | null;
  /** Data records that count as records of the file. Header and trailer never do. */
  readonly counted: boolean;
  /** Field indexes that make the business key; empty: none. */
  readonly key: readonly number[];
  readonly fields: readonly FieldPlan[];
}

export type FieldType =
  | 'string'
  | 'int'
  | 'decimal'
  | 'date'
  | 'time'
  | 'datetime'
  | 'boolean'
  | 'iban'
  | 'bic'
  | 'aba-routing'
  | 'lei'
  | 'isin'
  | 'currency'
  | 'country'
  | 'luhn';

export interface FieldPlan {
  readonly name: string;
  readonly type: FieldType;
  /** Where it is: a 0-based column, a 0-based byte range, or a path of keys. With a delimited header row, `header` is the column's name. */
  readonly at:
    | { readonly column: number; readonly header: string | null }
    | { readonly start: number; readonly length: number }
    | { readonly path: readonly string[] };
  readonly required: boolean;
  /** Leading and trailing spaces are removed before anything else. Default: true for fixed width, false elsewhere. */
  readonly trim: boolean;
  /** Lengths in code points, after trim. */
  readonly minLength: number | null;
  readonly maxLength: number | null;
  /** Linear-time (RE2) pattern; must match the whole value unless it is anchored otherwise by its author. */
  readonly pattern: string | null;
  readonly enum: readonly string[] | null;
  /** Bounds as exact text in the field's own type, inclusive. */
  readonly min: string | null;
  readonly max: string | null;
  /** `decimal`: digits after the point, at most 18. `implied`: the text holds no point, the last `scale` digits are the fraction. */
  readonly point: 'explicit' | 'implied';
  readonly scale: number;
  /** How the digits of an int or a decimal are held; absent: as text. `packed` and `binary` are bytes of a fixed-width record. */
  readonly usage?: NumberUsage;
  /** `zoned`, `overpunch`: where the sign is; absent: in the last digit. */
  readonly sign?: SignPlace;
  /** `date`, `time`, `datetime`: pattern in the letters yyyy MM dd HH mm ss SSS, else literal; null: ISO 8601. */
  readonly dateFormat: string | null;
  readonly unique: 'file' | null;
  /** This field's amounts are summed; `currencyField` is the index of the field that holds their currency (null: XXX). */
  readonly sum: boolean;
  readonly currencyField: number | null;
  /** Shown to people as: nothing hidden, the last four characters, or nothing. Outputs are never masked by this. */
  readonly mask: 'none' | 'last4' | 'all';
  readonly class: string | null;
  readonly search: 'exact' | 'blind' | null;
}

export type NumberUsage = 'packed' | 'binary' | 'zoned' | 'overpunch';
/** In the first digit, or a character `+` or `-` of its own; in the last digit is not said. */
export type SignPlace = 'leading' | 'leading-separate' | 'trailing-separate';

export interface RulePlan {
  readonly id: string;
  readonly scope: 'record' | 'file';
  /** `warn` leaves the record valid. */
  readonly severity: 'error' | 'warn';
  /** For scope `file`. */
  readonly onFail: 'reject-file' | 'hold-file';
  readonly code: string;
  readonly message: string;
  readonly assert: Expression;
}

export interface FilterPlan {
  readonly id: string;
  readonly when: Expression;
  readonly reason: string;
}

export interface OutputFieldPlan {
  readonly name: string;
  readonly type: ValueType;
  readonly value: Expression;
}

export interface RoutesPlan {
  readonly mode: 'first' | 'all';
  /** `to`: indexes into `targets`. In mode `all`, `default` applies when no rule matched. */
  readonly rules: readonly { readonly id: string; readonly when: Expression; readonly to: readonly number[] }[];
  readonly default: readonly number[];
}

export interface TargetPlan {
  readonly id: string;
  /** The connector's name in the catalogue: `file`, `http`, `postgres`. */
  readonly type: string;
  readonly connection: string | null;
  readonly body: BodyPlan;
  /** Most records and bytes of a batch. */
  readonly batchRecords: number;
  readonly batchBytes: number;
  /** Most of a summed field in a batch, in units of its scale and without its sign, for each currency. */
  readonly batchAmount?: { readonly field: string; readonly max: string };
  /** Its files collect the records of every job for so long; absent: a file is one job's. */
  readonly windowMs?: number;
  /** A batch that is less than half full waits so long for the records of other jobs; absent: it goes at once. */
  readonly lingerMs?: number;
  readonly order: 'none' | 'by-key' | 'file';
  /** Most batches under way at once where order is kept: one in a lane. 0: no order, no lanes. */
  readonly lanes: number;
  readonly onUnknown: 'resend' | 'hold';
  readonly onExhausted: 'dead-letter';
  readonly timeoutMs: number;
  readonly concurrency: number;
  /** Records a second; null: unlimited. */
  readonly ratePerSecond: number | null;
  readonly retry: { readonly max: number; readonly initialMs: number; readonly capMs: number };
  /** When nothing is sent to it any more, and how it is tried whether it is back. */
  readonly breaker: BreakerPlan;
  /** The target that takes its batches while its breaker is open; null: none. */
  readonly backup: string | null;
  /** What is to come of what was sent, and by when; absent: nothing is expected. */
  readonly answers?: AnswersPlan;
  /** Checked against the connector's own described settings. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How answers name the records of a target: by the values of these output fields (indexes). */
export interface AnswersPlan {
  readonly withinMs: number;
  readonly key: number | null;
  readonly group: number | null;
}

export interface BreakerPlan {
  readonly windowMs: number;
  readonly failureRatio: number;
  readonly minCalls: number;
  readonly probeEveryMs: number;
  /** Batches at once while it is half-open, and how many of them have to be taken. */
  readonly probes: number;
}

export interface AcknowledgePlan {
  readonly format: 'json' | 'csv' | 'pain.002' | 'nacha';
  /** A file for each. */
  readonly levels: readonly ('file' | 'record')[];
  /** Of pain.002; ACSP without it. */
  readonly acceptedAs?: 'ACSP' | 'ACCP';
  readonly connection: string;
  /** Folder below the connection's root. */
  readonly path: string;
  /** Template of the file's name. */
  readonly name: string;
  readonly encrypt: boolean;
  readonly sign: boolean;
  readonly timeoutMs: number;
  readonly retry: TargetPlan['retry'];
}

/** How a record looks in this target's output segment: exactly these bytes are sent. */
export type BodyPlan =
  | { readonly format: 'ndjson' }
  | { readonly format: 'csv'; readonly delimiter: number; readonly header: boolean; readonly lineEnd: '\n' | '\r\n' }
  | {
      readonly format: 'fixed-width';
      /** One per output field, in order. Text longer than its width rejects the record (E_OUTPUT_WIDTH). */
      readonly columns: readonly { readonly width: number; readonly align: 'left' | 'right'; readonly pad: number }[];
      readonly lineEnd: '\n' | '\r\n';
    };

export interface AcceptancePlan {
  readonly release: 'file' | 'chunk';
  readonly mode: 'partial' | 'all-or-nothing';
  /** Limits of `partial`, each null when not set. Amounts: decimal text by currency. */
  readonly maxInvalid: number | null;
  readonly maxInvalidRatio: number | null;
  readonly maxInvalidAmount: Readonly<Record<string, string>> | null;
  readonly onExceed: 'hold' | 'reject';
  readonly emptyFile: 'accept' | 'reject';
  /** A damaged file; absent: it is held. */
  readonly onDamage?: 'reject';
}
