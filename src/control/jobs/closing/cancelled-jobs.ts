/**
 * Goes on with what a person decided about a job of very many batches: they are cancelled a thousand at a time, each page in a
 * transaction of its own, since a tenant's deliveries wait for what one has locked. The job's closing work stands for what is
 * left: a process that ends is followed by another, which finds cancelled what was.
 */
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { type CancelRequest, cancelInHand, cancelNext } from '../../../pipeline/deliveries/endings/delivery-cancel.ts';
import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';

export interface CancelledJobs {
  /** Of the jobs that are to be closed, those that were cancelled and of which deliveries are open, by job. */
  find(tenantId: string, items: readonly WorkItem[]): Promise<ReadonlyMap<string, CancelRequest>>;
  /** For about a second, then gives the work back. Fails with E_FENCED when it went to another, and as the database does. */
  goOn(tenantId: string, item: WorkItem, request: CancelRequest): Promise<void>;
}

/** So that jobs of others are closed meanwhile, and a process that is stopped needn't wait. */
const roundMs = 1_000;
/** Places that are kept; a job without one is gone through from the beginning. */
const placesMax = 1_000;

const selectOpen = `/* find cancelled jobs with open deliveries */
  select j.job_id as "jobId", coalesce(j.decided_by, 'system') as actor from headgate.jobs j
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) and j.decision = 'cancel' and j.state = 'delivering'
    and exists (select from headgate.job_targets t where t.tenant_id = $1 and t.job_id = j.job_id and t.delivered + t.refused + t.dead + t.cancelled < t.routed)`;

export function createCancelledJobs(services: JobServices): CancelledJobs {
  const { db, ports, queue, signals } = services;
  /** By job, the last batch that was looked at. */
  const places = new Map<string, string>();

  function keepPlace(jobId: string, place: string): void {
    if (places.size >= placesMax) places.clear();
    places.set(jobId, place);
  }

  return {
    async find(tenantId, items) {
      const jobIds = items.map(({ referenceId }) => referenceId);
      const { rows } = await withTenant(db, tenantId, (tx) => tx.query<CancelRequest>(selectOpen, [tenantId, jobIds]), { readOnly: true });
      return new Map(rows.map((row) => [row.jobId, row]));
    },
    async goOn(tenantId, item, request) {
      const untilMs = ports.clock.monotonicMs() + roundMs;
      let place = places.get(request.jobId) ?? null;
      if (place === null) await commitForCertain(services, tenantId, (tx) => cancelInHand(tx, services, request));
      do {
        const after: string | null = place;
        await commitForCertain(services, tenantId, async (tx) => {
          place = await cancelNext(tx, services, request, after);
        });
      } while (place !== null && ports.clock.monotonicMs() < untilMs);
      if (place === null) places.delete(request.jobId);
      else keepPlace(request.jobId, place);
      await giveBack(tenantId, item, place === null);
      signals.close.notify();
    },
  };

  /** Whatever ends the job's last batch sends it to be closed, also while this is ours: it is lost then. */
  async function giveBack(tenantId: string, item: WorkItem, isDone: boolean): Promise<void> {
    try {
      await commitForCertain(services, tenantId, (tx) =>
        isDone ? queue.finishWork(tx, [item]) : queue.releaseWork(tx, [{ ...item, delayMs: 0 }]),
      );
    } catch (error) {
      if (!(isDone && error instanceof HeadgateError && error.code === jobErrors.E_FENCED)) throw error;
    }
  }
}
