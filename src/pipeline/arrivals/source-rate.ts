/**
 * Files that one source takes a minute, over all processes: looked at before a body is read, and again in the accepting transaction,
 * where files of the flow are accepted one after the other, because many may have come at once.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { Refusal } from './admission.ts';
import { countRecentlyAccepted } from './arrival-store.ts';
import type { ArrivalVerdict } from './file-acceptance.ts';
import type { ReceiveContext } from './file-intake.ts';

export const sourceRateReached: Refusal = { kind: 'refused', code: 'E_FILE_RATE', limit: 'rate', reason: 'busy', retryAfterMs: 5_000 };

/** Once the files are accepted, and the flow's numbers locked. Members of one archive are let in together, as far as others leave room for the first. */
export async function isSourceRateReached(
  tx: TenantTx,
  { flow, source }: ReceiveContext,
  verdicts: readonly ArrivalVerdict[],
): Promise<boolean> {
  const { filesPerMinute } = source.limits;
  const own = verdicts.flatMap((verdict) => [verdict, ...verdict.members]).filter(({ state }) => state === 'accepted').length;
  if (filesPerMinute === null || own === 0) return false;
  const accepted = await countRecentlyAccepted(tx, { flowId: flow.flowId, sourceId: source.sourceId });
  return accepted - own >= filesPerMinute;
}
