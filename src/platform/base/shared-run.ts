/**
 * One run for many callers: each is served by a run that began after its call, and those that wait for one share it. For
 * work that covers whatever happened before it began, such as the fsync of a folder.
 */

/** The function rejects for every caller of a run that failed. */
export function createSharedRun(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function begin(): Promise<void> {
    next = null;
    const run = work().finally(() => {
      if (running === run) running = null;
    });
    running = run;
    return run;
  }
  return () => {
    if (running === null) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}
