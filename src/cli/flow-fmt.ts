/** `headgate flow fmt FILE…`: rewrites documents in their one form, comments kept; `--check` only says which are not in it. */
import { renameSync, statSync, writeFileSync } from 'node:fs';
import type { Diagnostic } from '../control/flows/documents/diagnostics.ts';
import { formatDocument } from '../control/flows/documents/format-document.ts';
import { type Command, outputOptions } from './command.ts';
import { reportDiagnostics } from './flow-diagnostics.ts';
import { type FlowFile, offline, readFlowFiles } from './flow-files.ts';
import { printRows } from './output.ts';
import { writeOut } from './stdout.ts';

const usage = 'headgate flow fmt FILE|FOLDER… [--check] [--json]';

interface Formatted {
  readonly file: string;
  readonly state: 'formatted' | 'unchanged' | 'unformatted' | 'unreadable';
  readonly diagnostics: readonly Diagnostic[];
}

export const flowFmtCommand: Command = {
  usage,
  summary: 'Formats documents in place (- for stdin to stdout). With --check nothing is written: exit 1 when one is not formatted.',
  options: { ...outputOptions, check: { type: 'boolean' } },
  run: offline(async (line) => {
    const isCheck = line.options['check'] === true;
    const files = readFlowFiles(line.positionals, usage);
    const results: Formatted[] = [];
    for (const file of files) results.push(await formatFile(file, isCheck));
    if (!line.options['json']) reportDiagnostics(results);
    const printed = results.filter(({ file }) => isCheck || file !== '-');
    if (printed.length > 0)
      await printRows(
        line,
        printed.map(({ file, state, diagnostics }) => ({ file, state, diagnostics })),
        { columns: ['file', 'state'] },
      );
    if (results.some(({ state }) => state === 'unreadable')) return 2;
    return isCheck && results.some(({ state }) => state === 'unformatted') ? 1 : 0;
  }),
};

async function formatFile({ file, text }: FlowFile, isCheck: boolean): Promise<Formatted> {
  const formatted = formatDocument(text);
  if ('diagnostics' in formatted) return { file, state: 'unreadable', diagnostics: formatted.diagnostics };
  const isSame = formatted.text === text;
  if (isCheck) return { file, state: isSame ? 'unchanged' : 'unformatted', diagnostics: [] };
  if (file === '-') await writeOut(formatted.text);
  else if (!isSame) replaceFile(file, formatted.text);
  return { file, state: isSame ? 'unchanged' : 'formatted', diagnostics: [] };
}

/** An editor or a kill in between sees the old file or the new one. */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: statSync(file).mode & 0o777, flag: 'wx' });
  renameSync(temporary, file);
}
