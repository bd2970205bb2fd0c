import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

it.each([
  ['dataDri', ['dataDir', 'port'], 'dataDir', 'two letters have changed places'],
  ['prot', ['dataDir', 'port'], 'port', 'as many of a short name'],
  ['requird', ['required', 'unique'], 'required', 'a letter is missing'],
  ['AMOUNT', ['amount'], 'amount', 'letters are of another case'],
  ['HEADGATE_DATA_DIRS', ['HEADGATE_DATA_DIR', 'HEADGATE_PORT'], 'HEADGATE_DATA_DIR', 'a letter is too many'],
  ['amuont1', ['amount2', 'amount'], 'amount2', 'it is the first of two that are as near'],
  ['abcd', ['ab', 'abcde'], 'abcde', 'it is the nearest, not the first'],
  ['to', ['tp', 'from'], 'tp', 'one of two letters is another'],
])('%s, of %j, is meant to be %s: %s', (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});

it.each([
  ['somethingElse', ['dataDir', 'port'], 'nothing is like it'],
  ['HEADGATE_SFTP_PORT', ['HEADGATE_HTTP_PORTS', 'HEADGATE_DATA_DIR'], 'a long name in common does not make three edits fewer'],
  ['port', ['pact'], 'two edits of four letters are too many'],
  ['x', ['y'], 'nothing of it is left'],
  ['', ['a'], 'there is no name'],
  ['port', [], 'there is nothing to choose from'],
])('for %s, of %j, nothing is suggested: %s', (name, known) => {
  expect(nearestName(name, known)).toBeNull();
});

it('a name without end is compared by its beginning', () => {
  expect(nearestName('x'.repeat(10_000_000), ['port'])).toBeNull();
});
