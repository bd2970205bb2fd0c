/**
 * The database before it answers. Everything is put together around a Db that refuses each use with E_DATABASE_UNREACHABLE
 * until the real one is there, so that the API can listen and say what the process waits for. What passes by itself is
 * waited for without end; a fault of the configuration ends the start at once.
 */
import { HeadgateError } from '../platform/base/errors.ts';
import type { Rng, Sleep } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { OpenDatabase } from '../platform/postgres/open-database.ts';
import { postgresErrors } from '../platform/postgres/postgres-errors.ts';
import { retryTransient } from '../platform/postgres/transient-retry.ts';

export interface LateDatabase {
  readonly db: Db;
  /** Code of what is waited for; null once the database is there. */
  readonly waitsFor: string | null;
  /**
   * Resolves when `open` did. Rejects at once with an error that does not pass by itself, and with the signal's reason
   * before the next attempt. `onWait` is told of each attempt that failed.
   */
  open(waiting: {
    readonly open: () => Promise<OpenDatabase>;
    readonly signal?: AbortSignal;
    readonly onWait: (error: HeadgateError, attempt: number) => void;
  }): Promise<OpenDatabase>;
}

const firstDelayMs = 200;
const delayMaxMs = 10_000;

export function createLateDatabase(ports: { readonly rng: Rng; readonly sleep: Sleep }): LateDatabase {
  let opened: Db | undefined;
  let waitsFor: string | null = postgresErrors.E_DATABASE_UNREACHABLE;
  const current = (): Db => {
    if (opened === undefined)
      throw new HeadgateError(postgresErrors.E_DATABASE_UNREACHABLE, 'the database was not reached since the start');
    return opened;
  };
  return {
    db: {
      query: async (sql, params) => current().query(sql, params),
      transaction: async (fn, options) => current().transaction(fn, options),
      close: async () => opened?.close(),
    },
    get waitsFor() {
      return waitsFor;
    },
    async open({ open, signal, onWait }) {
      const attempt = async (): Promise<OpenDatabase> => {
        signal?.throwIfAborted();
        return await open();
      };
      const onRetry = (error: HeadgateError, count: number): void => {
        waitsFor = error.code;
        onWait(error, count);
      };
      const database = await retryTransient(attempt, {
        ports,
        attemptsMax: Number.POSITIVE_INFINITY,
        firstDelayMs,
        delayMaxMs,
        signal,
        onRetry,
      });
      opened = database.db;
      waitsFor = null;
      return database;
    },
  };
}
