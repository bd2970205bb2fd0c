/**
 * Ctrl-C while a command waits for what goes on without it: the wait ends with a word on how to go on watching, instead of
 * with nothing. One Ctrl-C may come twice, from the terminal and from the program that started this one; a later one ends
 * the process at once.
 */
import { endProcess } from '../platform/base/end-process.ts';
import { systemPorts } from '../platform/base/system-ports.ts';

const sameSignalMs = 1_000;

/** As `work` ends, or fails with what `interrupted` makes at the first Ctrl-C, when `work`'s signal is aborted too. */
export async function untilInterrupted<Result>(work: (signal: AbortSignal) => Promise<Result>, interrupted: () => Error): Promise<Result> {
  const { clock } = systemPorts;
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<never>();
  let firstMs: number | null = null;
  const onSignal = () => {
    const nowMs = clock.monotonicMs();
    if (firstMs !== null && nowMs - firstMs > sameSignalMs) endProcess(130);
    firstMs ??= nowMs;
    stopped.reject(interrupted());
    stopping.abort();
  };
  process.on('SIGINT', onSignal);
  try {
    return await Promise.race([work(stopping.signal), stopped.promise]);
  } finally {
    // After an interruption it stays, for the second half of a Ctrl-C that comes twice.
    if (firstMs === null) process.off('SIGINT', onSignal);
  }
}
