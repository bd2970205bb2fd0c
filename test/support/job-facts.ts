/** Small flows and files for tests of jobs, and what must be true of any job afterwards. */
import { expect } from 'vitest';
import { openThreadStorage } from '../../src/control/jobs/groups/thread-storage.ts';
import { jobTransitions } from '../../src/control/jobs/job-state.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import type { Receipt } from '../../src/pipeline/ledger/receipt.ts';
import { decodeReceipt } from '../../src/pipeline/ledger/receipt-schema.ts';
import { verifyReceiptSignature } from '../../src/pipeline/ledger/receipt-signature.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { until } from './delivery-scenario.ts';
import { type JobScenario, scenarioKey } from './job-scenario.ts';

const trust = parseTrustFile(printTrustFile([scenarioKey]));

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** id,amount,currency; the id is unique in a file. */
export function simplePlan(more: Partial<Plan> = {}): Plan {
  const at = (column: number) => ({ column, header: null });
  const record = recordPlan(
    [
      fieldPlan('id', 'string', at(0), { unique: 'file' }),
      fieldPlan('amount', 'decimal', at(1), { sum: true, currencyField: 2 }),
      fieldPlan('currency', 'string', at(2), { enum: ['ZAR', 'USD'] }),
    ],
    { key: [0] },
  );
  return planOf({ format: delimitedFormat, records: [record], targets: [targetPlan('all', undefined, { batchRecords: 50 })], ...more });
}

export const lineOf = (id: number | string, amount = '1.00', currency = 'ZAR'): string => `p${id},${amount},${currency}`;
export const simpleLines = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => lineOf(from + index));

export async function closed(of: JobScenario, count: number): Promise<void> {
  await until(async () => (await of.jobs()).filter((job) => job.closedAt !== null).length >= count, 'the jobs did not close');
}

/** Checked: signature, and that the receipt is in the only form there is. */
export async function receiptsOf(of: JobScenario): Promise<Receipt[]> {
  const rows = await of.rows<{ body: string; signature: string }>(
    '/* read receipts */ select body, signature from headgate.receipts where tenant_id = $1 order by job_id',
  );
  return rows.map(({ body, signature }) => {
    const receipt = decodeReceipt(Buffer.from(body));
    verifyReceiptSignature(Buffer.from(body), signature, trust, Date.parse(receipt.times.closedAt));
    return receipt;
  });
}

/** Every event of jobs is a step of the table, from the state that the one before left. */
export async function assertLegalEvents(of: JobScenario): Promise<void> {
  const states = new Map<string, string>();
  const table = jobTransitions as Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  for (const { type, objectId, from, to } of await of.events()) {
    if (!type.startsWith('job.')) continue;
    expect(from).toBe(states.get(objectId) ?? '');
    if (from !== to) expect(Object.values(table[from]!).flat()).toContain(to);
    states.set(objectId, to);
  }
  for (const job of await of.jobs()) expect(states.get(job.jobId)).toBe(job.state);
}

/** The engine's storage in this thread, for runs by hand. */
export function threadStorageOf(of: JobScenario) {
  return openThreadStorage({ root: of.root, cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }] });
}
