/**
 * What a pack is: a format of the banks that knows its own records, keys, amounts and control totals, so that it needs no
 * schema. A pack reads bytes in one pass, in pieces of any size, and says of everything that breaks a rule where it is and
 * which rule that is. Some write files too. The list of packs is in `src/main/catalogue.ts`.
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
  /** Without it files are read only. */
  readonly writer?: PackWriter;
  /** What it makes of files that there are, by the name of what comes out. */
  readonly makers?: Readonly<Record<string, PackMaker>>;
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
  /** The settings may say too little: then which, and what is to be said. */
  schema(settings: PackSettings): PackSchema | { readonly key: string; readonly problem: string };
}

export interface PackSchema {
  /** Without fields: the file has none. */
  /** Null: the format has none. */
  readonly header: Readonly<Record<string, PackField>> | null;
  readonly record: Readonly<Record<string, PackField>>;
  /** Null: the format has none. */
  readonly trailer: Readonly<Record<string, PackField>> | null;
  /** Fields of the record that make the business key. */
  readonly key: readonly string[];
  /** Fields of the record that say in part the same, such as an amount and the side that it is on: none of them is changed alone. */
  readonly tied: readonly string[];
  /** Expressions over header, trailer and totals of the records; one that is false holds the file. */
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

/** Makes files of the JSON document that `--parse` prints: one shape for both directions, on the page of the format. */
export interface PackWriter {
  /** Besides `Pack.settings`; no name is in both. */
  readonly settings: readonly FormatSetting[];
  /** `settings`: those of the pack and of its writer. */
  createDocumentWriter(settings: PackSettings, sink: PackFileSink): PackDocumentWriter;
}

export interface PackFileSink {
  /** The next piece of the file; valid until the call returns. Nothing of a file counts before `end` returned. */
  bytes(piece: Uint8Array): void;
}

/**
 * Numbers that follow from others (counts, totals, hashes) are computed where the document has none; where it has a wrong one,
 * it is refused with the right one, unless a setting says that it is kept. Both methods throw `HeadgateError`, whose code is
 * one of the pack or of `documentErrors`, and whose message begins with the place in the document, a JSON pointer (RFC 6901).
 */
export interface PackDocumentWriter {
  /** UTF-8 of the document, in order. It is not kept; the same bytes in other pieces give the same file. */
  push(bytes: Uint8Array): void;
  end(): PackWritten;
}

/** What was written: `records`, `amounts` and `details` as in `PackSummary`, and the totals that the file declares. */
export interface PackWritten extends Pick<PackSummary, 'amounts' | 'details'> {
  readonly records: number;
  readonly controlTotals: Readonly<Record<string, string | number | null>>;
  /** What the pack's reader finds in the file and the settings let pass, the first thousand; all else is refused. */
  readonly warnings: readonly PackFinding[];
}

/** Makes files of files: one of several, or an answer to one. */
export interface PackMaker {
  /** One sentence. */
  readonly summary: string;
  /** Besides `Pack.settings` and those of its writer. */
  readonly settings: readonly FormatSetting[];
  readonly filesMax: number;
  /** Whether a document says what is to be made. */
  readonly takesDocument: boolean;
  createMaking(settings: PackSettings, sink: PackFilesSink): PackMaking;
}

export interface PackFilesSink {
  /** The next file; the one before is complete. Nothing of any of them counts before `end` returned. */
  begin(): PackFileSink;
}

/** First the document, then the files. Throws as a `PackDocumentWriter` does; a place in a file is its name and a line. */
export interface PackMaking {
  /** Pieces of UTF-8, in order. */
  pushDocument(bytes: Uint8Array): void;
  beginFile(name: string): void;
  /** Bytes of the file, in order. They are not kept. */
  push(bytes: Uint8Array): void;
  endFile(): void;
  /** One for each file that was made. */
  end(): readonly PackWritten[];
}
