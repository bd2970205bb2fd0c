/**
 * What a pack is: a format of the banks that knows its own records, keys, amounts and control totals, so that it needs no
 * schema. A pack reads bytes in one pass, in pieces of any size, and says of everything that breaks a rule where it is and
 * which rule that is. The list of packs is in `src/main/catalogue.ts`.
 */
import type { FormatSetting } from './format.ts';

export type PackName = 'nacha' | 'iso20022' | 'bai2' | 'swift-mt';

export interface Pack {
  readonly name: PackName;
  readonly summary: string;
  readonly settings: readonly FormatSetting[];
  /** Every rule that a finding can name, by its id; documentation is made of it, and tests ask for a mutant of each. */
  readonly rules: Readonly<Record<string, PackRule>>;
  createReader(settings: PackSettings, sink: PackSink): PackReader;
}

/** By name, each loaded when it is wanted. */
export type Packs = Readonly<Record<PackName, () => Promise<Pack>>>;

export interface PackRule {
  /** The error code of what breaks it. */
  readonly code: string;
  /** One sentence that says what holds, with the source of the rule. */
  readonly says: string;
}

/** By the name of the setting; checked against `Pack.settings`. */
export type PackSettings = ReadonlyMap<string, string | boolean | number | null>;

export interface PackFinding {
  readonly code: string;
  /** `warn` refuses nothing. */
  readonly severity: 'error' | 'warn';
  /** Of the physical line, from 1. */
  readonly line: number;
  /** First and last column in that line, from 1, in bytes; null: the line as a whole. */
  readonly columns: readonly [number, number] | null;
  /** In the file, of the first byte of `columns`, or of the line. */
  readonly offset: number;
  /** Type of the record, as `--parse` names it; null: it has none. */
  readonly record: string | null;
  /** As `--parse` names it. */
  readonly field: string | null;
  /** Where in an XML document: an XPath. */
  readonly path?: string;
  /** A key of `Pack.rules`. */
  readonly rule: string;
  /** For people. Declared and computed numbers and codes; never names, accounts or texts of the file. */
  readonly message: string;
}

export interface PackSink {
  finding(finding: PackFinding): void;
  /** Pieces of one JSON document of the content, in order; without it none is made. */
  readonly parsed?: (text: string) => void;
}

export interface PackReader {
  /** Bytes in file order. They are not kept; the same bytes in other pieces give the same result. */
  push(bytes: Uint8Array): void;
  end(): PackSummary;
}

export interface PackSummary {
  /** What the format counts as its records: entries, transactions, payments. `rejected`: those with an error of their own. */
  readonly records: { readonly read: number; readonly rejected: number };
  /** Name of a total, then ISO 4217 code, then decimal text: `{ credit: { USD: "10.00" } }`. */
  readonly amounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly controlTotals: {
    readonly declared: Readonly<Record<string, string | number | null>>;
    readonly computed: Readonly<Record<string, string | number>>;
    readonly balanced: boolean;
  };
  /** What only this format has, such as its SEC codes or message types. */
  readonly details: Readonly<Record<string, unknown>>;
}
