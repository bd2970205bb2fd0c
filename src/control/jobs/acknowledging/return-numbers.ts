/**
 * What tells files of returns and their entries apart: each file of a flow has the next number, and each entry that is returned has the
 * next one of all that the flow returned. They are counted in the transaction that closes the jobs, so that one that fails leaves no gap.
 */
import { takeNumbers } from '../../../pipeline/deliveries/cutting/file-sequences.ts';
import { type ReturnNumbers, returnsMax, traceSequences } from '../../../pipeline/ledger/ach-returns.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

export interface ReturningJob {
  readonly jobId: string;
  readonly flowId: string;
  /** Entries that are returned, at the most. */
  readonly entries: number;
}

/** Names that no target can have. */
const names = { file: '(files of returns)', entry: '(returns)' };

/** By job. The rows of flows are held in one order, so that two transactions never wait for each other. */
export async function takeReturnNumbers(tx: TenantTx, jobs: readonly ReturningJob[]): Promise<ReadonlyMap<string, ReturnNumbers>> {
  const taken = new Map<string, ReturnNumbers>();
  for (const { jobId, flowId, entries } of jobs.toSorted((a, b) => (a.flowId < b.flowId ? -1 : a.flowId > b.flowId ? 1 : 0))) {
    const file = await takeNumbers(tx, { flowId, name: names.file, count: 1 });
    const take = () => takeNumbers(tx, { flowId, name: names.entry, count: Math.min(entries, returnsMax) });
    const first = await take();
    // Trace numbers of a file ascend: none of them begins again at 1 in the middle of it.
    const isCut = ((first - 1) % traceSequences) + Math.min(entries, returnsMax) > traceSequences;
    taken.set(jobId, { file, firstEntry: isCut ? await take() : first });
  }
  return taken;
}
