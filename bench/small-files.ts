/** Small payments files: making them, and having a served product take them from the folder of a source. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from './bench-context.ts';
import { firstLines, paymentsCsv } from './payments-files.ts';
import type { ServedProduct } from './served-product.ts';

export const recordsPerFile = 10;
const pollMs = 50;
const withinMs = 600_000;

/** Until all jobs of the files are closed, from the moment they appear. */
export async function dropFiles(product: ServedProduct, from: string, inFolder: string): Promise<number> {
  const names = readdirSync(from);
  const drop = join(product.inbox, inFolder);
  const closedBefore = await countClosed(product);
  const acceptedBefore = (await readProgress(product)).accepted;
  const startedAt = performance.now();
  for (const name of names) renameSync(join(from, name), join(drop, name));
  for (;;) {
    const { accepted, hasWork } = await readProgress(product);
    if (accepted === acceptedBefore + names.length && !hasWork) break;
    if (performance.now() - startedAt > withinMs) throw new Error(`not all of ${names.length} small files became closed jobs`);
    await sleep(pollMs);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const closed = (await countClosed(product)) - closedBefore;
  if (closed !== names.length) throw new Error(`${closed} of ${names.length} small files became closed jobs`);
  return seconds;
}

/** Costs the same however many jobs are stored, so that looking takes nothing from what is measured. */
async function readProgress(product: ServedProduct): Promise<{ accepted: number; hasWork: boolean }> {
  const { rows } = await product.inTenant((tx) =>
    tx.query<{ accepted: number; hasWork: boolean }>(
      `/* bench progress */ select (select coalesce(sum(accepted), 0)::integer from headgate.flow_counters where tenant_id = $1) as accepted,
        exists (select from headgate.work_items where tenant_id = $1) as "hasWork"`,
      [tx.tenantId],
    ),
  );
  return rows[0];
}

async function countClosed(product: ServedProduct): Promise<number> {
  const { rows } = await product.inTenant((tx) =>
    tx.query<{ closed: number }>(
      "/* bench closed jobs */ select count(*)::integer as closed from headgate.jobs where tenant_id = $1 and state = 'completed'",
      [tx.tenantId],
    ),
  );
  return rows[0].closed;
}

/** Every file has rows of its own, so that none is a duplicate. */
export function createFileMaker(context: BenchContext) {
  const seed = readFileSync(paymentsCsv(context, context.isQuick ? 20_000 : 200_000));
  const headerEnd = seed.indexOf(10) + 1;
  const header = seed.subarray(0, headerEnd);
  let made = 0;
  let position = headerEnd;
  return {
    /** Returns the folder. */
    make(name: string, count: number): string {
      const folder = join(context.folder, 'small', name);
      mkdirSync(folder, { recursive: true });
      for (let index = 0; index < count; index++) {
        if (position >= seed.length) position = headerEnd;
        const lines = firstLines(seed.subarray(position), recordsPerFile);
        position += lines.length;
        const number = String(++made).padStart(7, '0');
        const distinct = lines.toString('utf8').replace(/^[PX]\d{9}/, `P77${number}`);
        writeFileSync(join(folder, `payments-${number}.csv`), Buffer.concat([header, Buffer.from(distinct)]));
      }
      return folder;
    },
  };
}
