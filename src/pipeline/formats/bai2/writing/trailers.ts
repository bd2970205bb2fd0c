/**
 * Trailers of accounts, groups and the file: control totals, members and lines are computed where the document has none. What it
 * has is written as it is, and the reader that reads it back holds it against what was added up.
 */
import { pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { amountUnits, type FieldTexts } from './record-fields-text.ts';

export type Level = 'account' | 'group' | 'file';

interface LevelFields {
  readonly code: string;
  readonly total: string;
  readonly members: string | null;
}

const fields: Readonly<Record<Level, LevelFields>> = {
  account: { code: '49', total: 'accountControlTotal', members: null },
  group: { code: '98', total: 'groupControlTotal', members: 'numberOfAccounts' },
  file: { code: '99', total: 'fileControlTotal', members: 'numberOfGroups' },
};

const above: Readonly<Record<Level, Level | null>> = { account: 'group', group: 'file', file: null };

interface Sums {
  total: bigint;
  members: number;
  lines: number;
}

const newSums = (): Sums => ({ total: 0n, members: 0, lines: 0 });

export class Trailers {
  readonly #sums: Record<Level, Sums> = { account: newSums(), group: newSums(), file: newSums() };
  readonly #values: DocumentValues;
  readonly #texts: FieldTexts;
  /** Numbers of lines are those that are written, whatever the document says. */
  readonly #areLinesComputed: boolean;

  constructor({
    values,
    texts,
    areLinesComputed,
  }: { readonly values: DocumentValues; readonly texts: FieldTexts; readonly areLinesComputed: boolean }) {
    this.#values = values;
    this.#texts = texts;
    this.#areLinesComputed = areLinesComputed;
  }

  open(level: Level): void {
    this.#sums[level] = newSums();
    const parent = above[level];
    if (parent !== null) this.#sums[parent].members++;
  }

  /** Of a record that is written: they count at every level, and a level is counted anew when it is opened. */
  addLines(lines: number): void {
    for (const level of ['account', 'group', 'file'] as const) this.#sums[level].lines += lines;
  }

  addAmount(units: bigint): void {
    this.#sums.account.total += units;
  }

  /** The fields of the trailer of the level, which is one line; null stands for a trailer that the document does not have. */
  close(level: Level, trailer: JsonMembers | null, pointer: string): { readonly code: string; readonly group: readonly string[] } {
    const { code, total, members } = fields[level];
    const sums = this.#sums[level];
    const given: JsonMembers = trailer ?? new Map();
    const names = [total, members, 'numberOfRecords'];
    this.#values.onlyKeys(given, (key) => names.includes(key), pointer);
    const totalText = this.#texts.field(given, total, pointer);
    const declared = givenAt(given, total) === null || totalText === '' ? sums.total : amountUnits(given, total);
    const parent = above[level];
    if (parent !== null) this.#sums[parent].total += declared;
    const lines = this.#areLinesComputed ? null : this.#values.optionalCount(given, 'numberOfRecords', pointer);
    const group = [
      totalText === '' ? String(sums.total) : totalText,
      ...(members === null ? [] : [String(this.#values.optionalCount(given, members, pointer) ?? sums.members)]),
      String(lines ?? sums.lines + 1),
    ];
    return { code, group };
  }
}

/** Where the fields of a trailer are. */
export const trailerPointer = (level: Level, owner: string): string => pointerTo(owner, level === 'file' ? 'fileTrailer' : 'trailer');
