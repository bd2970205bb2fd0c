/** The named points at which a soak can kill the product, as they stand in its code: nothing else lists them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './served-process.ts';

/** Inside a transaction a stopped process holds its locks, and nobody can take over until it wakes. */
export function canStopAt(point: string): boolean {
  return !/^jobs\.before-(?:\w+-)?commit$/.test(point);
}

/**
 * A person's request, or the answer of a bank, comes by these, and no soak has one: `test/end-to-end/redrive-kills.e2e.test.ts` and
 * `test/end-to-end/answers-kills.e2e.test.ts` kill there.
 */
const unvisited = /^(?:redrives|answers)\./;

export function crashPointNames(): string[] {
  const folder = join(projectRoot, 'src');
  const names = new Set<string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
    for (const match of readFileSync(join(folder, path), 'utf8').matchAll(/\breach\('([a-z][a-z.-]*)'\)/g)) names.add(match[1]!);
  }
  return [...names].filter((name) => !unvisited.test(name)).sort();
}
