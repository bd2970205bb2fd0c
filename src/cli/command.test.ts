import { afterEach, expect, it, vi } from 'vitest';
import { HeadgateError } from '../platform/base/errors.ts';
import { ApiProblem } from './api-problem.ts';
import { cliErrors } from './cli-errors.ts';
import { exitCodeOf, outputOptions, reportError, runCommand } from './command.ts';

afterEach(() => vi.restoreAllMocks());

it('a command that is asked for a format that does not exist does nothing', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let runs = 0;
  const command = { usage: 'headgate thing make', summary: 'Makes it.', options: outputOptions, run: async () => ++runs - 1 };
  expect(await runCommand(command, ['-o', 'xml'])).toBe(2);
  expect(runs).toBe(0);
  expect(write.mock.calls.join()).toContain('-o takes json, ndjson, yaml, csv, not "xml"');
  expect(await runCommand(command, ['-o', 'yaml'])).toBe(0);
  expect(runs).toBe(1);
});

it.each([
  ['one of the command line', new HeadgateError(cliErrors.E_USAGE, 'wrong', { next: 'Look.' }), 'try: Look.\n'],
  ['one for somebody else', new HeadgateError(cliErrors.E_TIMEOUT, 'late', { next: 'Look.' }), 'try: Look. (for an operator)\n'],
  [
    'one that the API says whose it is',
    new ApiProblem({ code: 'E_ELSEWHERE', actor: 'administrator', actions: ['Look.'] }, 422),
    'try: Look. (for the administrator)\n',
  ],
])('an error says who can act on it, but not to whoever made it: %s', (_, error, said) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  reportError(error);
  expect(write.mock.calls.join()).toContain(said);
});

it.each(['E_REPAIR', 'E_REPAIR_KEY', 'E_REPAIR_TIED', 'E_REPAIR_MASK'])('a repair that is refused is invalid input: %s', (code) => {
  expect(exitCodeOf(new ApiProblem({ code }, 422))).toBe(2);
});
