/**
 * Places for what is under way at once: so many in this process, and fewer for one tenant, so that one tenant leaves room for
 * the others. Counts in memory, each process its own.
 */

export interface Places {
  /** Gives the place back, once; undefined when there is none left for the tenant or for all. */
  take(tenantId: string): (() => void) | undefined;
}

export function createPlaces(limits: { readonly tenantMax: number; readonly processMax: number }): Places {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(tenantId) {
      const mine = taken.get(tenantId) ?? 0;
      if (mine >= limits.tenantMax || all >= limits.processMax) return undefined;
      taken.set(tenantId, mine + 1);
      all += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        all -= 1;
        const left = taken.get(tenantId)! - 1;
        if (left === 0) taken.delete(tenantId);
        else taken.set(tenantId, left);
      };
    },
  };
}
