/**
 * A tenant's transaction whose outcome is certain when it returns: passing failures are tried again, and a COMMIT without an
 * answer is looked up. What stays unknown is thrown, and the lease decides: the work is found again where it was left.
 */
import type { Ports } from '../../platform/base/ports.ts';
import { resolveCommit } from '../../platform/postgres/commit-outcome.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { CommitUnknownError } from '../../platform/postgres/postgres-errors.ts';
import { retryTransient } from '../../platform/postgres/transient-retry.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';

/** `work` may run several times; only one of them is committed. Its answer is lost with the answer to COMMIT, so it has none. */
export async function commitForCertain(
  scope: { readonly db: Db; readonly ports: Pick<Ports, 'clock' | 'rng' | 'sleep'> },
  tenantId: string,
  work: (tx: TenantTx) => Promise<void>,
): Promise<void> {
  const { db, ports } = scope;
  for (let attempt = 1; ; attempt++) {
    try {
      await retryTransient(() => withTenant(db, tenantId, work), { ports, attemptsMax: 8 });
      return;
    } catch (error) {
      if (!(error instanceof CommitUnknownError)) throw error;
      // What could not be asked stays open: a failure of the question says nothing of what was done.
      const outcome = await resolveCommit(db, error.xid, { ports }).catch(() => 'unknown' as const);
      if (outcome === 'committed') return;
      if (outcome === 'unknown' || attempt === 3) throw error;
    }
  }
}
