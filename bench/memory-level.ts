/**
 * The memory level: the most that `serve --roles worker` with its threads ever had resident while a file of 1 GB went through,
 * and the most that the process with the other roles had.
 */
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
  const product = await serveProduct(context, { name: 'memory', flows: ['payments.yaml'], isWorkerApart: true });
  try {
    context.progress('memory of serve on a file of 1 GB');
    const seconds = await product.ingest(input.path, 'payments-csv');
    const options = { level: 'memory', against: '200 MB', unit: 'bytes', limit: memoryLimitBytes, seconds, units: input.rows } as const;
    return [
      compareWithLimit({ ...options, case: 'serve --roles worker, csv of 1 GB', values: [product.workerPeakRssBytes()] }),
      compareWithLimit({ ...options, case: 'serve, the other roles, csv of 1 GB', values: [product.peakRssBytes()] }),
    ];
  } finally {
    await product.stop();
  }
}
