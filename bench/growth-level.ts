/**
 * The growth level: ten times the rows take ten times the time, so that a row costs the same in any file. What a process
 * needs to start is taken off on both sides of the kernel; a job's fixed costs are left in on the platform's small side.
 */
import { join } from 'node:path';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, type Measured } from './comparison.ts';
import { repeatedPaymentsCsv } from './payments-files.ts';
import { serveProduct } from './served-product.ts';
import { takeMemory } from './taken-memory.ts';
import { timedRun } from './timed-run.ts';

const kernelRows = 300_000;
const platformRows = 200_000;

/** Nothing under --quick: small files measure noise. */
export async function runGrowthLevel(context: BenchContext): Promise<BenchRun[]> {
  if (context.isQuick) return [];
  return [await kernelGrowth(context), await platformGrowth(context)];
}

async function kernelGrowth(context: BenchContext): Promise<BenchRun> {
  context.progress('growth of the kernel');
  const run = (rows: number) =>
    timedRun([
      join(context.root, 'bin/headgate'),
      'run',
      join(context.root, 'bench/flows/payments.yaml'),
      repeatedPaymentsCsv(context, rows),
      '--out',
      join(context.folder, 'growth'),
      '--threads',
      '1',
    ]);
  const perRow = async (rows: number, times: number): Promise<Measured> => {
    let [seconds, rssBytes] = [0, 0];
    for (let each = 0; each < times; each++) {
      const start = await run(1);
      // More than the outputs of the bigger one, which would pay for it alone.
      await takeMemory(join(context.folder, 'memory'), 1024 * 1024 * 1024);
      const whole = await run(rows);
      seconds += whole.seconds - start.seconds;
      rssBytes = Math.max(rssBytes, whole.rssBytes);
    }
    return { seconds: seconds / rows / times, rssBytes };
  };
  return compare({
    ...growthOf('kernel', kernelRows),
    pairs: 9,
    ours: () => perRow(kernelRows * 10, 1),
    // As many rows, so that one run that was disturbed does not decide.
    theirs: () => perRow(kernelRows, 10),
  });
}

async function platformGrowth(context: BenchContext): Promise<BenchRun> {
  context.progress('growth of the platform');
  const product = await serveProduct(context, { name: 'growth-platform', flows: ['payments.yaml'] });
  const perRow = async (rows: number): Promise<Measured> => {
    const seconds = (await product.ingest(repeatedPaymentsCsv(context, rows), 'payments-csv')) / rows;
    return { seconds, rssBytes: product.peakRssBytes() };
  };
  try {
    await perRow(platformRows);
    return await compare({
      ...growthOf('platform', platformRows),
      pairs: 5,
      ours: () => perRow(platformRows * 10),
      theirs: () => perRow(platformRows),
    });
  } finally {
    await product.stop();
  }
}

function growthOf(what: string, rows: number) {
  return {
    level: 'growth',
    case: `${what}, a row of ${rows * 10}`,
    against: `a row of ${rows}`,
    units: 1,
    bar: { kind: 'at-most', value: 1.1 },
  } as const;
}
