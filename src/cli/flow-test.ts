/** `headgate flow test`: runs the cases of FlowTest files through their flows, offline. Exit 0 when all hold, 1 when one does not. */

import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadFlow } from '../control/flows/load-flow.ts';
import { type FlowTest, loadFlowTest } from '../control/flows/load-flow-test.ts';
import { compileFlow } from '../pipeline/engine/compile-flow.ts';
import type { Plan } from '../pipeline/engine/plan.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type Command, outputOptions, printable } from './command.ts';
import { reportDiagnostics } from './flow-diagnostics.ts';
import { flowTestName, offline } from './flow-files.ts';
import { printRows } from './output.ts';
import { type Catalogue, formatOf } from './run/file-format.ts';
import { type Mismatch, runCase } from './run/flow-test-case.ts';
import { withoutBatches } from './run/offline-plan.ts';
import { unreadable } from './run/plain-files.ts';
import { whyUnreadable } from './unreadable-file.ts';

const usage = 'headgate flow test FILE.flow.test.yaml|FOLDER… [--json]';

interface CaseResult extends Readonly<Record<string, unknown>> {
  readonly file: string;
  readonly case: string;
  readonly passed: boolean;
  readonly mismatches: readonly Mismatch[];
}

export function createFlowTestCommand(catalogue: Catalogue): Command {
  return {
    usage,
    summary: 'Runs the cases of FlowTest files (*.flow.test.yaml) through their flows, offline, and says what came out otherwise.',
    options: outputOptions,
    run: offline(async (line) => {
      const files = testFiles(line.positionals);
      const results: CaseResult[] = [];
      let isSound = true;
      for (const file of files) {
        const loaded = loadTest(file);
        if (loaded === null) isSound = false;
        else results.push(...(await runTest(file, loaded, catalogue)));
      }
      if (!line.options['json']) tellMismatches(results);
      await printRows(line, results, { columns: ['file', 'case', 'passed'] });
      if (!isSound) return 2;
      return results.every(({ passed }) => passed) ? 0 : 1;
    }),
  };
}

function testFiles(names: readonly string[]): string[] {
  const files = names.flatMap((name) => (statSync(name, { throwIfNoEntry: false })?.isDirectory() ? testsIn(name) : [name]));
  if (files.length === 0) throw new HeadgateError(cliErrors.E_USAGE, `no FlowTest was named or found (usage: ${usage})`);
  return files;
}

function testsIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const tests = entries.filter((entry) => entry.isFile() && flowTestName.test(entry.name));
  return tests.map((entry) => join(entry.parentPath, entry.name)).sort();
}

interface LoadedTest {
  readonly test: FlowTest;
  readonly plan: Plan;
}

/** Null, after its mistakes or those of its flow were told. */
function loadTest(file: string): LoadedTest | null {
  let flow: ReturnType<typeof readFlow> | null = null;
  const { test, diagnostics } = loadFlowTest(
    readText(file),
    (name) => problemOf(join(dirname(file), name)),
    (name) => (flow = readFlow(join(dirname(file), name))).plan?.flow.tenant ?? null,
  );
  reportDiagnostics([{ file, diagnostics }]);
  if (test === null) return null;
  const { path, plan, diagnostics: ofFlow } = flow!;
  if (plan === null) reportDiagnostics([{ file: path, diagnostics: ofFlow }]);
  return plan === null ? null : { test, plan };
}

function readFlow(path: string) {
  return { path, ...loadFlow(readText(path)) };
}

function problemOf(path: string): string | null {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isDirectory() ? 'it is a folder' : null;
  } catch (cause) {
    return whyUnreadable(cause);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function runTest(file: string, { test, plan }: LoadedTest, catalogue: Catalogue): Promise<CaseResult[]> {
  const flow = compileFlow(withoutBatches(plan));
  const format = await formatOf(plan, catalogue);
  const results: CaseResult[] = [];
  for (const testCase of test.spec.cases) {
    const mismatches = await runCase(flow, format, testCase, dirname(file)).catch((error: unknown) => {
      if (!(error instanceof HeadgateError)) throw error;
      throw new HeadgateError(error.code, `${file}: ${testCase.id}: ${error.message}`, { cause: error });
    });
    results.push({ file, case: testCase.id, passed: mismatches.length === 0, mismatches });
  }
  return results;
}

/** On stderr. */
function tellMismatches(results: readonly CaseResult[]): void {
  for (const { file, case: id, mismatches } of results)
    for (const { at, expected, actual } of mismatches)
      process.stderr.write(`${printable(`${file}: ${id}: ${at}: expected ${expected}, not ${actual}`)}\n`);
}
