/**
 * Numbers of output files where a target asks for them with `{sequence}`: from 1 in the flow and target, in the order in which
 * batches are cut. They are counted in the transaction that writes the batches, so that one that fails leaves no gap.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { usesSequence } from '../../connectors/output-files/file-template.ts';
import type { NewBatch } from '../batch.ts';
import type { PreparedCut } from './cut-input.ts';

const updateNumber = `/* number output files */
  insert into headgate.output_sequences as s (tenant_id, flow_id, target_id, last_number) values ($1, $2, $3, $4)
  on conflict (tenant_id, flow_id, target_id) do update set last_number = s.last_number + excluded.last_number
  returning last_number as "lastNumber"`;

/** The first of so many numbers that nothing else of the flow has under that name, from 1. Holds their row until the transaction ends. */
export async function takeNumbers(
  tx: TenantTx,
  { flowId, name, count }: { readonly flowId: string; readonly name: string; readonly count: number },
): Promise<number> {
  const { rows } = await tx.query<{ lastNumber: number }>(updateNumber, [tx.tenantId, flowId, name, count]);
  return rows[0]!.lastNumber - count + 1;
}

export interface NumberedCut extends Pick<PreparedCut, 'batches'> {
  readonly input: Pick<PreparedCut['input'], 'plan' | 'flowId'>;
}

/** The same batches, numbered where their target says so. Holds the target's row until the transaction ends. */
export async function numberFiles(tx: TenantTx, { input, batches }: NumberedCut): Promise<readonly NewBatch[]> {
  const next = new Map<string, number>();
  // Always in the same order, so that two transactions never wait for each other.
  for (const { id } of input.plan.targets.filter(({ settings }) => usesSequence(settings)).toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const count = batches.filter(({ targetId }) => targetId === id).length;
    if (count === 0) continue;
    next.set(id, await takeNumbers(tx, { flowId: input.flowId, name: id, count }));
  }
  if (next.size === 0) return batches;
  return batches.map((batch) => {
    const fileSequence = next.get(batch.targetId);
    if (fileSequence === undefined) return batch;
    next.set(batch.targetId, fileSequence + 1);
    return { ...batch, fileSequence };
  });
}
