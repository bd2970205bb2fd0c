/** Within one batch: which records must not go, because an earlier one of their business key was refused. */
import type { OutgoingBatch } from './connector.ts';

export interface KeyOrder {
  refuse(index: number): void;
  isHeldBack(index: number): boolean;
}

/** Where the target keeps no order of keys, nothing is ever held back. Fails when the keys can't be read. */
export async function createKeyOrder({ orderKeys }: Pick<OutgoingBatch, 'orderKeys'>): Promise<KeyOrder> {
  const keys = orderKeys === null ? [] : await orderKeys();
  const first = new Map<string, number>();
  return {
    refuse(index) {
      const key = keys[index] ?? null;
      if (key !== null) first.set(key, Math.min(index, first.get(key) ?? index));
    },
    isHeldBack(index) {
      const key = keys[index] ?? null;
      return key !== null && index > (first.get(key) ?? Number.POSITIVE_INFINITY);
    },
  };
}
