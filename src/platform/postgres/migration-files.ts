/**
 * The numbered SQL files that make the schema. A file is `NNNN_intent.sql`; its first lines may hold
 * `-- minCompatibleVersion: N`: the oldest schema version a program may know and still work with what this file leaves.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Migration {
  /** Also the schema version after it. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
  readonly minCompatibleVersion: number;
}

export const migrationsFolder = join(import.meta.dirname, 'migrations');

/** In order, numbered from 1 without a gap. */
export function readMigrations(folder = migrationsFolder): Migration[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  let minCompatibleVersion = 1;
  return files.map((file, index) => {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    if (!match) throw new Error(`migration file ${file} is not named NNNN_intent.sql`);
    const number = Number(match[1]);
    if (number !== index + 1) throw new Error(`migration ${file} should have number ${String(index + 1).padStart(4, '0')}`);
    const sql = readFileSync(join(folder, file), 'utf8');
    const declared = /^-- minCompatibleVersion: (\d+)$/m.exec(sql);
    if (declared) minCompatibleVersion = Number(declared[1]);
    return { number, name: match[2]!, sql, sha256: createHash('sha256').update(sql).digest('hex'), minCompatibleVersion };
  });
}
