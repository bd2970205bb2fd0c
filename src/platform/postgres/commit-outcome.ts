/**
 * Finds out what became of a transaction whose COMMIT got no answer. The server remembers recent transactions
 * (pg_xact_status). "committed" is believed only in the run of the server that the transaction began in: after a crash its
 * number may be another's (server-run.ts). What can't be known, and what still runs at the deadline, stays "unknown".
 */
import { HeadgateError } from '../base/errors.ts';
import type { Clock, Sleep } from '../base/ports.ts';
import type { Queryable } from './database.ts';
import { postgresErrors } from './postgres-errors.ts';
import { parseTransactionName, serverRun } from './server-run.ts';
import { type RetryPorts, retryTransient } from './transient-retry.ts';

export type CommitOutcome = 'committed' | 'aborted' | 'unknown';

export interface ResolveCommitOptions {
  readonly ports: RetryPorts & { readonly clock: Clock; readonly sleep: Sleep };
  /** How long a transaction may go on before the answer is "unknown". */
  readonly timeoutMs?: number;
}

const selectStatus = `/* resolve commit */ select pg_xact_status($1::xid8) as status, ${serverRun} as run`;

/** `xid` is that of the `Tx`, or of the error. After a failover to another timeline the answer may be wrong: prefer looking the work up by key. */
export async function resolveCommit(db: Queryable, xid: string | undefined, options: ResolveCommitOptions): Promise<CommitOutcome> {
  if (xid === undefined) return 'unknown';
  const { clock, sleep } = options.ports;
  const { number, run } = parseTransactionName(xid);
  const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? 10_000);
  for (;;) {
    const answer = await retryTransient(() => askFor(db, number), { ports: options.ports, attemptsMax: 8 });
    const { status } = answer;
    if (status === 'committed') return answer.run === run ? 'committed' : 'unknown';
    if (status === 'aborted') return 'aborted';
    if (status !== 'in progress' || clock.monotonicMs() >= deadlineMs) return 'unknown';
    await sleep.sleep(50);
  }
}

async function askFor(db: Queryable, number: string): Promise<{ readonly status: string | null; readonly run: string }> {
  try {
    return (await db.query<{ status: string | null; run: string }>(selectStatus, [number])).rows[0]!;
  } catch (error) {
    // A number that the server has not given yet: a crash took it back, and with it whatever was done under it.
    if (error instanceof HeadgateError && error.code === postgresErrors.E_DATABASE_VALUE) return { status: 'aborted', run: '' };
    throw error;
  }
}
