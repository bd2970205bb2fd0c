/**
 * What a format is: settings described as data (for the flow checker, the editor schema and the documentation), and a
 * splitter, which cuts a file into chunks at record boundaries in one sequential pass while the file is hashed. The list
 * of formats is in `src/main/catalogue.ts`; what a record means is the engine's (`docs/record-rules.md`).
 */
import type { ChunkSpec, Finding, FindingGroup } from '../engine/chunk.ts';
import type { FormatPlan, RecordPlan } from '../engine/plan.ts';
import { encodings } from '../engine/reference-data/code-pages.ts';

export interface FormatSetting {
  readonly name: string;
  /** `byte`: one ASCII character, or an escape such as `\t`; empty text is none. `position`: the format says where. */
  readonly type: 'byte' | 'boolean' | 'choice' | 'integer' | 'position';
  readonly choices?: readonly string[];
  /** As it is written in a flow definition; null where there is none. */
  readonly default: string | boolean | number | null;
  readonly description: string;
}

export const encodingSetting: FormatSetting = {
  name: 'encoding',
  type: 'choice',
  choices: encodings,
  default: 'utf-8',
  description: 'How text is encoded. Strict: bytes that are no text in it reject their record. What goes out is UTF-8.',
};

export const skipBlankLinesSetting: FormatSetting = {
  name: 'skipBlankLines',
  type: 'boolean',
  default: true,
  description: 'Empty lines are counted, and are no records.',
};

export interface Format<Plan extends FormatPlan = FormatPlan> {
  readonly name: Plan['type'];
  readonly summary: string;
  readonly documentation: string;
  readonly settings: readonly FormatSetting[];
  createSplitter(format: Plan, records: readonly RecordPlan[], options: SplitterOptions): Splitter;
}

export interface SplitterOptions {
  /** A chunk ends with the first record that makes it this big; below 2 GiB. */
  readonly chunkBytes: number;
  /** The first chunk is this big and each other twice the one before, up to `chunkBytes`: where those who run chunks wait for them. */
  readonly firstChunkBytes?: number;
  /** Longest record without its line end. */
  readonly maxRecordBytes?: number;
  /** It ends with this record, too. */
  readonly chunkRecordsMax?: number;
  /** From which offset on runs of records are taken at once; the default is where it pays. */
  readonly runsFrom?: number;
  /** Called for each chunk as soon as its end is known; the chunks are in the result too. */
  readonly onChunk?: (chunk: ChunkSpec) => void;
}

export const maxRecordBytesDefault = 16 * 1024 * 1024;

export interface Splitter {
  /** Bytes in file order. They are not kept; the same bytes in other pieces give the same result. */
  push(bytes: Uint8Array): void;
  end(): SplitResult;
}

export interface SplitResult {
  /** At least one, empty for a file without records. */
  readonly chunks: readonly ChunkSpec[];
  /** Numbered records, those of broken structure included. */
  readonly records: number;
  readonly blankLines: number;
  readonly comments: number;
  /** What is no numbered record, at most 1,000. Blank lines and comments are only counted. */
  readonly spans: readonly Span[];
  /** Reasons to hold the file. After some of them nothing more is split. */
  readonly damage: readonly Finding[];
  /** What a pack has to say of the file as a whole and is no reason to hold it; offsets are those of the file as received. */
  readonly warnings?: readonly FindingGroup[];
  /** Of what the records of a pack say (`records-hash.ts`), where that was asked for; null: there are none, or the file is damaged. */
  readonly recordsSha256?: string | null;
}

export interface Span {
  readonly kind: 'bom' | 'header-row' | 'envelope';
  readonly start: number;
  readonly end: number;
}
