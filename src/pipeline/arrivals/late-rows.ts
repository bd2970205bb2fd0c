/**
 * Rows of objects that were stored long before, as members of an archive are that comes slowly: the orphan sweep may have removed such
 * an object. Who gives it a row and who removes what has none wait for each other, tenant by tenant, over all processes: either the
 * sweep sees the row, or the object is found missing before the row is committed.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Clock } from '../../platform/base/ports.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import { storageErrors } from '../../platform/storage/storage-errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { Candidate } from './candidate.ts';
import type { IntakeStore } from './intake-store.ts';

/** A quarter of the sweep's grace: the rest is far more than the database lets a transaction take. */
const lateMs = 15 * 60_000;

const awaitSweep = '/* await orphan sweep */ select pg_advisory_xact_lock_shared(7274, hashtext($1))';
const awaitRows = '/* await late rows */ select pg_advisory_xact_lock(7274, hashtext($1))';

export interface LateRows {
  readonly clock: Clock;
  readonly store: Pick<IntakeStore, 'isStored'>;
  /** When the first of the objects may have been stored, on the clock that rises. */
  readonly sinceMs: number;
  readonly candidates: readonly Candidate[];
}

/** In the transaction that gives them rows. Costs nothing where none is late. Fails with E_STORAGE_IO when one is gone. */
export async function proveStored(tx: TenantTx, { clock, store, sinceMs, candidates }: LateRows): Promise<void> {
  if (clock.monotonicMs() - sinceMs < lateMs) return;
  await tx.query(awaitSweep, [tx.tenantId]);
  for (const name of new Set(candidates.flatMap(namesOf))) {
    // A remote store is asked for them one by one, and leases are to be renewed meanwhile.
    await nextTurn();
    if (!(await store.isStored(name)))
      throw new HeadgateError(
        storageErrors.E_STORAGE_IO,
        'what was stored of a file was removed before all of it had come; nothing was kept',
      );
  }
}

/** Until the transaction ends no late row of the tenant is committed; statements that come behind this one see those that were. */
export async function holdLateRows(tx: TenantTx): Promise<void> {
  await tx.query(awaitRows, [tx.tenantId]);
}

function namesOf({ container, member, members }: Candidate): string[] {
  const own = [container, member].flatMap((content) => content?.object?.name ?? []);
  return [...own, ...(members ?? []).flatMap(namesOf)];
}
