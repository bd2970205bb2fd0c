/**
 * Brings what tests need in processes of their own, so that what waits for the network and the disk goes on beside what computes.
 * As a program it brings the kind that its argument names, and tells its parent how it went.
 */
import { fork } from 'node:child_process';
import { bringEmulators } from './bring-emulators.ts';
import { bringPrograms } from './bring-programs.ts';
import { bringOlderPostgres } from './older-postgres.ts';
import type { StepResult } from './steps.ts';

const kinds = { programs: bringPrograms, emulators: bringEmulators, 'older PostgreSQL': bringOlderPostgres } as const;

export interface Bringing {
  /** What the fast tests start. */
  readonly programs: Promise<StepResult>;
  /** What later tests need, too. */
  readonly later: readonly Promise<StepResult>[];
}

/** All of them at once; each resolves, and fails no run. */
export function startBringing(): Bringing {
  return { programs: bring('programs'), later: [bring('emulators'), bring('older PostgreSQL')] };
}

function bring(kind: keyof typeof kinds): Promise<StepResult> {
  const child = fork(import.meta.filename, [kind], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  return new Promise((resolve) => {
    child.on('message', (step: StepResult) => resolve(step));
    const nothing = (why: string): StepResult => ({
      name: `${kind} for the tests: nothing brought`,
      passed: 0,
      failed: 0,
      skipped: 0,
      absent: [`can't be had: ${why}`],
      seconds: 0,
      output: '',
    });
    child.on('error', ({ message }) => resolve(nothing(message)));
    child.on('exit', (code, signal) => resolve(nothing(`its process ended with ${signal ?? code}`)));
  });
}

if (import.meta.main) process.send!(kinds[process.argv[2] as keyof typeof kinds]());
