/**
 * `npm test`: brings the programs and emulators that tests start, does everything that `npm run check` does, then what concerns PostgreSQL
 * on the older version, the end-to-end tests, a short soak with real kills and the quick bench. The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { startBringing } from './bring.ts';
import { runOnOlderPostgres } from './older-postgres.ts';
import { printStep, printSummary, runCheckSteps, runStep, runVitest, type StepResult } from './steps.ts';

async function runScript(name: string, path: string, args: readonly string[]): Promise<StepResult> {
  return printStep(await runStep(name, process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args]));
}

const runSoak = (name: string, ...args: string[]) => runScript(name, 'test/simulation/soak.ts', ['--seed', '1', ...args]);

// More workers than for the fast tests: these wait more for processes of their own.
const runEndToEnd = async () => printStep(await runVitest('e2e', ['--maxWorkers=4']));

async function runOlderThenSoak(): Promise<StepResult[]> {
  const older = printStep(await runOnOlderPostgres());
  return [older, await runSoak('soak with 30 kills', '--kills', '30', '--no-planted')];
}

const { programs, later } = startBringing();
const steps = await runCheckSteps([programs]);
for (const step of await Promise.all(later)) steps.push(printStep(step));
// What waits for much of its time goes on beside what computes. Races that planted mistakes need come up where less is going on.
steps.push(...(await Promise.all([runEndToEnd(), runOlderThenSoak()])).flat());
const last = [runSoak('soak with planted mistakes', '--planted', 'all'), runScript('quick bench', 'bench/bench.ts', ['--quick'])];
steps.push(...(await Promise.all(last)));
process.exitCode = printSummary(steps);
