import { afterEach, expect, it, vi } from 'vitest';
import { runCommand } from './command.ts';
import { createErrorCommand } from './error.ts';

afterEach(() => vi.restoreAllMocks());

const command = createErrorCommand(async () => [
  { code: 'E_TARGET_BUSY', meaning: 'It is busy.', actor: 'downstream', next: 'Wait.', retryable: true },
]);

async function run(...argv: string[]) {
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    vi.spyOn(process[stream], 'write').mockImplementation((text: unknown, ...rest: unknown[]) => {
      said[stream] += String(text);
      for (const done of rest) if (typeof done === 'function') done();
      return true;
    });
  return { code: await runCommand(command, argv), ...said };
}

it.each(['E_TARGET_BUSY', 'target_busy'])('%s is explained', async (code) => {
  const { stdout } = await run(code, '--json');
  expect(JSON.parse(stdout)).toEqual({
    code: 'E_TARGET_BUSY',
    meaning: 'It is busy.',
    actor: 'downstream',
    next: 'Wait.',
    retryable: true,
  });
});

it.each([
  ['E_TARGET_BUSSY', '; did you mean E_TARGET_BUSY?'],
  ['BUSY', '; did you mean E_TARGET_BUSY?'],
  ['AMT01', ''],
])('%s is unknown, and the nearest code is named', async (code, hint) => {
  expect(await run(code)).toMatchObject({
    code: 5,
    stdout: '',
    stderr: expect.stringContaining(`error E_NOT_FOUND: the product has no code "${code}"${hint}\n`),
  });
});
