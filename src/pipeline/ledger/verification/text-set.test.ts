import { expect, it } from 'vitest';
import { TextSet } from './text-set.ts';

it('texts are found in whichever of its sets they are, each in one of them', () => {
  const set = new TextSet(2);
  const texts = ['a', 'b', 'c', 'd', 'e'];
  for (const text of [...texts, ...texts]) set.add(text);
  expect(texts.map((text) => set.has(text))).toEqual(texts.map(() => true));
  expect(['', 'f', 'ab'].map((text) => set.has(text))).toEqual([false, false, false]);
});

it('it takes more than one JavaScript set can hold', () => {
  const set = new TextSet(1_000);
  for (let at = 0; at < 10_500; at++) set.add(`${at}`);
  expect([set.has('0'), set.has('10499'), set.has('10500')]).toEqual([true, true, false]);
});
