/** What `headgate write` says of a file: its identity, what is in it, and what its reader would warn of. */
import type { PackName, PackWritten } from '../../pipeline/formats/pack.ts';
import { printable } from '../command.ts';
import type { FileIdentity } from './written-file.ts';

export interface WrittenReceipt extends PackWritten {
  readonly format: PackName;
  readonly file: FileIdentity;
}

export function writtenReceipt(format: PackName, file: FileIdentity, written: PackWritten): WrittenReceipt {
  return { format, file, ...written };
}

const shownMax = 20;

/** A line for the file, and one for each of its first warnings. */
export function writtenLine({ file, records, amounts, warnings }: WrittenReceipt): string {
  const sums = Object.entries(amounts).flatMap(([name, byCurrency]) =>
    Object.entries(byCurrency).map(([currency, text]) => `${name}=${text} ${currency}`),
  );
  const counts = [`records=${records}`, ...sums, `warnings=${warnings.length}`];
  const shown = warnings.slice(0, shownMax).map(({ severity, line, rule, message }) => `  ${severity}\t${line}\t${rule}\t${message}\n`);
  const left = warnings.length - shown.length;
  const more = left > 0 ? `  … and ${left} more: --json lists them\n` : '';
  return `${[printable(file.name), 'written', ...counts].join('\t')}\n${shown.join('')}${more}`;
}
