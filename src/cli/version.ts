/** `headgate version`: versions of program, schema, runtime and plan, for reports and for `--json`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planVersion } from '../pipeline/engine/plan.ts';
import { readMigrations } from '../platform/postgres/migration-files.ts';
import { type Command, outputOptions } from './command.ts';
import { printOne } from './output.ts';

/** The version in package.json. */
export function programVersion(): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version;
}

export const versionCommand: Command = {
  usage: 'headgate version [--json]',
  summary: 'Shows the versions of program, schema, flow plan and runtime.',
  options: outputOptions,
  async run(line) {
    await printOne(line, { headgate: programVersion(), schema: readMigrations().length, plan: planVersion, node: process.versions.node });
    return 0;
  },
};
