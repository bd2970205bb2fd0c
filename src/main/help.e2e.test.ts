import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from './commands.ts';

test('help has a line for each command, which says what it is for', () => {
  const { status, stdout, stderr } = spawnSync(join(import.meta.dirname, '../../bin/headgate'), ['--help'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n').filter((line) => line.startsWith('  '));
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(Object.keys(commands));
  for (const line of lines) expect(line).toMatch(/^ {2}[a-z-]+ {2,}[A-Z].{10,100}\.$/);
});

test('a command that is nearly one is told which one', () => {
  const stderrOf = (name: string) => spawnSync(join(import.meta.dirname, '../../bin/headgate'), [name], { encoding: 'utf8' }).stderr;
  expect(stderrOf('deadletter')).toBe('error E_USAGE: there is no command "deadletter"; did you mean dead-letter?\ntry: headgate --help\n');
  expect(stderrOf('xyz')).toBe('error E_USAGE: there is no command "xyz"\ntry: headgate --help\n');
});

test('the version is told to whoever asks for it as of other programs', () => {
  const stdoutOf = (name: string) => spawnSync(join(import.meta.dirname, '../../bin/headgate'), [name], { encoding: 'utf8' }).stdout;
  expect(stdoutOf('--version')).toMatch(/^headgate\t\d/);
  expect(stdoutOf('--version')).toBe(stdoutOf('version'));
});

test('a command collects its memory before it ends, so that nothing in the background waits for a collection meanwhile', () => {
  const traced = spawnSync('sh', ['-x', join(import.meta.dirname, '../../bin/headgate'), 'version'], { encoding: 'utf8' });
  const [, node, ...line] = /^\+ exec (.*)$/m.exec(traced.stderr)![0].slice('+ '.length).split(' ');
  const { status, stdout } = spawnSync(node!, ['--trace-gc', ...line], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout.trim().split('\n').at(-1)).toMatch(/Mark-Compact/);
});
