/**
 * The platform level: `headgate ingest` of the payments CSV into a running `headgate serve` until the job is closed, against
 * `headgate run` of the same file in one thread. The delivered files must hold the very bytes that `run` wrote.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, compareWithLimit } from './comparison.ts';
import { paymentsCsv } from './payments-files.ts';
import { serveProduct } from './served-product.ts';
import { takeMemory } from './taken-memory.ts';
import { timedRun } from './timed-run.ts';

export const memoryLimitBytes = 200_000_000;
const flow = 'payments-csv';
const targets = ['eu', 'uk', 'ch'];

export async function runPlatformLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 20_000 : 1_000_000;
  const input = paymentsCsv(context, rows);
  const ours = join(context.folder, 'run-once');
  const kernel = () =>
    timedRun([
      join(context.root, 'bin/headgate'),
      'run',
      join(context.root, 'bench/flows/payments.yaml'),
      input,
      '--out',
      ours,
      '--threads',
      '1',
    ]);
  const product = await serveProduct(context, { name: 'platform', flows: ['payments.yaml'] });
  try {
    context.progress(`platform, ${rows} rows until the job is closed`);
    await kernel();
    await product.ingest(input, flow);
    assertDelivered(product.outbox, ours);
    const run = await compare({
      level: 'platform',
      case: `csv, ${rows} rows`,
      against: 'headgate run --threads 1',
      units: rows,
      pairs: context.isQuick ? 1 : 21,
      bar: { kind: 'at-most', value: 3 },
      ours: async () => {
        await settle(product.outbox, context.isQuick ? 0 : freshBytes);
        return { seconds: await product.ingest(input, flow), rssBytes: product.peakRssBytes() };
      },
      theirs: kernel,
    });
    const memory = compareWithLimit({
      level: 'platform',
      case: `memory of serve, ${rows} rows`,
      against: '200 MB',
      unit: 'bytes',
      limit: memoryLimitBytes,
      values: [product.peakRssBytes()],
    });
    return [run, memory];
  } finally {
    await product.stop();
  }
}

/** More than the stored and delivered files of a round. */
const freshBytes = 1024 * 1024 * 1024;

/**
 * Neither side pays for what was written before: `headgate run` overwrites its outputs and leaves them in memory, where the first
 * fsync of the product would write them, too; files that were delivered are taken away, as receivers do. Nor for memory that a virtual
 * machine has not been given yet: `headgate run` writes into what it has just freed, the product needs more in each round. So much is taken and
 * given back before.
 */
async function settle(outbox: string, bytes: number): Promise<void> {
  for (const target of targets) for (const name of readdirSync(join(outbox, target))) rmSync(join(outbox, target, name));
  await promisify(execFile)('sync');
  if (bytes > 0) await takeMemory(join(outbox, '..', 'memory'), bytes);
}

/** The target's files in the order of their numbers, one behind the other. */
export function assertDelivered(outbox: string, ours: string): void {
  for (const target of targets) {
    const delivered = createHash('sha256');
    for (const name of readdirSync(join(outbox, target)).sort()) delivered.update(readFileSync(join(outbox, target, name)));
    const wanted = createHash('sha256').update(readFileSync(join(ours, `${target}.ndjson`)));
    if (delivered.digest('hex') !== wanted.digest('hex'))
      throw new Error(`the delivered files of ${target} differ from those of headgate run`);
  }
}
