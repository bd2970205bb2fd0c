import { expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

it('what comes while a transaction is under way shares the next one', async () => {
  const groups: string[][] = [];
  const gates: (() => void)[] = [];
  const commit = createGroupCommit<string>(async (_, items) => {
    groups.push([...items]);
    await new Promise<void>((resolve) => gates.push(resolve));
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
      return;
    }
    if (items.includes('bad')) throw new Error('fenced');
    written.push(...items);
  });
  const results = await Promise.allSettled(['first', 'a', 'bad', 'b'].map((item) => commit.submit('t', item)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(written).toEqual(['a', 'b']);
  await commit.submit('t', 'later');
  expect(written).toEqual(['a', 'b', 'later']);
});
