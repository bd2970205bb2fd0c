/**
 * One transaction for many: while a tenant's transaction is under way, what comes meanwhile waits and shares the next one.
 * If a shared transaction fails, each half of it is tried, so that one that lost its lease takes no other with it, and costs
 * the others a few transactions and not one each. What may have been written already can be told to be left as it is.
 */

export interface GroupCommit<Item, Result = void> {
  /** Resolves with what was said of the item when it is committed; rejects with what its own transaction failed with. */
  submit(tenantId: string, item: Item): Promise<Result>;
}

/** Items of one transaction. */
const itemsMax = 256;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly done: (result: Result) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * `write` returns a result for each item, in their order, or none where there is nothing to say. All items of a transaction fail
 * with an error that `isFinal`.
 */
export function createGroupCommit<Item, Result = void>(
  write: (tenantId: string, items: readonly Item[]) => Promise<readonly Result[]>,
  isFinal: (error: unknown) => boolean = () => false,
): GroupCommit<Item, Result> {
  const waiting = new Map<string, Waiting<Item, Result>[]>();
  const busy = new Set<string>();

  async function drain(tenantId: string): Promise<void> {
    busy.add(tenantId);
    try {
      for (let queue = waiting.get(tenantId); queue !== undefined && queue.length > 0; )
        await writeGroup(tenantId, queue.splice(0, itemsMax));
    } finally {
      waiting.delete(tenantId);
      busy.delete(tenantId);
    }
  }

  async function writeGroup(tenantId: string, group: readonly Waiting<Item, Result>[]): Promise<void> {
    let results: readonly Result[];
    try {
      results = await write(
        tenantId,
        group.map(({ item }) => item),
      );
    } catch (error) {
      if (group.length === 1 || isFinal(error)) {
        for (const { failed } of group) failed(error);
        return;
      }
      const middle = Math.ceil(group.length / 2);
      await writeGroup(tenantId, group.slice(0, middle));
      await writeGroup(tenantId, group.slice(middle));
      return;
    }
    for (const [index, { done }] of group.entries()) done(results[index]!);
  }

  return {
    submit: (tenantId, item) =>
      new Promise((done, failed) => {
        let queue = waiting.get(tenantId);
        if (queue === undefined) waiting.set(tenantId, (queue = []));
        queue.push({ item, done, failed });
        if (!busy.has(tenantId)) void drain(tenantId);
      }),
  };
}
