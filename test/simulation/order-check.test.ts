import { describe, expect, it } from 'vitest';
import { findOutOfOrder } from './order-check.ts';

/** File 2 was begun before file 1 was acknowledged, file 3 after both. */
const knowledge = {
  keys: new Map(
    Object.entries({ 'T000001-0000': 'A', 'T000001-0001': 'A', 'T000002-0000': 'A', 'T000003-0000': 'A', 'T000003-0001': 'B' }),
  ),
  begunAt: new Map([
    [1, 0],
    [2, 1],
    [3, 4],
  ]),
  ackedAt: new Map([
    [1, 2],
    [2, 3],
    [3, 5],
  ]),
};

describe('the order of a key', () => {
  it.each<[string, string[], string[]]>([
    ['as sent', ['T000001-0000', 'T000001-0001', 'T000002-0000', 'T000003-0000'], []],
    ['of files that were sent at once, either way', ['T000002-0000', 'T000001-0000', 'T000001-0001', 'T000003-0000'], []],
    ['with files that were sent at once in turns', ['T000001-0000', 'T000002-0000', 'T000001-0001'], []],
    ['with repeats of what came before', ['T000001-0000', 'T000001-0001', 'T000001-0000', 'T000003-0000', 'T000001-0001'], []],
    ['turned round within a file', ['T000001-0001', 'T000001-0000'], ['T000001-0000']],
    ['turned round between files', ['T000003-0000', 'T000002-0000', 'T000001-0000'], ['T000002-0000', 'T000001-0000']],
    ['of another key', ['T000003-0001', 'T000001-0000'], []],
    ['with a record of no known file', ['T000009-0000', 'T000001-0000'], []],
  ])('%s', (_, ids, found) => {
    expect(findOutOfOrder(ids, 'key', knowledge)).toEqual(found);
  });
});

describe('the order of files', () => {
  it.each<[string, string[], string[]]>([
    ['as sent', ['T000001-0000', 'T000001-0001', 'T000002-0000', 'T000003-0000', 'T000003-0001'], []],
    ['of files that were sent at once, either way', ['T000002-0000', 'T000001-0000', 'T000001-0001', 'T000003-0000'], []],
    ['with repeats of what came before', ['T000001-0000', 'T000001-0001', 'T000001-0000', 'T000003-0000', 'T000001-0001'], []],
    ['with one file in between another', ['T000001-0000', 'T000002-0000', 'T000001-0001'], ['T000001-0001']],
    ['with two records of a file swapped, whatever their keys', ['T000003-0001', 'T000003-0000'], ['T000003-0000']],
    ['with two files swapped, whatever their keys', ['T000003-0001', 'T000001-0000'], ['T000001-0000']],
    ['with a record of no known file', ['T000009-0000', 'T000001-0000'], []],
  ])('%s', (_, ids, found) => {
    expect(findOutOfOrder(ids, 'file', knowledge)).toEqual(found);
  });
});
