/**
 * Tests over public files, which are not part of this repository: one folder holds a folder for each set
 * (`sharedDataFolder`). Without it they are skipped, counted and demanded as all tests that need something of the machine.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { itWith, sharedDataFolder } from './components.ts';

/** Declares a test over a set of public files; `run` gets the set's folder. A folder of sets that lacks this one fails the test. */
export function itWithPublicData(set: string, name: string, run: (folder: string) => void | Promise<void>): void {
  itWith('shared-data')(name, () => run(join(sharedDataFolder, set)));
}

/** The lines of a set's EXPECTED.jsonl. */
export function expectedVerdicts<T>(folder: string): T[] {
  const text = readFileSync(join(folder, 'EXPECTED.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
