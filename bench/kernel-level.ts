/**
 * The kernel level: `headgate run` as a whole process on the payments CSV, against csv-parse + ajv, udsv and DuckDB doing
 * the same work. The product is started as it is installed, so with the compiled code that it keeps; each peer by its
 * script. Before a time counts, the outputs must be equal byte for byte.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare } from './comparison.ts';
import { paymentsCsv } from './payments-files.ts';
import { timedRun } from './timed-run.ts';

const targets = ['eu', 'uk', 'ch'];

export async function runKernelLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 20_000 : 1_000_000;
  const input = paymentsCsv(context, rows);
  const flow = join(context.root, 'bench/flows/payments.yaml');
  const folderOf = (name: string) => join(context.folder, name);
  const headgate = (threads?: string) =>
    timedRun([
      join(context.root, 'bin/headgate'),
      'run',
      flow,
      input,
      '--out',
      folderOf('ours'),
      ...(threads ? ['--threads', threads] : []),
    ]);
  const peer =
    (script: string, ...options: string[]) =>
    () =>
      timedRun([context.node, join(context.root, 'bench/peers', script), input, folderOf(script), ...options]);

  await headgate();
  const runs: BenchRun[] = [];
  const cases = [
    { script: 'csv-parse-ajv.js', against: 'csv-parse + ajv', bar: 15, options: [], isEqual: true },
    { script: 'udsv.js', against: 'udsv', bar: 7, options: [], isEqual: true },
    { script: 'duckdb.js', against: 'DuckDB', bar: 10, options: [], isEqual: true },
    { script: 'duckdb.js', against: 'DuckDB without mod-97', bar: 3, options: ['--without-mod97'], isEqual: false },
  ];
  for (const { script, against, bar, options, isEqual } of cases) {
    context.progress(`kernel CSV against ${against}`);
    await peer(script, ...options)();
    if (isEqual) assertEqualOutputs(folderOf('ours'), folderOf(script));
    for (const threads of [undefined, '1'] as const) {
      if (context.isQuick && threads) continue;
      runs.push(
        await compare({
          level: 'kernel',
          case: threads ? 'csv, one thread' : 'csv',
          against,
          units: rows,
          pairs: context.isQuick ? 1 : threads ? 3 : 9,
          bar: { kind: 'at-least', value: bar },
          ours: () => headgate(threads),
          theirs: peer(script, ...options),
        }),
      );
    }
    rmSync(folderOf(script), { recursive: true, force: true });
  }
  return runs;
}

/** Same bytes per target, same rejected records. */
export function assertEqualOutputs(ours: string, theirs: string): void {
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  for (const target of targets)
    if (hash(join(ours, `${target}.ndjson`)) !== hash(join(theirs, `${target}.ndjson`)))
      throw new Error(`the outputs ${target}.ndjson of ${ours} and ${theirs} differ`);
  const records = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => Number(JSON.parse(line).record));
  const rejected = new Set(records(join(ours, 'rejections.ndjson')));
  const theirRejected = new Set(records(join(theirs, readdirSync(theirs).find((name) => name.startsWith('rejected'))!)));
  if (rejected.size !== theirRejected.size || [...rejected].some((record) => !theirRejected.has(record)))
    throw new Error(`the rejected records of ${ours} and ${theirs} differ`);
}
