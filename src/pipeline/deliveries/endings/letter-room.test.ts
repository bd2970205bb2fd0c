import { expect, it } from 'vitest';
import { createLetterRoom } from './letter-room.ts';

const work = (workId: string) => ({ kind: 'deliver', referenceId: workId, workId, fence: 1 }) as const;

it('lets in as many letters as there is room for, in order, and one batch that is bigger alone', async () => {
  const room = createLetterRoom(10);
  const entered: string[] = [];
  const of = Object.fromEntries(['a', 'b', 'big', 'c'].map((id) => [id, work(id)]));
  const enter = (id: string, letters: number) => room.enter(of[id]!, letters).then(() => entered.push(id));
  const all = [enter('a', 6), enter('b', 4), enter('big', 50), enter('c', 1)];
  const after = async (id: string) => {
    room.leave(of[id]!);
    await new Promise((resolve) => setImmediate(resolve));
    return [...entered];
  };
  await Promise.all(all.slice(0, 2));
  expect(entered).toEqual(['a', 'b']);
  // Who has room has it once.
  await enter('a', 6);
  expect(await after('a')).toEqual(['a', 'b', 'a']);
  expect(await after('b')).toEqual(['a', 'b', 'a', 'big']);
  // Twice is as good as once, and so is one that never entered.
  expect([await after('b'), await after('c')]).toEqual([
    ['a', 'b', 'a', 'big'],
    ['a', 'b', 'a', 'big'],
  ]);
  expect(await after('big')).toEqual(['a', 'b', 'a', 'big', 'c']);
});

it('lets a few letters in at once, whoever waits and however full it is, and counts them', async () => {
  const room = createLetterRoom(1_000);
  const of = Object.fromEntries(['all', 'waits', 'few'].map((id) => [id, work(id)]));
  await room.enter(of['all']!, 1_000);
  let isIn = false;
  const waits = room.enter(of['waits']!, 995).then(() => (isIn = true));
  await room.enter(of['few']!, 10);
  room.leave(of['all']!);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIn).toBe(false);
  room.leave(of['few']!);
  await waits;
});
