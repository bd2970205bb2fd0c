/** The memory level: the most that `serve` with its threads ever had resident while it took in a file of 1 GB. */
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compareWithLimit } from './comparison.ts';
import { paymentsCsvOfBytes } from './payments-files.ts';
import { memoryLimitBytes } from './platform-level.ts';
import { serveProduct } from './served-product.ts';

const fileBytes = 1_000_000_000;

/** Nothing under --quick: a small file says nothing about it. */
export async function runMemoryLevel(context: BenchContext): Promise<BenchRun[]> {
  if (context.isQuick) return [];
  const input = paymentsCsvOfBytes(context, fileBytes);
  const product = await serveProduct(context, { name: 'memory', flows: ['payments.yaml'] });
  try {
    context.progress('memory of serve on a file of 1 GB');
    const seconds = await product.ingest(input.path, 'payments-csv');
    const options = { level: 'memory', case: 'serve, csv of 1 GB', against: '200 MB', unit: 'bytes', limit: memoryLimitBytes } as const;
    return [compareWithLimit({ ...options, values: [product.peakRssBytes()], seconds, units: input.rows })];
  } finally {
    await product.stop();
  }
}
