/** `headgate flow validate FILE…`: checks documents offline, alone and together. Exit 2 when one has errors. */
import { checkDocuments } from '../control/flows/check-documents.ts';
import { type Command, outputOptions } from './command.ts';
import { reportDiagnostics } from './flow-diagnostics.ts';
import { offline, readFlowFiles } from './flow-files.ts';
import { printRows } from './output.ts';

const usage = 'headgate flow validate FILE|FOLDER… [--json]';

export const flowValidateCommand: Command = {
  usage,
  summary: 'Checks flows, connections, environments and policies offline: exit 0 when they are sound, 2 when one has errors.',
  options: outputOptions,
  run: offline(async (line) => {
    const checked = checkDocuments(readFlowFiles(line.positionals, usage));
    const rows = checked.map(({ file, document, hash, diagnostics }) => ({
      file,
      valid: document !== null,
      kind: document?.kind ?? null,
      name: document?.metadata.name ?? null,
      version: document?.kind === 'FlowDefinition' ? document.metadata.version : null,
      hash,
      diagnostics,
    }));
    if (!line.options['json']) reportDiagnostics(checked);
    await printRows(line, rows, { columns: ['file', 'valid', 'kind', 'name', 'version', 'hash'] });
    return rows.every(({ valid }) => valid) ? 0 : 2;
  }),
};
