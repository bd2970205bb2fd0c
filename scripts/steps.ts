/**
 * Runs the steps of `npm run check` and `npm test`: a command each, timed, its output shown only when it fails. Numbers of
 * tests come from vitest's own report, never from its text.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..');

export interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Tests that a missing component keeps from running, which their names say. */
  readonly absent?: readonly string[];
  readonly seconds: number;
  readonly output: string;
}

interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly seconds: number;
}

function runCommand(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const startedMs = performance.now();
  const path = `${join(projectRoot, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path, ...env },
    });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    const finish = (exitCode: number, extra = '') =>
      resolve({ exitCode, output: Buffer.concat(parts).toString() + extra, seconds: (performance.now() - startedMs) / 1000 });
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (code) => finish(code ?? 1));
  });
}

/** A step that either works or not; it counts as one. */
export async function runStep(name: string, command: string, args: readonly string[]): Promise<StepResult> {
  const { exitCode, output, seconds } = await runCommand(command, args);
  return { name, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, seconds, output };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults?: readonly { readonly assertionResults: readonly { readonly status: string; readonly title: string }[] }[];
}

/** `fast`: what `npm run check` runs. `long`: files of the same kind that take more than some five seconds. `e2e`: files that start programs. */
export type TestProject = 'fast' | 'long' | 'e2e';

/** All tests of vitest projects; the report stays in `.headgate/reports`, to look for slow tests. A run that fails without a failed test (an unhandled error, a file that breaks) counts as one failure. */
export async function runVitest(
  projects: readonly TestProject[],
  extra: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<StepResult> {
  const name = projects.join(' and ');
  const reportPath = join(projectRoot, '.headgate/reports', `${name}-${process.pid}.json`);
  const args = [
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter',
    'dot',
    '--reporter',
    'json',
    `--outputFile.json=${reportPath}`,
    ...extra,
  ];
  const { exitCode, output, seconds } = await runCommand('vitest', args, { NO_COLOR: '1', ...env });
  const report = existsSync(reportPath) ? (JSON.parse(readFileSync(reportPath, 'utf8')) as VitestReport) : undefined;
  if (report !== undefined)
    renameSync(reportPath, join(projectRoot, '.headgate/reports', `${name}${Object.keys(env).length > 0 ? ' elsewhere' : ''}.json`));
  const failed = report?.numFailedTests ?? 0;
  return {
    name: `${name} tests`,
    passed: report?.numPassedTests ?? 0,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
    absent: absentTests(report),
    seconds,
    output,
  };
}

/** Not those that a filter leaves out. */
function absentTests(report: VitestReport | undefined): string[] {
  const tests = (report?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  return tests.filter(({ status, title }) => status !== 'passed' && title.includes('(skipped: no ')).map(({ title }) => title);
}

/** One line when it worked, everything it said when it did not. */
export function printStep(step: StepResult): StepResult {
  const counts =
    step.passed + step.failed + step.skipped > 1 ? `, ${step.passed} passed, ${step.failed} failed, ${step.skipped} skipped` : '';
  if (step.failed > 0) process.stdout.write(`\n--- ${step.name} ---\n${step.output.trim()}\n---\n`);
  process.stdout.write(`${step.failed > 0 ? '✗' : '✓'} ${step.name} (${step.seconds.toFixed(1)} s${counts})\n`);
  for (const title of step.absent ?? []) process.stdout.write(`  - ${title}\n`);
  return step;
}

/** Format, lint, types and unused code side by side, with what was begun before; then the fast tests. */
export async function runCheckSteps(begun: readonly Promise<StepResult>[] = []): Promise<StepResult[]> {
  const fixed = await Promise.all(
    [
      ...begun,
      runStep('format and lint', 'biome', ['ci', '--colors=off', '--max-diagnostics=50']),
      runStep('types', 'tsc', ['-p', '.', '--pretty', 'false']),
      runStep('unused code', 'knip', ['--no-progress']),
    ].map(async (step) => printStep(await step)),
  );
  return [...fixed, printStep(await runVitest(['fast']))];
}

/** The last line is a contract: `N passed, N failed`. Returns the exit code. */
export function printSummary(steps: readonly StepResult[]): number {
  const sum = (pick: (step: StepResult) => number) => steps.reduce((total, step) => total + pick(step), 0);
  const failed = sum((step) => step.failed);
  const skipped = sum((step) => step.skipped);
  if (skipped > 0) process.stdout.write(`${skipped} skipped: a component they need is absent (HEADGATE_REQUIRE makes that a failure)\n`);
  process.stdout.write(`${sum((step) => step.passed)} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}
