/**
 * What deliveries need of the work queue. `control/jobs` implements it over `headgate.work_items`; the wiring in `main`
 * gives it in, because this wing may not import that one. Every call inside a transaction takes effect with it.
 */
import type { Db } from '../../platform/postgres/database.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

export type WorkKind = 'chunks' | 'check' | 'deliver' | 'close' | 'breaker' | 'acknowledge' | 'collect' | 'answer';

export interface NewWork {
  readonly kind: WorkKind;
  /** The chunk group, job or batch; one item per kind and reference. */
  readonly referenceId: string;
  /** Items with the same key never run at the same time; '' is none. */
  readonly laneKey?: string;
  /** Only the first item of a lane by order and offset is claimed; while it runs or is not due, the lane waits. */
  readonly laneOrder?: number;
  readonly laneOffset?: number;
  /** What the work weighs against that of other tenants; at least 1. */
  readonly cost?: number;
  /** Not claimed before this much time has passed. */
  readonly delayMs?: number;
}

/** A claim: ours until the lease ends; what we write under it counts only while the fence is still this one. */
export interface WorkItem {
  readonly tenantId: string;
  readonly kind: WorkKind;
  readonly referenceId: string;
  /** Another one where an item of the same kind and reference was ended and added again. */
  readonly workId: string;
  readonly laneKey: string;
  readonly fence: number;
  readonly attempts: number;
  readonly cost: number;
}

/** Every call takes items of one kind. */
export type ClaimedWork = Pick<WorkItem, 'kind' | 'referenceId' | 'workId' | 'fence'>;

/** Ids of work. */
export interface RenewedWork {
  readonly renewed: ReadonlySet<string>;
  /** Still ours, and not renewed: it is being ended, or taken from us. */
  readonly locked: ReadonlySet<string>;
}

export interface WorkQueue {
  /** An item that exists already for its kind and reference is ready again at once; whoever has it now loses it. */
  addWork(tx: TenantTx, items: readonly NewWork[]): Promise<void>;
  /** Where an item of its kind and reference exists already, nothing changes: whoever has it keeps it. It can't be finished before this commits. */
  keepWork(tx: TenantTx, items: readonly NewWork[]): Promise<void>;
  /** Of these, what nobody has is due at once. Waits for nobody: what is being claimed or given back just now stays as it is. */
  hastenWork(tx: TenantTx, kind: WorkKind, referenceIds: readonly string[]): Promise<void>;
  claimWork(
    db: Db,
    kind: WorkKind,
    claim: { readonly limit: number; readonly workerId: string; readonly leaseMs: number },
  ): Promise<readonly WorkItem[]>;
  /** Removes the items. Fails with E_FENCED when any of them is no longer ours: the transaction must then roll back. */
  finishWork(tx: TenantTx, items: readonly ClaimedWork[]): Promise<void>;
  /** Gives the items back, to be claimed after the delay. Fails with E_FENCED as `finishWork` does. */
  releaseWork(tx: TenantTx, items: readonly (ClaimedWork & { readonly delayMs: number })[]): Promise<void>;
  /** Removes those without a delay and gives the others back. Fails with E_FENCED as `finishWork` does. */
  endWork(tx: TenantTx, items: readonly (ClaimedWork & { readonly delayMs: number | null })[]): Promise<void>;
  /** Extends the leases. Fails with E_FENCED as `finishWork` does. */
  renewWork(tx: TenantTx, items: readonly ClaimedWork[], leaseMs: number): Promise<void>;
  /** Extends the leases of those that are still ours, but of those that another transaction has locked, for which it does not wait. */
  renewOurs(tx: TenantTx, items: readonly ClaimedWork[], leaseMs: number): Promise<RenewedWork>;
}
