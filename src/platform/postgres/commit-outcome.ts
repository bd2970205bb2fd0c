/**
 * Finds out what became of a transaction whose COMMIT got no answer. The server remembers recent transactions
 * (pg_xact_status); what it no longer knows, and what is still running at the deadline, stays "unknown".
 */
import type { Clock, Sleep } from '../base/ports.ts';
import type { Queryable } from './database.ts';
import { type RetryPorts, retryTransient } from './transient-retry.ts';

export type CommitOutcome = 'committed' | 'aborted' | 'unknown';

export interface ResolveCommitOptions {
  readonly ports: RetryPorts & { readonly clock: Clock; readonly sleep: Sleep };
  /** How long a transaction may go on before the answer is "unknown". */
  readonly timeoutMs?: number;
}

const selectTransactionStatus = '/* resolve commit */ select pg_xact_status($1::xid8) as status';

/** Asks on a fresh connection. After a failover to another timeline the answer may be wrong: prefer looking the work up by key. */
export async function resolveCommit(db: Queryable, xid: string | undefined, options: ResolveCommitOptions): Promise<CommitOutcome> {
  if (xid === undefined) return 'unknown';
  const { clock, sleep } = options.ports;
  const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? 10_000);
  for (;;) {
    const result = await retryTransient(() => db.query<{ status: string | null }>(selectTransactionStatus, [xid]), {
      ports: options.ports,
      attemptsMax: 8,
    });
    const status = result.rows[0]?.status ?? null;
    if (status === 'committed' || status === 'aborted') return status;
    if (status !== 'in progress' || clock.monotonicMs() >= deadlineMs) return 'unknown';
    await sleep.sleep(50);
  }
}
