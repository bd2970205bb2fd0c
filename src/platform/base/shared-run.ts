/**
 * Runs for many callers: each is served by a run that began after its call, and those that wait for one share it. For work
 * that covers whatever happened before it began, such as the fsync of a folder.
 */

/** The function rejects for every caller of a run that failed. `atOnce`: runs under way before callers begin to wait. */
export function createSharedRun(work: () => Promise<void>, { atOnce = 1 }: { readonly atOnce?: number } = {}): () => Promise<void> {
  let underWay = 0;
  let next: PromiseWithResolvers<void> | null = null;

  async function run(): Promise<void> {
    underWay += 1;
    try {
      await work();
    } finally {
      underWay -= 1;
      const waited = next;
      next = null;
      if (waited !== null) run().then(waited.resolve, waited.reject);
    }
  }
  return () => {
    if (underWay < atOnce) return run();
    next ??= Promise.withResolvers();
    return next.promise;
  };
}
