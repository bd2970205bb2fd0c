/**
 * One case of a FlowTest: its file goes through the flow as in `headgate run`, and what became of it is held against what the
 * test expects. What single records are sent as is told by the explanation of each (`explain-file.ts`).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExpectedRecord, FlowTestCase } from '../../control/flows/load-flow-test.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { explainFile } from '../../pipeline/engine/explain/explain-file.ts';
import type { RecordExplanation } from '../../pipeline/engine/explain/explain-record.ts';
import { bytesOfText } from '../../pipeline/engine/explain/find-record.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { FileFormat } from './file-format.ts';
import { recordsName } from './output-files.ts';
import { unreadable } from './plain-files.ts';
import { runErrors } from './run-errors.ts';
import { runFile } from './run-file.ts';
import type { ReceiptFinding, RunReceipt } from './run-receipt.ts';

export interface Mismatch {
  /** `verdict`, `record 2 routes`. */
  readonly at: string;
  readonly expected: string;
  readonly actual: string;
}

interface CaseRun {
  readonly receipt: RunReceipt;
  readonly reasons: readonly ReceiptFinding[];
  /** Codes by record number. */
  readonly errors: ReadonlyMap<number, readonly string[]>;
  readonly warnings: ReadonlyMap<number, readonly string[]>;
  readonly records: readonly RecordExplanation[];
}

/** `folder`: that of the test. */
export async function runCase(flow: CompiledFlow, format: FileFormat, testCase: FlowTestCase, folder: string): Promise<Mismatch[]> {
  const bytes = testCase.input === undefined ? readBytes(join(folder, testCase.file!)) : inputBytes(flow, testCase.input);
  return compareCase(testCase.expect, await runBytes(flow, format, bytes));
}

function inputBytes({ plan }: CompiledFlow, input: string): Buffer {
  const bytes = bytesOfText(plan.format, input);
  if (bytes === null) throw new HeadgateError(runErrors.E_INPUT_FILE, "the input holds a character that the flow's encoding lacks");
  return bytes;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function runBytes(flow: CompiledFlow, format: FileFormat, bytes: Buffer): Promise<CaseRun> {
  const scratch = mkdtempSync(join(tmpdir(), 'headgate-flow-test-'));
  try {
    const path = join(scratch, 'input');
    writeFileSync(path, bytes);
    const found = { error: new Map<number, string[]>(), warn: new Map<number, string[]>() };
    let reasons: readonly ReceiptFinding[] = [];
    const receipt = await runFile(flow, format, {
      path,
      name: 'input',
      folder: join(scratch, 'out'),
      lanes: null,
      onFindings(text, severity) {
        for (const line of text.split('\n').filter((each) => each !== '')) {
          const { record, code } = JSON.parse(line) as { record: number; code: string };
          found[severity].set(record, [...(found[severity].get(record) ?? []), code]);
        }
      },
      onReasons: (given) => {
        reasons = given;
      },
    });
    // Of a pack the records are its lines.
    const lines = format.pack === null ? bytes : readFileSync(join(scratch, 'out', recordsName));
    return { receipt, reasons, errors: found.error, warnings: found.warn, records: [...explainFile(flow.plan, [lines])] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function compareCase(expected: FlowTestCase['expect'], { receipt, reasons, records, ...codes }: CaseRun): Mismatch[] {
  const found = new Mismatches();
  found.compare('verdict', expected.verdict, receipt.verdict);
  found.compareList(
    'reasons',
    expected.reasons,
    reasons.map(({ code }) => code),
  );
  found.compare('read', expected.read?.toString(), String(receipt.records.read));
  if (expected.records === undefined) return found.all;
  found.compare('number of records', String(expected.records.length), String(receipt.records.read));
  for (const [index, wanted] of expected.records.entries()) {
    const record = records[index];
    if (record === undefined) break;
    const own = { errors: codes.errors.get(index + 1) ?? [], warnings: codes.warnings.get(index + 1) ?? [] };
    compareRecord(found, `record ${index + 1}`, wanted, record, own);
  }
  return found.all;
}

function compareRecord(
  found: Mismatches,
  at: string,
  wanted: ExpectedRecord,
  record: RecordExplanation,
  { errors, warnings }: { readonly errors: readonly string[]; readonly warnings: readonly string[] },
): void {
  // What only the file as a whole shows, such as a key that it has twice, rejects a record that is sound by itself.
  const isExcluded = record.status === 'valid' && errors.length > 0;
  found.compare(`${at} status`, wanted.status, isExcluded ? 'rejected' : record.status!);
  found.compareList(`${at} errors`, wanted.errors, errors);
  found.compareList(`${at} warnings`, wanted.warnings, isExcluded ? [] : warnings);
  found.compareList(`${at} routes`, wanted.routes, isExcluded ? [] : record.routes);
  const output = new Map(record.steps.flatMap(({ step, id, result }) => (step === 'output' ? [[id, result] as const] : [])));
  for (const [name, value] of Object.entries(wanted.output ?? {}))
    found.compare(`${at} output ${name}`, value, output.has(name) ? (output.get(name) ?? '(absent)') : '(no such field)');
  for (const [target, line] of Object.entries(wanted.sent ?? {})) {
    const sent = isExcluded ? undefined : record.outputs[target]?.replace(/\r?\n$/, '');
    found.compare(`${at} sent to ${target}`, line.replace(/\r?\n$/, ''), sent ?? '(nothing)');
  }
}

class Mismatches {
  readonly all: Mismatch[] = [];

  compare(at: string, expected: string | undefined, actual: string): void {
    if (expected !== undefined && expected !== actual) this.all.push({ at, expected, actual });
  }

  compareList(at: string, expected: readonly string[] | undefined, actual: readonly string[]): void {
    if (expected !== undefined) this.compare(at, listText(expected), listText(actual));
  }
}

function listText(items: readonly string[]): string {
  return items.toSorted().join(', ') || '(none)';
}
