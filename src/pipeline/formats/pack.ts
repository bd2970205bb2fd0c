/**
 * What a pack is: a format of the banks that knows its own records, keys, amounts and control totals, so that it needs no
 * schema. A pack reads bytes in one pass, in pieces of any size, and says of everything that breaks a rule where it is and
 * which rule that is. The list of packs is in `src/main/catalogue.ts`.
 */
import type { FieldType, PackPlan } from '../engine/plan.ts';
import type { FormatSetting } from './format.ts';
import type { PackFinding } from './pack-finding.ts';
import type { RecordLines } from './record-lines.ts';

export type PackName = PackPlan['name'];

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

export interface PackSink {
  finding(finding: PackFinding): void;
  /** Pieces of one JSON document of the content, in order; without it none is made. */
  readonly parsed?: (text: string) => void;
  /** What flows read (`PackFlow`): header, records and trailer, each while it is read. A finding belongs to the record that is open. */
  readonly lines?: RecordLines;
}

/**
 * What a flow has of a pack without a schema of its own: fields of the header, of each record and of the trailer, by the keys of
 * `PackSink.lines`, and what the file as a whole must keep. In the words of flow definitions.
 */
export interface PackFlow {
  readonly settings: readonly FormatSetting[];
  schema(settings: PackSettings): PackSchema;
  /** Why no flow can have these settings, though a file can be read with them; null: it can. Absent: any flow can. */
  problem?(settings: PackSettings): { readonly setting: string; readonly message: string } | null;
}

export interface PackSchema {
  /** Without fields: the file has none. */
  readonly header: Readonly<Record<string, PackField>>;
  readonly record: Readonly<Record<string, PackField>>;
  readonly trailer: Readonly<Record<string, PackField>>;
  /** Fields of the record that make the business key. */
  readonly key: readonly string[];
  /** Expressions over the trailer and totals of the records; one that is false holds the file. */
  readonly totals: readonly { readonly id: string; readonly assert: string; readonly code: string; readonly message: string }[];
}

export interface PackField {
  readonly type: FieldType;
  readonly required?: boolean;
  /** Of a decimal. */
  readonly scale?: number;
  /** Its amounts are counted; `currency`: the field that holds their currency. */
  readonly sum?: boolean;
  readonly currency?: string;
  readonly class?: string;
  readonly mask?: 'last4' | 'all';
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
