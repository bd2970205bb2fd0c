/** `headgate flow explain`: why a record goes where it goes, rule by rule. Offline; shows the record's values. */
import { readFileSync, readSync } from 'node:fs';
import type { FlowDefinition } from '../control/flows/definition.ts';
import { loadFlow } from '../control/flows/load-flow.ts';
import type { Finding } from '../pipeline/engine/chunk.ts';
import type { ExplainedStep, RecordExplanation } from '../pipeline/engine/explain/explain-record.ts';
import { explainRecord, headerValues } from '../pipeline/engine/explain/explain-record.ts';
import { bytesOfLines, expectedHeaderRow, type FoundRecord, findRecord } from '../pipeline/engine/explain/find-record.ts';
import type { Plan } from '../pipeline/engine/plan.ts';
import type { Pack } from '../pipeline/formats/pack.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type Command, type CommandLine, outputOptions, printable, textOption } from './command.ts';
import { reportDiagnostics } from './flow-diagnostics.ts';
import { offline } from './flow-files.ts';
import { printOne } from './output.ts';
import { type Catalogue, formatOf } from './run/file-format.ts';
import { piecesOf } from './run/pack-conversion.ts';
import { FileSource, unreadable } from './run/plain-files.ts';
import { writeOut } from './stdout.ts';
import { oneLine, table } from './terminal-text.ts';

const usage = 'headgate flow explain FLOW.yaml (--line TEXT [--header TEXT] | FILE|- --record N) [--json]';

export function createFlowExplainCommand(catalogue: Catalogue): Command {
  return {
    usage,
    summary: "Shows for one record every rule's, filter's, output field's and route's decision, and the values that it looked at.",
    options: { ...outputOptions, line: { type: 'string' }, header: { type: 'string' }, record: { type: 'string' } },
    run: offline(async (line) => {
      const [flowPath, filePath, ...more] = line.positionals;
      if (flowPath === undefined || more.length > 0) throw misuse('a flow is needed, and one file at most');
      const flow = readFlow(flowPath);
      if (flow === null) return 2;
      const { plan } = flow;
      const { pack } = await formatOf(plan, catalogue);
      if (pack !== null && filePath === undefined)
        throw misuse(`a line of ${pack.name} is no record by itself: name a file, or - for what is pasted, and --record`);
      const damage: Finding[] = [];
      const found = filePath === undefined ? pastedRecord(plan, line) : recordOfFile({ plan, pack, damage }, line, filePath);
      const explanation = withExpressions(explainRecord(plan, found.row, found), flow.definition);
      const wantsData = line.options['json'] || line.options['output'] !== undefined || line.options['fields'] !== undefined;
      const file = damage.length === 0 ? null : { becomes: plan.acceptance.onDamage === 'reject' ? 'rejected' : 'held', findings: damage };
      if (wantsData) await printOne(line, { ...explanation, file });
      else await writeOut(explanationText(explanation, file));
      return 0;
    }),
  };
}

function readFlow(path: string): { readonly plan: Plan; readonly definition: FlowDefinition } | null {
  const { plan, definition, diagnostics } = loadFlow(readText(path));
  if (plan !== null && definition !== null) return { plan, definition };
  reportDiagnostics([{ file: path, diagnostics }]);
  return null;
}

/** What a pack finds of the file as a whole decides what becomes of it, whatever its records are. Null: it finds nothing. */
type FileExplanation = { readonly becomes: string; readonly findings: readonly Finding[] } | null;

/** `expression`: as the flow writes it; null where it writes none. */
type WrittenStep = ExplainedStep & { readonly expression: string | null };
type WrittenExplanation = Omit<RecordExplanation, 'steps'> & { readonly steps: readonly WrittenStep[] };

function withExpressions(explanation: RecordExplanation, { spec }: FlowDefinition): WrittenExplanation {
  const written = new Map([
    ...spec.validate.map(({ id, assert }) => [`rule ${id}`, assert] as const),
    ...spec.filter.map(({ id, when }) => [`filter ${id}`, when] as const),
    ...spec.transform.flatMap(({ set }) => Object.entries(set).map(([name, value]) => [`output ${name}`, value] as const)),
    ...spec.routes.rules.map(({ id, when }) => [`route ${id}`, when] as const),
  ]);
  return {
    ...explanation,
    steps: explanation.steps.map((each) => ({ ...each, expression: written.get(`${each.step} ${each.id}`) ?? null })),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** `--header` is the header row of a delimited file, or the header record of another. */
function pastedRecord(plan: Plan, line: CommandLine): FoundRecord {
  const text = textOption(line, 'line');
  if (text === undefined) throw misuse('--line is missing, or a file and --record');
  if (line.options['record'] !== undefined) throw misuse('--record belongs to a file');
  const given = textOption(line, 'header');
  const hasHeaderRow = plan.format.type === 'delimited' && plan.format.header;
  const found = findRecord(plan, [pastedBytes(plan, hasHeaderRow ? [given ?? expectedHeaderRow(plan)!, text] : [text])], null);
  if ('records' in found) throw misuse(found.damage === null ? '--line is empty' : `the line can not be read: ${found.damage}`);
  if (hasHeaderRow || given === undefined) return found;
  const header = findRecord(plan, [pastedBytes(plan, [given])], null);
  const values = 'records' in header ? [] : headerValues(plan, header.row, null);
  if (values.length === 0) throw misuse('--header is no header record of this flow');
  return { ...found, header: values };
}

function pastedBytes({ format }: Plan, lines: readonly string[]): Buffer {
  const bytes = bytesOfLines(format, lines);
  if (bytes === null) throw misuse("the line holds a character that the flow's encoding lacks");
  return bytes;
}

interface ReadFormat {
  readonly plan: Plan;
  readonly pack: Pack | null;
  /** Gets what the pack finds of the file as a whole. */
  readonly damage: Finding[];
}

/** The file of a pack is read to its end. */
function recordOfFile({ plan, pack, damage }: ReadFormat, line: CommandLine, path: string): FoundRecord {
  const text = textOption(line, 'record') ?? '';
  if (line.options['line'] !== undefined || line.options['header'] !== undefined) throw misuse('--line and --header are for no file');
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw misuse('--record is the number of a record, from 1');
  const source = path === '-' ? pasted : new FileSource(path);
  try {
    const pieces = piecesOf(source.pieces(), plan, pack, (each) => void damage.push(each));
    const found = findRecord(plan, { [Symbol.iterator]: () => ({ next: () => pieces.next() }) }, Number(text));
    if (!('records' in found)) {
      if (pack !== null) for (let next = pieces.next(); !next.done; ) next = pieces.next();
      return found;
    }
    const [first] = damage;
    const ofPack = first === undefined ? '' : `, and the file as a whole is faulty: ${first.code}: ${oneLine(first.message)}`;
    const reason = found.damage === null ? ofPack : `, and can not be read further: ${found.damage}`;
    throw misuse(`${path === '-' ? 'the text' : path} has ${found.records} record${found.records === 1 ? '' : 's'}${reason}`);
  } finally {
    source.close();
  }
}

const pastedBytesAtOnce = 64 * 1024;

/** Standard input, read as far as is needed. */
const pasted = {
  *pieces(): Generator<Uint8Array> {
    const piece = Buffer.alloc(pastedBytesAtOnce);
    for (let count = readSync(0, piece); count > 0; count = readSync(0, piece)) yield Buffer.from(piece.subarray(0, count));
  },
  close(): void {},
};

const titles: readonly (readonly [ExplainedStep['step'], string])[] = [
  ['rule', 'rules'],
  ['filter', 'filters'],
  ['output', 'output'],
  ['route', 'routes'],
];

/** Findings of the file as a whole that are shown; `--json` has all. */
const shownMax = 10;

function explanationText(
  { type, role, status, findings, warnings, fields, steps, routes, outputs }: WrittenExplanation,
  file: FileExplanation,
): string {
  const what = status === null ? `${role} record, no record of the file` : `${status}${routes.length > 0 ? ` → ${routes.join(', ')}` : ''}`;
  const lines = [`${type ?? 'unknown record type'}: ${what}`];
  for (const { code, field, rule, message } of findings) lines.push(`  error ${code}${placeOf(field ?? rule)}: ${oneLine(message)}`);
  for (const { code, field, rule, message } of warnings) lines.push(`  warning ${code}${placeOf(field ?? rule)}: ${oneLine(message)}`);
  if (file !== null) {
    lines.push('', `the file as a whole is ${file.becomes}, whatever becomes of this record by itself`);
    for (const { code, message } of file.findings.slice(0, shownMax)) lines.push(`  error ${code}: ${oneLine(message)}`);
    if (file.findings.length > shownMax) lines.push(`  … and ${file.findings.length - shownMax} more`);
  }
  if (fields.length > 0)
    lines.push(
      '',
      'fields',
      ...indented(
        ['field', 'type', 'value', ''],
        fields.map((each) => [each.field, each.type, each.value ?? '(absent)', each.problem ?? '']),
      ),
    );
  for (const [step, title] of titles) {
    const own = steps.filter((each) => each.step === step);
    if (own.length === 0) continue;
    lines.push('', title, ...indented(['id', 'result', 'effect', 'looked at', 'as written'], own.map(stepCells)));
  }
  for (const [target, text] of Object.entries(outputs))
    lines.push(
      '',
      `sent to ${target}`,
      ...text
        .trimEnd()
        .split(/\r\n|[\r\n]/)
        .map((each) => `  ${each}`),
    );
  return `${lines.map((each) => printable(each).trimEnd()).join('\n')}\n`;
}

function stepCells({ id, result, effect, isReached, lookedAt, expression }: WrittenStep): string[] {
  const values = Object.entries(lookedAt).map(([name, value]) => `${name}=${value ?? '(absent)'}`);
  return [id, result ?? '-', isReached ? effect : `(not reached) ${effect}`, values.join(', '), expression ?? ''];
}

function placeOf(name: string | null): string {
  return name === null ? '' : ` ${name}`;
}

function indented(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return table(
    columns,
    rows.map((row) => row.map((cell) => oneLine(printable(cell)))),
  )
    .trimEnd()
    .split('\n')
    .map((each) => `  ${each}`);
}

function misuse(message: string): HeadgateError {
  return new HeadgateError(cliErrors.E_USAGE, `${message} (usage: ${usage})`);
}
