/**
 * `npm test`: brings the programs and emulators that tests start, does everything that `npm run check` does, then what concerns PostgreSQL
 * on the older version, the end-to-end tests, a short soak with real kills and the quick bench. The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bringEmulators } from './bring-emulators.ts';
import { bringPrograms } from './bring-programs.ts';
import { runOnOlderPostgres } from './older-postgres.ts';
import { printStep, printSummary, projectRoot, runCheckSteps, runStep, runVitest, type StepResult } from './steps.ts';

const scripts = [
  { name: 'soak with 30 kills', path: 'test/simulation/soak.ts', args: ['--kills', '30', '--seed', '1'] },
  { name: 'quick bench', path: 'bench/bench.ts', args: ['--quick'] },
];

const steps: StepResult[] = [printStep(bringPrograms()), printStep(bringEmulators()), ...(await runCheckSteps())];
steps.push(printStep(await runOnOlderPostgres()));
steps.push(printStep(await runVitest('e2e', ['--maxWorkers=4'])));
for (const { name, path, args } of scripts) {
  if (!existsSync(join(projectRoot, path))) continue;
  steps.push(printStep(await runStep(name, process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args])));
}
process.exitCode = printSummary(steps);
