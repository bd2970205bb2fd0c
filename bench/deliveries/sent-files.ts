/** Files that arrived in a folder, from either side. */
import { mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Each name and what is in it, by name. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => [name, readFileSync(join(folder, name), 'utf8')]);
}

/** Neither side is timed with the freed inodes of the other. */
export function moveAway(folder: string): void {
  const away = mkdtempSync(`${folder}-`);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(away, name));
}
