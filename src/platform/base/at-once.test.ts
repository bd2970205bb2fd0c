import { expect, it } from 'vitest';
import { createSlots, forEachAtOnce } from './at-once.ts';

/** Work that ends when it is told, and how many of it ran at the same time at most. */
function watched() {
  let running = 0;
  const seen = { most: 0 };
  const work = async (): Promise<void> => {
    seen.most = Math.max(seen.most, ++running);
    await Promise.resolve();
    await Promise.resolve();
    running -= 1;
  };
  return { seen, work };
}

it('slots let so many through at once, all in the end, also after failures', async () => {
  const slots = createSlots(3);
  const { seen, work } = watched();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      slots(async () => {
        await work();
        if (index % 2 === 0) throw new Error('planted');
      }),
    ),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  expect(seen.most).toBe(3);
});

it('all items are worked through, so many at once', async () => {
  const { seen, work } = watched();
  const done: number[] = [];
  await forEachAtOnce([5, 6, 7, 8, 9], 2, async (item, index) => {
    await work();
    done.push(item * 10 + index);
  });
  expect(done.sort()).toEqual([50, 61, 72, 83, 94]);
  expect(seen.most).toBe(2);
});

it('after a failure nothing more is begun, and what runs is waited for', async () => {
  const begun: number[] = [];
  let ended = 0;
  const failing = forEachAtOnce([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    await Promise.resolve();
    if (item === 1) throw new Error('planted');
    await Promise.resolve();
    ended += 1;
  });
  await expect(failing).rejects.toThrow('planted');
  expect(begun.length).toBeLessThan(6);
  expect(ended).toBe(begun.length - 1);
});
