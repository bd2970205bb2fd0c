/**
 * `npm test`: brings the programs and emulators that tests start, bundles the program, does everything that `npm run check` does, then what
 * concerns PostgreSQL on the older version, the long and the end-to-end tests, a short soak with real kills and the quick bench. The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { startBringing } from './bring.ts';
import { runOnOlderPostgres } from './older-postgres.ts';
import { printStep, printSummary, runCheckSteps, runStep, runVitest, type StepResult } from './steps.ts';

const runScript = (name: string, path: string, args: readonly string[]): Promise<StepResult> =>
  runStep(name, process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args]);

const { programs, later } = startBringing();
// Many tests start the program, each time in two thirds of the time where it is a few files.
const steps = await runCheckSteps([programs, runScript('bundle', 'scripts/bundle.ts', [])]);
for (const step of await Promise.all(later)) steps.push(printStep(step));
steps.push(printStep(await runOnOlderPostgres()));
// More workers than for the fast tests: these wait more for processes of their own.
steps.push(printStep(await runVitest(['long', 'e2e'], ['--maxWorkers=5'])));
// The soak waits for some of its time, and the quick bench judges none.
const last = [
  runScript('soak with 30 kills', 'test/simulation/soak.ts', ['--kills', '30', '--seed', '1']),
  runScript('quick bench', 'bench/bench.ts', ['--quick']),
];
for (const step of await Promise.all(last)) steps.push(printStep(step));
process.exitCode = printSummary(steps);
