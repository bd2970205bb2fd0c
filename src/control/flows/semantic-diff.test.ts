import { expect, test } from 'vitest';
import { semanticChanges } from './semantic-diff.ts';

test('rules are compared by their id, whatever their order', () => {
  const before = {
    spec: {
      validate: [
        { id: 'a', assert: 'x' },
        { id: 'b', assert: 'y' },
      ],
    },
  };
  const after = {
    spec: {
      validate: [
        { id: 'b', assert: 'z' },
        { id: 'a', assert: 'x' },
      ],
    },
  };
  expect(semanticChanges(before, after)).toEqual([{ path: 'spec.validate[b].assert', change: 'changed', before: 'y', after: 'z' }]);
});

test('a new document is all additions, an equal one has no changes', () => {
  expect(semanticChanges(null, { spec: { tier: 'gold' } })).toEqual([{ path: 'spec', change: 'added', after: { tier: 'gold' } }]);
  expect(semanticChanges({ spec: { list: [1, 2] } }, { spec: { list: [1, 2] } })).toEqual([]);
  expect(semanticChanges({ spec: { list: [1, 2] } }, { spec: { list: [2, 1] } })).toHaveLength(1);
});
