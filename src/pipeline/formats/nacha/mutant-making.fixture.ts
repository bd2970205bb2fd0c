/** Changes to good files, written shortly. */
import type { AchFile } from './ach-files.fixture.ts';
import { addenda } from './addenda-layouts.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import type { SampleName } from './sample-batches.fixture.ts';

export interface Mutant {
  /** Batches of the good file. */
  readonly of: readonly SampleName[];
  /** The bytes of the changed file; or the file, which is written with LF. */
  readonly change: (file: AchFile) => AchFile | string | Buffer;
  readonly settings?: Readonly<Record<string, string | boolean>>;
  /** Rules that cannot but be broken with it. */
  readonly also?: readonly NachaRuleId[];
}

export const one = (sample: SampleName, change: Mutant['change'], more: Omit<Mutant, 'of' | 'change'> = {}): Mutant => ({
  of: [sample],
  change,
  ...more,
});
export const ppd = (change: Mutant['change'], more?: Omit<Mutant, 'of' | 'change'>) => one('PPD', change, more);
export const setting =
  (record: string, field: string, value: string | number): Mutant['change'] =>
  (file) =>
    file.set(record, field, value);
/** A copy of a record put in before another, in the place of a record of filler. */
export const withCopy = (file: AchFile, of: string, before: number): AchFile => {
  file.records.splice(before, 0, { ...file.records[file.index(of)]! });
  file.filler -= 1;
  return file;
};
/** Of the first entry, before what answers it. */
export const withAddenda05 = (file: AchFile): AchFile =>
  file.insert(file.index('entryDetail') + 1, addenda.addenda05, { sequenceNumber: 1, entryDetailSequenceNumber: '0001001' }).total();
export const withLine = (file: AchFile, index: number, change: (line: string) => string): string =>
  file
    .lines()
    .map((line, at) => `${at === index ? change(line) : line}\n`)
    .join('');
