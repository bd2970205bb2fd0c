/**
 * `headgate run`: files through a flow, without a server; or, with `--format … --parse`, files as records without a flow.
 * Exit 0 when every file is accepted or partial, 1 when one is held or rejected, 2 for flow, option and I/O errors only. What a run
 * may need later is loaded then: the sooner a file's threads start, the better.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { PackName } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { cliErrors } from '../cli-errors.ts';
import { type Command, type CommandLine, reportError, textOption } from '../command.ts';
import { Progress } from '../progress.ts';
import { isUnwritten, writeOut } from '../stdout.ts';
import type { ChunkLanes } from './chunk-lanes.ts';
import { type Catalogue, formatOf } from './file-format.ts';
import { withoutBatches } from './offline-plan.ts';
import { FileSource, unreadable } from './plain-files.ts';
import type { ReceiptFinding } from './run-receipt.ts';
import { startLanes, threadsFor } from './run-threads.ts';

const usage =
  'headgate run FLOW.yaml FILE… --out DIR [--json | -o ndjson | --errors] [--threads N]\n' +
  '       headgate run --format NAME [--option KEY=VALUE]… --parse FILE… [-o ndjson]\n' +
  '       headgate run --format PACK [--option KEY=VALUE]… FILE… [--json | -o ndjson | --errors | --parse]';

export function createRunCommand(catalogue: Catalogue): Command {
  const { formats, packs } = catalogue;
  return {
    usage,
    summary: `Runs files through a flow and writes outputs, rejections, outcomes and a receipt. Formats: ${formats.map(({ name }) => name).join(', ')}; of banks, without a flow: ${Object.keys(packs).join(', ')}.`,
    options: {
      out: { type: 'string' },
      json: { type: 'boolean' },
      output: { type: 'string', short: 'o' },
      errors: { type: 'boolean' },
      threads: { type: 'string' },
      format: { type: 'string' },
      option: { type: 'string', multiple: true },
      parse: { type: 'boolean' },
    },
    async run(line) {
      try {
        const format = textOption(line, 'format');
        if (format === undefined) return await runFlow(line, catalogue);
        const pack = Object.hasOwn(packs, format) ? await packs[format as PackName]() : undefined;
        return pack === undefined
          ? await parseFiles(line, catalogue)
          : await (await import('./pack-command.ts')).readPackFiles(line, pack, usage);
      } catch (error) {
        // Whatever else is thrown here is about the flow, an option or the file system: content never throws.
        const exitCode = reportError(error);
        return isUnwritten(error) ? exitCode : 2;
      }
    },
  };
}

async function runFlow(line: CommandLine, catalogue: Catalogue): Promise<number> {
  const [flowPath, ...paths] = line.positionals;
  const out = textOption(line, 'out');
  if (line.options['parse'] || line.options['option']) throw misuse('--parse and --option belong to --format');
  if (flowPath === undefined || paths.length === 0) throw misuse('a flow and at least one file are needed');
  if (out === undefined) throw misuse('--out is missing');
  const reporter = createReporter(line, paths.length > 1);
  const wanted = readThreads(textOption(line, 'threads'));
  const lanes = openLanes(reporter.onFindings === null ? wanted : 1, paths);
  try {
    return await runFiles({ plan: await loadPlan(flowPath), paths, out, lanes, reporter }, catalogue);
  } finally {
    // The program ends with its threads, wherever they are; nothing of theirs is left to be done.
    void lanes?.close();
  }
}

/** Started before the flow is read: the lanes load their code meanwhile. Fails when a file cannot be read. */
function openLanes(wanted: number | null, paths: readonly string[]): ChunkLanes | null {
  const sizes = paths.map((path) => {
    const source = new FileSource(path);
    source.close();
    return source.size;
  });
  return startLanes(threadsFor(wanted, sizes));
}

interface FilesRun {
  readonly plan: Plan;
  readonly paths: readonly string[];
  readonly out: string;
  readonly lanes: ChunkLanes | null;
  readonly reporter: Reporter;
}

async function runFiles({ plan, paths, out, lanes, reporter }: FilesRun, catalogue: Catalogue): Promise<number> {
  const [{ compileFlow }, { runFile }] = await Promise.all([import('../../pipeline/engine/compile-flow.ts'), import('./run-file.ts')]);
  const flow = compileFlow(withoutBatches(plan));
  const format = await formatOf(plan, catalogue);
  let exitCode = 0;
  for (const [index, path] of paths.entries()) {
    const name = basename(path);
    const folder = paths.length === 1 ? out : join(out, `${index + 1}-${name}`);
    let reasons: readonly ReceiptFinding[] = [];
    const { onFindings } = reporter;
    const { lineNumbers, withLines } = await import('./line-numbers.ts');
    const lines = onFindings === null ? null : lineNumbers(path, plan.format);
    const progress = new Progress(name, { isPatient: true });
    const receipt = await runFile(flow, format, {
      path,
      name,
      folder,
      lanes,
      onFindings: onFindings === null ? null : (text, severity) => onFindings(withLines(text, lines), severity),
      ...(onFindings === null && { onRead: (done, total) => progress.showBytes('read', done, total) }),
      onReasons: (found) => {
        reasons = found;
      },
    }).finally(() => progress.end());
    lines?.close();
    await reporter.add(receipt);
    if (reasons.length > 0) (await import('./file-reasons.ts')).tellReasons({ path, format: plan.format, reasons });
    if (receipt.verdict === 'held' || receipt.verdict === 'rejected') exitCode = 1;
  }
  await reporter.end();
  return exitCode;
}

async function loadPlan(path: string) {
  const [{ loadFlow }, { flowErrors }] = await Promise.all([
    import('../../control/flows/load-flow.ts'),
    import('../../control/flows/flow-errors.ts'),
  ]);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const { plan, diagnostics } = loadFlow(text);
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  if (plan === null || mistakes.length > 0)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, `${path} is not a valid flow`, { details: mistakes });
  return plan;
}

type Receipt = import('./run-receipt.ts').RunReceipt;

interface Reporter {
  readonly onFindings: ((text: string, severity: 'error' | 'warn') => void) | null;
  add(receipt: Receipt): Promise<void>;
  end(): Promise<void>;
}

/** What goes to stdout: receipts, findings, or a line per file. */
function createReporter(line: CommandLine, isMany: boolean): Reporter {
  const output = textOption(line, 'output');
  if (output !== undefined && output !== 'ndjson') throw misuse('-o is ndjson');
  const nothing = async () => {};
  if (line.options['errors']) {
    if (line.options['json'] || output !== undefined) throw misuse('--errors prints findings in place of receipts');
    let failure: unknown = null;
    const keep = (error: unknown) => {
      failure ??= error;
    };
    const end = async () => {
      await writeOut('').catch(keep);
      if (failure !== null) throw failure;
    };
    const onFindings: Reporter['onFindings'] = (text, severity) =>
      void writeOut(text.replaceAll('}\n', `,"severity":"${severity}"}\n`)).catch(keep);
    return { onFindings, add: nothing, end };
  }
  if (output === 'ndjson') return { onFindings: null, add: (receipt) => writeOut(`${JSON.stringify(receipt)}\n`), end: nothing };
  if (line.options['json']) {
    const receipts: Receipt[] = [];
    const end = () => writeOut(`${JSON.stringify(isMany ? receipts : receipts[0], null, 2)}\n`);
    return { onFindings: null, add: async (receipt) => void receipts.push(receipt), end };
  }
  return { onFindings: null, add: (receipt) => writeOut(summaryLine(receipt)), end: nothing };
}

function summaryLine({ file, verdict, records, byTarget }: Receipt): string {
  const targets = Object.entries(byTarget).map(([name, { count }]) => `${name}=${count}`);
  const counts = `read=${records.read}\tvalid=${records.valid}\trejected=${records.rejected}\tfiltered=${records.filtered}`;
  return `${[printableName(file.name), verdict, counts, ...targets].join('\t')}\n`;
}

function printableName(name: string): string {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

async function parseFiles(line: CommandLine, known: Catalogue): Promise<number> {
  const { parsedFormat } = await import('./format-options.ts');
  const format = parsedFormat(textOption(line, 'format')!, (line.options['option'] as string[] | undefined) ?? [], known);
  if (!line.options['parse']) throw misuse('a plain format says nothing about fields and targets: add --parse, or name a flow');
  if (line.options['errors'] || line.options['threads']) throw misuse('--errors and --threads belong to a flow');
  if (line.positionals.length === 0) throw misuse('at least one file is needed');
  const { printParsed } = await import('./parsed-files.ts');
  const sources = line.positionals.map((path) => new FileSource(path));
  let exitCode = 0;
  for (const source of sources) {
    const { rows, errors, isDamaged } = await printParsed(source, format, writeOut);
    if (isDamaged || (errors > 0 && rows === 0)) exitCode = 1;
    source.close();
  }
  return exitCode;
}

function readThreads(text: string | undefined): number | null {
  if (text === undefined) return null;
  const threads = Number(text);
  if (!/^[0-9]+$/.test(text) || threads < 1 || threads > 64) throw misuse('--threads is a number from 1 to 64');
  return threads;
}

function misuse(message: string): HeadgateError {
  return new HeadgateError(cliErrors.E_USAGE, `${message} (usage: ${usage})`);
}
