import { expect, it } from 'vitest';
import { mergeAlike } from './alike-messages.ts';

const missing = (name: string, suffix = '') => `the header row has no column ${JSON.stringify(name)}${suffix}`;

it('messages that differ in a name alone become one with all the names', () => {
  const delimiter = ': it has no delimiter ",", but ";"';
  expect(mergeAlike(['a', 'b "c', 'd'].map((name) => missing(name, delimiter)))).toEqual([
    `the header row has no column "a", "b \\"c", "d"${delimiter}`,
  ]);
});

it('others stay as they are, in their order', () => {
  const others = ['totals differ', missing('a'), missing('b', ': and more'), 'the column "a" comes twice', '$& of "$1"'];
  expect(mergeAlike(others)).toEqual(others);
});
