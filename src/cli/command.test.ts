import { afterEach, expect, it, vi } from 'vitest';
import { outputOptions, runCommand } from './command.ts';

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
