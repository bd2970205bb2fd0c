/** `headgate run --format PACK`: options and output of files that a pack reads without a flow. */
import type { Pack } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { cliErrors } from '../cli-errors.ts';
import { type CommandLine, printable, textOption } from '../command.ts';
import { writeOut } from '../stdout.ts';
import { packSettings } from './format-options.ts';
import type { PackPrint, PackReceipt } from './pack-files.ts';
import { FileSource } from './plain-files.ts';

/** `usage`: of the command. Exit 0 when every file is accepted, 1 when one is rejected. */
export async function readPackFiles(line: CommandLine, pack: Pack, usage: string): Promise<number> {
  const misuse = (message: string): HeadgateError => new HeadgateError(cliErrors.E_USAGE, `${message} (usage: ${usage})`);
  const settings = packSettings(pack, (line.options['option'] as string[] | undefined) ?? []);
  const print = packPrint(line, misuse);
  if (line.positionals.length === 0) throw misuse('at least one file is needed');
  const { readPackFile } = await import('./pack-files.ts');
  const sources = line.positionals.map((path) => new FileSource(path));
  const receipts: PackReceipt[] = [];
  let exitCode = 0;
  for (const source of sources) {
    const receipt = await readPackFile({ pack, settings, print }, source, writeOut);
    if (receipt.verdict === 'rejected') exitCode = 1;
    if (print === 'receipt') {
      if (line.options['json']) receipts.push(receipt);
      else await writeOut(textOption(line, 'output') === 'ndjson' ? `${JSON.stringify(receipt)}\n` : packLines(receipt));
    }
    source.close();
  }
  if (line.options['json']) await writeOut(`${JSON.stringify(receipts.length === 1 ? receipts[0] : receipts, null, 2)}\n`);
  return exitCode;
}

function packPrint({ options }: CommandLine, misuse: (message: string) => HeadgateError): PackPrint {
  const output = options['output'];
  if (output !== undefined && output !== 'ndjson') throw misuse('-o is ndjson');
  if (options['out'] || options['threads']) throw misuse('--out and --threads belong to a flow');
  const wanted = (['parse', 'errors', 'json'] as const).filter((name) => options[name]);
  if (wanted.length > 1) throw misuse('--json, --errors and --parse are for one at a time');
  return wanted[0] === 'parse' || wanted[0] === 'errors' ? wanted[0] : 'receipt';
}

const shownMax = 20;

/** A line for the file, and one for each of its first findings. */
function packLines({ file, verdict, records, controlTotals, errorCount, warningCount, errors, warnings }: PackReceipt): string {
  const counts = `read=${records.read}\trejected=${records.rejected}\tbalanced=${controlTotals.balanced}\terrors=${errorCount}\twarnings=${warningCount}`;
  const shown = [...errors, ...warnings].slice(0, shownMax);
  const findings = shown.map((each) => {
    const columns = each.columns === null ? '' : `:${each.columns.join('-')}`;
    return `  ${each.severity}\t${each.line}${columns}\t${[each.record, each.field].filter(Boolean).join('.')}\t${each.code}\t${each.rule}\t${each.message}\n`;
  });
  const left = errorCount + warningCount - shown.length;
  const more = left > 0 ? `  … and ${left} more: --errors lists them all\n` : '';
  return `${[printable(file.name), verdict, counts].join('\t')}\n${findings.join('')}${more}`;
}
