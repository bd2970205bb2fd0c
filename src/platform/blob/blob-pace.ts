/**
 * Ends the wait for bytes that come too slowly: OpenDAL waits for each piece of an answer, however small, and can't be stopped. So the
 * connections that bring so little are cut, and the wait ends whether OpenDAL notices or not.
 */
import type { Sleep } from '../base/ports.ts';
import { BlobFailure } from './blob-failure.ts';
import type { Admission } from './egress-gate.ts';

const paceMs = 120_000;
const paceBytesMin = 512 * 1024;

/** Fails with a BlobFailure `timeout` where less came from the hosts, for whomever, in any two minutes of the work. */
export async function withPace<T>(
  { admissions, sleep }: { readonly admissions: readonly Admission[]; readonly sleep: Sleep },
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  working.catch(() => {});
  const watching = async (): Promise<T> => {
    for (;;) {
      const counts = admissions.map((admission) => admission.count());
      await sleep.sleep(paceMs / 2, over.signal);
      const countsLate = admissions.map((admission) => admission.count());
      if (!over.signal.aborted) await sleep.sleep(paceMs / 2, over.signal);
      if (over.signal.aborted) return await working;
      if (counts.reduce((sum, count) => sum + count.bytesSince(), 0) >= paceBytesMin) continue;
      for (const count of countsLate) count.cutSlow(paceBytesMin);
      throw new BlobFailure('timeout', `the service gave less than ${paceBytesMin / 1024} KiB in ${paceMs / 1_000} s`);
    }
  };
  return await Promise.race([working, watching()]);
}

/** Of work that looks at it between its steps. */
export function deadline(ms: number, sleep: Sleep | undefined): { readonly isOver: boolean; end(): void } {
  const done = new AbortController();
  let isOver = false;
  void sleep?.sleep(ms, done.signal).then(() => {
    isOver = true;
  });
  return {
    get isOver() {
      return isOver;
    },
    end: () => done.abort(),
  };
}
