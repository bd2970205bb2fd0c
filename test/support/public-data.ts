/**
 * Finds the folder of public test files, which is not part of this repository: `HEADGATE_TEST_DATA`, else
 * `../shared/data` beside the repository. A test that needs a set that is absent says so in its name, and passes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const root = process.env['HEADGATE_TEST_DATA'] ?? resolve(repository, '../shared/data');

/** Declares a test over a set of public files; `run` gets the set's folder. Without the folder the test is named and counted as absent. */
export function itWithPublicData(set: string, name: string, run: (folder: string) => void | Promise<void>): void {
  const folder = join(root, set);
  if (existsSync(folder)) it(name, () => run(folder));
  else {
    it(`${name} [absent: public data "${set}", set HEADGATE_TEST_DATA]`, () => {
      process.stderr.write(`absent: public data "${set}": not checked: ${name}\n`);
    });
  }
}

/** The lines of a set's EXPECTED.jsonl. */
export function expectedVerdicts<T>(folder: string): T[] {
  const text = readFileSync(join(folder, 'EXPECTED.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
