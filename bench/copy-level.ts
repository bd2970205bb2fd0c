/**
 * The copy level: `headgate run` of a big CSV against `cat` writing what it wrote, which is the least that a process needs
 * which gives these bytes to the system. Neither side asks for the disk; what is in memory of the round before is written and gone.
 */
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare } from './comparison.ts';
import { repeatedPaymentsCsv } from './payments-files.ts';
import { timedRun } from './timed-run.ts';

const bar = { kind: 'at-most', value: 1.7 } as const;

export async function runCopyLevel(context: BenchContext): Promise<BenchRun[]> {
  // 762 MB.
  const rows = context.isQuick ? 20_000 : 5_000_000;
  context.progress(`CSV, ${rows} rows, against cat`);
  const input = repeatedPaymentsCsv(context, rows);
  const [outputs, copy] = [join(context.folder, 'copied'), join(context.folder, 'copy')];
  const ours = async () => {
    rmSync(outputs, { recursive: true, force: true });
    await settled();
    return timedRun([join(context.root, 'bin/headgate'), 'run', join(context.root, 'bench/flows/payments.yaml'), input, '--out', outputs]);
  };
  const theirs = async () => {
    rmSync(copy, { force: true });
    await settled();
    const files = readdirSync(outputs).map((name) => join(outputs, name));
    const run = await timedRun(['sh', '-c', 'cat "$@" > "$0"', copy, ...files]);
    const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
    if (statSync(copy).size !== bytes) throw new Error(`cat wrote ${statSync(copy).size} of ${bytes} bytes`);
    return run;
  };
  await ours();
  const pairs = context.isQuick ? 1 : 9;
  const run = await compare({
    level: 'copy',
    case: `csv, ${rows} rows`,
    against: 'cat of the outputs',
    units: rows,
    pairs,
    bar,
    ours,
    theirs,
  });
  for (const path of [outputs, copy]) rmSync(path, { recursive: true, force: true });
  return [run];
}

async function settled(): Promise<void> {
  await promisify(execFile)('sync');
}
