/**
 * Keeps an embedded PostgreSQL alive while this process uses it: looks every so often and starts it again when it has died.
 * Work in hand fails as with any database restart and is retried by its owners.
 */
import type { HeadgateError } from '../base/errors.ts';
import type { Sleep } from '../base/ports.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { isOutOfDescriptors } from './process-identity.ts';

export interface WatchOptions {
  readonly sleep: Sleep;
  readonly intervalMs?: number;
  /** Told of each restart, and of each failed attempt with its error; must not throw. */
  readonly onRestart?: (failure?: HeadgateError) => void;
  /** Told once when there is no file descriptor to look with, so that nobody knows whether it lives; must not throw. */
  readonly onUnseen?: (cause: Error) => void;
}

/** Returns the end of the watch: resolves when the last look is over. */
export function watchEmbedded(embedded: EmbeddedPostgres, options: WatchOptions): () => Promise<void> {
  const ending = new AbortController();
  let isUnseen = false;
  const watching = (async () => {
    while (!ending.signal.aborted) {
      await options.sleep.sleep(options.intervalMs ?? 250, ending.signal);
      if (ending.signal.aborted) return;
      try {
        if (await embedded.revive()) options.onRestart?.();
        isUnseen = false;
      } catch (error) {
        if (!isOutOfDescriptors(error)) options.onRestart?.(error as HeadgateError);
        else if (!isUnseen) options.onUnseen?.(error as Error);
        isUnseen = isOutOfDescriptors(error);
      }
    }
  })();
  return () => {
    ending.abort();
    return watching;
  };
}
