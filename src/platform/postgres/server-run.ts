/**
 * Names transactions so that one can be asked about later. After a crash PostgreSQL gives numbers again whose transactions
 * had not reached the disk, so the number alone may mean another transaction: with it goes the run of the server between two
 * crash recoveries.
 */

/**
 * SQL for the run of the server: the start of the server, and when its statistics began, which it throws away at every
 * recovery, also at one in which only its child processes were started anew.
 */
export const serverRun = "pg_postmaster_start_time()::text || ' ' || coalesce((select stats_reset::text from pg_stat_wal), '')";

/** Opaque to everybody but `resolveCommit`. */
export function transactionName(number: string, run: string): string {
  return `${number}/${run}`;
}

export function parseTransactionName(name: string): { readonly number: string; readonly run: string } {
  const slash = name.indexOf('/');
  return { number: name.slice(0, slash), run: name.slice(slash + 1) };
}
