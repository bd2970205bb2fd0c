import { afterEach, expect, it, vi } from 'vitest';
import { HeadgateError } from '../platform/base/errors.ts';
import { ApiProblem } from './api-problem.ts';
import { cliErrors } from './cli-errors.ts';
import { argumentsMax, type Command, countOption, exitCodeOf, outputOptions, reportError, runCommand, runVerb } from './command.ts';

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
  [['--json', '-o', 'csv'], 'json and csv'],
  [['-o', 'yaml', '--output=ndjson'], 'yaml and ndjson'],
])('a command that is asked for two outputs does nothing: %j', async (argv, both) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let runs = 0;
  const command = { usage: 'headgate thing make', summary: 'Makes it.', options: outputOptions, run: async () => ++runs - 1 };
  expect(await runCommand(command, argv)).toBe(2);
  expect(write.mock.calls.join()).toContain(`E_USAGE: one output is written, not ${both} `);
  expect([runs, await runCommand(command, ['--json', '-o', 'json']), runs]).toEqual([0, 0, 1]);
});

it('a number outside its bounds is refused with the bounds', () => {
  const line = { positionals: [], options: { limit: '0' } };
  expect(() => countOption(line, 'limit', 50)).toThrow('--limit takes a whole number from 1 to 86400');
});

it.each<[string, Command['options'], number]>([
  ['list [--state STATE] [--limit N] [--json | -o ndjson]', { state: { type: 'string' }, limit: { type: 'string' }, ...outputOptions }, 0],
  ['cancel JOB --reason TEXT [--yes]', { reason: { type: 'string' }, yes: { type: 'boolean' } }, 1],
  ['breaker open|close FLOW TARGET --reason TEXT', { reason: { type: 'string' } }, 3],
  ['resolve BATCH --as delivered|resend', { as: { type: 'string' } }, 1],
  ['repair [ID…] --set FIELD=TEXT…', { set: { type: 'string', multiple: true } }, Number.POSITIVE_INFINITY],
  ['explain FLOW.yaml (--line TEXT | FILE|- --record N)', { line: { type: 'string' }, record: { type: 'string' } }, 2],
])('an argument that a command has no room for is refused before anything is done: %s', async (usage, options, room) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let runs = 0;
  const command = { usage: `headgate thing ${usage}`, summary: 'Does it.', options, run: async () => ++runs - 1 };
  expect(argumentsMax(command)).toBe(room);
  const given = Array.from({ length: Math.min(room, 5) }, (_, at) => `one-${at}`);
  expect([await runCommand(command, given), runs]).toEqual([0, 1]);
  if (room === Number.POSITIVE_INFINITY) return;
  expect([await runCommand(command, [...given, 'surplus']), runs]).toEqual([2, 1]);
  expect(write.mock.calls.join()).toContain('E_USAGE: "surplus" is one argument too many (usage: headgate thing ');
});

it.each([
  ['--grup', 'there is no option --grup; did you mean --group? (usage: headgate thing make)'],
  ['--grup=x', 'there is no option --grup; did you mean --group? (usage: headgate thing make)'],
  ['--elsewhere', 'there is no option --elsewhere (usage: headgate thing make)'],
  ['-x', 'there is no option -x (usage: headgate thing make)'],
])('an option that a command does not have is named, with the nearest one: %s', async (given, said) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const options = { group: { type: 'string' }, reason: { type: 'string' } } as const;
  const command = { usage: 'headgate thing make', summary: 'Makes it.', options, run: async () => 0 };
  expect(await runCommand(command, [given])).toBe(2);
  expect(write.mock.calls.join()).toContain(`error E_USAGE: ${said}`);
});

it('a mistyped verb is told the nearest one', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const verbs = { list: { usage: 'headgate thing list', summary: 'Lists them.', run: async () => 0 } };
  expect(await runVerb('thing', verbs, ['lst'])).toBe(2);
  expect(write.mock.calls.join()).toContain('headgate thing has no verb "lst"; did you mean list?\n');
  expect(await runVerb('thing', verbs, ['remove'])).toBe(2);
  expect(write.mock.calls.at(-1)?.join()).toContain('headgate thing has no verb "remove"\n');
});

it('an option without its value is named, with why', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const options = { group: { type: 'string' }, reason: { type: 'string' } } as const;
  const command = { usage: 'headgate thing make', summary: 'Makes it.', options, run: async () => 0 };
  expect(await runCommand(command, ['--group', '--reason', 'x'])).toBe(2);
  expect(write.mock.calls.join()).toContain('E_USAGE: --group has no value: what follows it begins with a hyphen (usage: ');
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

it('an error says once what its message and its details both say', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const details = [
    { code: 'E_USAGE', path: '--roles', message: '--roles must be any of api, worker' },
    { code: 'E_USAGE', path: '/state', message: 'must be one of open, closed' },
    { code: 'E_USAGE', line: 3, column: 5, path: 'spec', message: 'must be any' },
  ];
  reportError(new HeadgateError(cliErrors.E_USAGE, '--roles must be any of api, worker', { details }));
  expect(write.mock.calls.join()).toMatch(/^error E_USAGE: --roles .*\n {2}\/state: must be one of .*\n {2}3:5: spec: must be any\n/);
});

it.each(['E_REPAIR', 'E_REPAIR_KEY', 'E_REPAIR_TIED', 'E_REPAIR_MASK'])('a repair that is refused is invalid input: %s', (code) => {
  expect(exitCodeOf(new ApiProblem({ code }, 422))).toBe(2);
});
