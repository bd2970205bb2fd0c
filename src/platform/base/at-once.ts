/** Bounded work at the same time: slots that are given out in the order in which they are asked for. */

export type Slots = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets so many run at once; the others wait. */
export function createSlots(limit: number): Slots {
  let taken = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (taken < limit) taken += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else taken -= 1;
    }
  };
}

/** Works through all items, so many at once. After a failure no further one is begun; rejects with it when those that run have ended. */
export async function forEachAtOnce<T>(items: readonly T[], limit: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let at = 0;
  const failures: unknown[] = [];
  const run = async (): Promise<void> => {
    while (at < items.length && failures.length === 0) {
      const index = at++;
      try {
        await work(items[index]!, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run));
  if (failures.length > 0) throw failures[0];
}
