/**
 * `headgate write`: makes a file of a bank's format from a JSON document, as its pack says. Exit 0 when the file is written,
 * 1 when the document is refused, 2 for options and the file system.
 */
import type { FormatSetting } from '../../pipeline/formats/format.ts';
import type { Pack, PackName, PackSettings, Packs } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { cliErrors } from '../cli-errors.ts';
import { type Command, type CommandLine, requiredOption, textOption } from '../command.ts';
import { packSettings } from '../run/format-options.ts';
import { runErrors } from '../run/run-errors.ts';
import { writeOut } from '../stdout.ts';
import { documentPieces } from './document-source.ts';
import { openWrittenFile } from './written-file.ts';
import { writtenLine, writtenReceipt } from './written-receipt.ts';

const usage =
  'headgate write --format PACK [--option KEY=VALUE]… DOCUMENT.json|- [--out FILE] [--json]\n' +
  '       headgate write --format PACK --make NAME [--option KEY=VALUE]… [--document DOCUMENT.json|-] FILE… --out FILE [--json]';

export function createWriteCommand(packs: Packs): Command {
  return {
    usage,
    summary: `Writes a file of a bank's format (${Object.keys(packs).join(', ')}) from the document that \`headgate run --parse\` prints, or from records.`,
    options: {
      format: { type: 'string' },
      option: { type: 'string', multiple: true },
      out: { type: 'string' },
      make: { type: 'string' },
      document: { type: 'string' },
      json: { type: 'boolean' },
    },
    async run(line) {
      const pack = await namedPack(requiredOption(line, 'format', usage), packs);
      const make = textOption(line, 'make');
      return make === undefined ? await writeFile(line, pack) : await writeMade(line, pack, make);
    },
  };
}

async function namedPack(name: string, packs: Packs): Promise<Pack> {
  if (Object.hasOwn(packs, name)) return await packs[name as PackName]();
  const known = Object.keys(packs).join(', ');
  throw new HeadgateError(runErrors.E_FORMAT_OPTION, `there is no format ${JSON.stringify(name)} that is written; there are ${known}`);
}

function settingsOf({ name, settings, writer }: Pack, line: CommandLine, more: readonly FormatSetting[] = []): PackSettings {
  const all = [...settings, ...(writer?.settings ?? []), ...more];
  return packSettings({ name, settings: all }, (line.options['option'] as string[] | undefined) ?? []);
}

async function writeFile(line: CommandLine, pack: Pack): Promise<number> {
  const { writer } = pack;
  if (writer === undefined) throw new HeadgateError(runErrors.E_FORMAT_OPTION, `${pack.name} files are read, not written yet`);
  if (line.options['document'] !== undefined) throw misuse('--document belongs to --make');
  const settings = settingsOf(pack, line);
  const [source, ...others] = line.positionals;
  const out = textOption(line, 'out');
  const isJson = line.options['json'] === true;
  if (source === undefined || others.length > 0) throw misuse('one document is needed');
  if (isJson && out === undefined) throw misuse('--json tells of a file that --out names');
  const file = openWrittenFile(out);
  try {
    const document = writer.createDocumentWriter(settings, file);
    for await (const piece of documentPieces(source)) document.push(piece);
    const written = document.end();
    const bytes = file.finish();
    if (bytes !== null) await writeOut(bytes);
    else {
      const receipt = writtenReceipt(pack.name, file.identity(), written);
      await writeOut(isJson ? `${JSON.stringify(receipt, null, 2)}\n` : writtenLine(receipt));
    }
    return 0;
  } catch (error) {
    file.discard();
    throw error;
  }
}

async function writeMade(line: CommandLine, pack: Pack, name: string): Promise<number> {
  const makers = pack.makers ?? {};
  const maker = Object.hasOwn(makers, name) ? makers[name]! : null;
  if (maker === null)
    throw new HeadgateError(
      runErrors.E_FORMAT_OPTION,
      `${pack.name} makes no ${JSON.stringify(name)}; it makes ${Object.keys(makers).join(', ') || 'nothing'}`,
    );
  const paths = line.positionals;
  const document = textOption(line, 'document');
  if (paths.length === 0 || paths.length > maker.filesMax)
    throw misuse(maker.filesMax === 1 ? 'one file is needed' : `1 to ${maker.filesMax} files are needed`);
  if (maker.takesDocument !== (document !== undefined)) throw misuse(`--document is ${maker.takesDocument ? 'needed' : 'not taken'}`);
  const { makeFiles } = await import('./make-files.ts');
  const settings = settingsOf(pack, line, maker.settings);
  const made = await makeFiles({ maker, settings, document, paths, out: requiredOption(line, 'out', usage) });
  const receipts = made.map(({ file, written }) => writtenReceipt(pack.name, file.identity(), written));
  await writeOut(line.options['json'] === true ? `${JSON.stringify(receipts, null, 2)}\n` : receipts.map(writtenLine).join(''));
  return 0;
}

function misuse(message: string): HeadgateError {
  return new HeadgateError(cliErrors.E_USAGE, `${message} (usage: ${usage})`);
}
