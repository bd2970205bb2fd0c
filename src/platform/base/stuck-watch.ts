/** For libraries that wait for themselves for ever over some input: what moves nothing for so long is given up. */
import type { Sleep } from './ports.ts';

export const stuckMsDefault = 20_000;

export interface StuckWatch {
  /** Rejects with `failure` where nothing has moved for as long while the work is waited for. */
  unlessStuck<T>(work: Promise<T>): Promise<T>;
}

export interface StuckWatchOptions {
  readonly sleep: Sleep;
  readonly stuckMs: number | undefined;
  /** Pieces taken in and handed on so far. */
  readonly moves: () => number;
  /** Others have the word: how long they take says nothing. */
  readonly isElsewhere: () => boolean;
  readonly failure: () => Error;
}

export function createStuckWatch({ sleep, stuckMs = stuckMsDefault, moves, isElsewhere, failure }: StuckWatchOptions): StuckWatch {
  return {
    async unlessStuck(work) {
      const over = new AbortController();
      const watch = async (): Promise<never> => {
        for (let seen = -1; seen !== moves() || isElsewhere(); ) {
          seen = moves();
          await sleep.sleep(stuckMs, over.signal);
          over.signal.throwIfAborted();
        }
        throw failure();
      };
      const watching = watch();
      watching.catch(() => undefined);
      try {
        return await Promise.race([work, watching]);
      } finally {
        over.abort();
      }
    },
  };
}
