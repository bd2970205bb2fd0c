/**
 * Gives chunk groups back: to the queue, to be run again, or out of it, when nobody wants them any more. The group's row and
 * its work always move together.
 */
import type { ClaimedWork, WorkQueue } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { addUsage } from '../tenant-usage.ts';

export interface ReturnServices {
  readonly queue: WorkQueue;
  readonly ports: { readonly ids: Ids };
}

export interface ReturnedGroup {
  readonly groupId: string;
  readonly item: ClaimedWork;
  readonly delayMs: number;
  /** The cause lies outside the group: this run does not count against it. */
  readonly isPassing: boolean;
  readonly cause: string;
}

const returnRow = `/* return chunk group */
  update headgate.chunk_groups set state = 'ready', attempts = greatest(0, attempts - $4::int), changed_at = headgate.clock()
  where tenant_id = $1 and group_id = $2 and state = 'running' and fence = $3`;

/** Fails with E_FENCED when it is no longer ours to give back. */
export async function returnGroup(tx: TenantTx, services: ReturnServices, returned: ReturnedGroup): Promise<void> {
  const { groupId, item, delayMs, isPassing, cause } = returned;
  await services.queue.releaseWork(tx, [{ ...item, delayMs }]);
  const { rowCount } = await tx.query(returnRow, [tx.tenantId, groupId, item.fence, isPassing ? 1 : 0]);
  // A claim whose start was never committed left the group as it was.
  if (rowCount === 0) return;
  await recordEvents(tx, services.ports.ids, [
    { type: 'chunk_group.released', objectId: groupId, from: 'running', to: 'ready', actor: 'system', detail: { cause } },
  ]);
}

const cancelRow = `/* cancel chunk group */
  update headgate.chunk_groups set state = 'cancelled', changed_at = headgate.clock()
  where tenant_id = $1 and group_id = $2 and state = 'running' and fence = $3 returning chunks`;

/** For a group all of whose jobs were closed. Fails with E_FENCED. */
export async function dropGroup(
  tx: TenantTx,
  services: ReturnServices,
  group: { readonly groupId: string; readonly item: ClaimedWork },
): Promise<void> {
  await services.queue.finishWork(tx, [group.item]);
  const { rows } = await tx.query<{ chunks: number }>(cancelRow, [tx.tenantId, group.groupId, group.item.fence]);
  if (rows.length === 0) return;
  await recordEvents(tx, services.ports.ids, [
    { type: 'chunk_group.cancelled', objectId: group.groupId, from: 'running', to: 'cancelled', actor: 'system' },
  ]);
  await addUsage(tx, { storedBytes: 0, heldBytes: 0, chunksInFlight: -rows[0]!.chunks });
}
