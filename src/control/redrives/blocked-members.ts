/** Which records that are to be sent again would be held back, because a letter that nobody chose blocks their key. */
import { orderKeyHash } from '../../pipeline/deliveries/cutting/delivery-key.ts';
import { findBlockedKeys } from '../../pipeline/deliveries/held/blocked-key-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { SourceRecords } from './member-records.ts';
import type { RedriveMember } from './redrive-members.ts';

export interface BlockedMembers {
  readonly records: number;
  /** Ids, each once. */
  readonly letters: readonly string[];
}

interface SentRecords {
  readonly source: SourceRecords;
  readonly targetId: string;
  /** Business keys of the records, one for each that has one. */
  readonly keys: readonly (readonly (string | null)[])[];
  /** All that were chosen: a letter that is sent again frees the key that it blocks. */
  readonly members: readonly RedriveMember[];
}

export async function findBlockedMembers(tx: TenantTx, { source, targetId, keys, members }: SentRecords): Promise<BlockedMembers> {
  const { flowId, flow } = source.job;
  if (flow.plan.targets.find(({ id }) => id === targetId)?.order !== 'by-key') return { records: 0, letters: [] };
  const hashes = keys.map((key) => orderKeyHash({ tenantId: tx.tenantId, flowId, targetId }, key));
  const blockers = await findBlockedKeys(tx, { flowId, targetId, keyHashes: [...new Set(hashes)] });
  const chosen = new Set(members.map(({ deadLetterId }) => deadLetterId));
  const found = hashes.flatMap((hash) => blockers.get(hash) ?? []).filter((letter) => !chosen.has(letter));
  return { records: found.length, letters: [...new Set(found)] };
}
