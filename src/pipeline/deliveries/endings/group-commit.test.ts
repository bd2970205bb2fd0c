import { expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

it('what comes while a transaction is under way shares the next one', async () => {
  const groups: string[][] = [];
  const gates: (() => void)[] = [];
  const commit = createGroupCommit<string>(async (_, items) => {
    groups.push([...items]);
    await new Promise<void>((resolve) => gates.push(resolve));
    return [];
  });
  const done = ['a', 'b', 'c', 'd'].map((item) => commit.submit('t', item));
  gates.shift()!();
  await done[0];
  while (gates.length === 0) await Promise.resolve();
  gates.shift()!();
  await Promise.all(done);
  expect(groups).toEqual([['a'], ['b', 'c', 'd']]);
});

it('tenants do not wait for each other', async () => {
  const groups: string[] = [];
  const commit = createGroupCommit<string>(async (tenantId) => {
    groups.push(tenantId);
    if (tenantId === 'slow') await new Promise(() => {});
    return [];
  });
  void commit.submit('slow', 'a');
  await commit.submit('quick', 'b');
  expect(groups).toEqual(['slow', 'quick']);
});

it('one that fails takes no other with it', async () => {
  const written: string[] = [];
  let isFirst = true;
  const commit = createGroupCommit<string>(async (_, items) => {
    if (isFirst) {
      isFirst = false;
      return [];
    }
    if (items.includes('bad')) throw new Error('fenced');
    written.push(...items);
    return [];
  });
  const results = await Promise.allSettled(['first', 'a', 'bad', 'b'].map((item) => commit.submit('t', item)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(written).toEqual(['a', 'b']);
  await commit.submit('t', 'later');
  expect(written).toEqual(['a', 'b', 'later']);
});

it('each item has its own result, also when it was written alone', async () => {
  const commit = createGroupCommit<string, string>(async (_, items) => {
    if (items.length > 1 && items.includes('bad')) throw new Error('fenced');
    return items.map((item) => item.toUpperCase());
  });
  expect(await Promise.all(['a', 'bad', 'b'].map((item) => commit.submit('t', item)))).toEqual(['A', 'BAD', 'B']);
});

it('one that fails among many costs the others a few transactions', async () => {
  let transactions = 0;
  let isFirst = true;
  const commit = createGroupCommit<number>(async (_, items) => {
    transactions += 1;
    if (isFirst) isFirst = false;
    else if (items.includes(100)) throw new Error('fenced');
    return [];
  });
  const results = await Promise.allSettled(Array.from({ length: 257 }, (_, item) => commit.submit('t', item)));
  expect(results.flatMap(({ status }, item) => (status === 'rejected' ? [item] : []))).toEqual([100]);
  // One alone, then all of the others, and two for each time that they are halved.
  expect(transactions).toBe(1 + 1 + 2 * 8);
});

it('after an error that is final nothing is written again, and what comes later is', async () => {
  const groups: string[][] = [];
  const lost = new Error('the answer to COMMIT was lost');
  const commit = createGroupCommit<string>(
    async (_, items) => {
      groups.push([...items]);
      if (items.includes('b')) throw lost;
      return [];
    },
    (error) => error === lost,
  );
  const results = await Promise.allSettled(['a', 'b', 'c'].map((item) => commit.submit('t', item)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  await commit.submit('t', 'd');
  expect(groups).toEqual([['a'], ['b', 'c'], ['d']]);
});
