/** The start level: `headgate serve` to ready, with nothing there yet and again on the same data folder; `headgate demo --once`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compareWithLimit } from './comparison.ts';
import { serveProduct } from './served-product.ts';
import { timedRun } from './timed-run.ts';

/** Budgets: nobody else starts the same thing. */
const limits = { firstSeconds: 10, againSeconds: 3, demoSeconds: 60 };

export async function runStartLevel(context: BenchContext): Promise<BenchRun[]> {
  const times = context.isQuick ? 1 : 5;
  context.progress('start of serve');
  const first: number[] = [];
  const again: number[] = [];
  for (let index = 0; index < times; index++) {
    for (const seconds of [first, again]) {
      const product = await serveProduct(context, { name: 'start', flows: [] });
      seconds.push(product.readySeconds);
      await product.stop();
    }
    rmSync(join(context.folder, 'start'), { recursive: true, force: true });
  }
  const limit = (name: string, values: readonly number[], seconds: number) =>
    compareWithLimit({ level: 'start', case: name, against: `${seconds} s`, unit: 'seconds', limit: seconds, values });
  const runs = [
    limit('serve to ready, nothing there', first, limits.firstSeconds),
    limit('serve to ready, again', again, limits.againSeconds),
  ];
  if (!context.isQuick) runs.push(limit('first demo', [await demoSeconds(context)], limits.demoSeconds));
  return runs;
}

async function demoSeconds(context: BenchContext): Promise<number> {
  context.progress('first demo');
  const dataDir = join(context.folder, 'demo');
  const command = [context.node, join(context.root, 'src/main/headgate.ts'), 'demo', '--once', '--json', '--data-dir', dataDir];
  return (await timedRun(command)).seconds;
}
