/**
 * Installs the emulators of clouds that tests talk to: packages that are no part of the product, in a folder of their own. What
 * can't be had fails nothing: its tests are skipped by name, unless HEADGATE_REQUIRE names it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { emulatorsFolder } from '../test/support/azurite.ts';
import type { StepResult } from './steps.ts';

const installMsMax = 300_000;

/** Never throws, never fails the run. */
export function bringEmulators(): StepResult {
  const startedMs = performance.now();
  const installed = join(emulatorsFolder, 'node_modules');
  // npm writes it last.
  const isHere = existsSync(join(installed, '.package-lock.json'));
  const reason = isHere ? null : install(installed);
  return {
    name: `emulators for the tests: ${isHere ? 'all here' : reason === null ? 'brought' : 'nothing brought'}`,
    passed: 0,
    failed: 0,
    skipped: 0,
    absent: reason === null ? [] : [`can't be had: ${reason}`],
    seconds: (performance.now() - startedMs) / 1000,
    output: '',
  };
}

/** Answers why it could not, or null. */
function install(installed: string): string | null {
  process.stdout.write('  installing the emulators, once\n');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync('npm', args, {
    cwd: emulatorsFolder,
    encoding: 'utf8',
    timeout: installMsMax,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.status === 0) return null;
  rmSync(installed, { recursive: true, force: true });
  return result.error?.message ?? result.stderr.trim().split('\n').at(-1)!;
}
