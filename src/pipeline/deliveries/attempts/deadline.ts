/** A signal that fires after a time or with another signal, without a timer left behind. */
import type { Sleep } from '../../../platform/base/ports.ts';

export async function withDeadline<T>(
  sleep: Sleep,
  timeoutMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const finished = new AbortController();
  const abort = () => deadline.abort();
  parent.addEventListener('abort', abort, { once: true });
  if (parent.aborted) abort();
  void sleep.sleep(timeoutMs, finished.signal).then(() => {
    if (!finished.signal.aborted) deadline.abort();
  });
  try {
    return await work(deadline.signal);
  } finally {
    finished.abort();
    parent.removeEventListener('abort', abort);
  }
}
