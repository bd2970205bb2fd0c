/** The transaction before the first byte: the lease is still ours, the attempt has its row, the batch is `sending`. */
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { type BatchChange, moveBatches } from '../batch-changes.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { ClaimedWork, WorkQueue } from '../work-queue-port.ts';
import { type AttemptResolution, abandonAttempts, insertAttempts, type NewAttempt, resolveAttempts } from './attempt-store.ts';
import { type AdmissionRequest, admitAttempts } from './target-admission.ts';

export interface AttemptStart {
  readonly work: ClaimedWork;
  readonly change: BatchChange;
  readonly attempt: NewAttempt;
  /** Of earlier unknown attempts, when this one follows them. */
  readonly resolution: AttemptResolution | null;
  readonly admission: AdmissionRequest;
}

export interface StartServices {
  readonly queue: WorkQueue;
  readonly leaseMs: number;
  readonly workerId: string;
  readonly ports: { readonly ids: Ids };
}

export type Started = Awaited<ReturnType<typeof admitAttempts>>;

/**
 * What may not start yet, in the order given; of those nothing is written but that their lease goes on. Fails with E_FENCED
 * when any of the work is not ours any more; then nothing may be sent.
 */
export async function writeStarts(tx: TenantTx, all: readonly AttemptStart[], services: StartServices): Promise<Started> {
  const { queue, leaseMs, workerId, ports } = services;
  // First: everybody takes the lock of a target before rows of its work.
  const admitted = await admitAttempts(
    tx,
    all.map(({ admission }) => admission),
    workerId,
  );
  await queue.renewWork(
    tx,
    all.map(({ work }) => work),
    leaseMs,
  );
  const starts = all.filter((_, index) => admitted.refusals[index] === null);
  if (starts.length === 0) return admitted;
  await resolveAttempts(
    tx,
    starts.flatMap(({ resolution }) => resolution ?? []),
  );
  await insertAttempts(
    tx,
    starts.map(({ attempt }) => attempt),
  );
  await moveBatches(
    tx,
    ports.ids,
    starts.map(({ change }) => change),
  );
  return admitted;
}

/** A claimed batch that is `sending` was left by a process that ended: its attempt is unknown, and so is the batch. */
export async function writeAbandoned(
  tx: TenantTx,
  work: ClaimedWork,
  change: BatchChange,
  services: Omit<StartServices, 'workerId'>,
): Promise<void> {
  await services.queue.renewWork(tx, [work], services.leaseMs);
  await abandonAttempts(tx, [change.batchId], deliveryErrors.E_ATTEMPT_ABANDONED);
  await moveBatches(tx, services.ports.ids, [change]);
}
