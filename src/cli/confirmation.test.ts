import { PassThrough } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { confirm, confirmPlan } from './confirmation.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const plan = { jobId: 'J1', records: { read: 2 }, targets: [{ id: 'payout', delivered: 0 }] };

it.each([
  [
    true,
    'job reject J1:\n  jobId         J1\n  records.read  2\n  targets\n    id      delivered\n    ──────  ─────────\n    payout          0\n',
  ],
  [false, `job reject J1:\n${JSON.stringify(plan, null, 2).replaceAll('\n', '\n  ')}\n`],
])('a plan that waits for a yes is shown as things are on a terminal, and as JSON elsewhere: %s', async (isTty, shown) => {
  vi.stubEnv('NO_COLOR', '1');
  const stdinTty = Object.getOwnPropertyDescriptor(process.stdin, 'isTTY');
  const stderrTty = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stdin, 'isTTY', { value: false, configurable: true });
  Object.defineProperty(process.stderr, 'isTTY', { value: isTty, configurable: true });
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await expect(confirmPlan({ positionals: [], options: {} }, 'job reject J1', plan)).rejects.toMatchObject({ code: 'E_CONFIRM' });
    expect(write.mock.calls.join('')).toBe(shown);
  } finally {
    Object.defineProperty(process.stdin, 'isTTY', stdinTty ?? { value: undefined, configurable: true });
    Object.defineProperty(process.stderr, 'isTTY', stderrTty ?? { value: undefined, configurable: true });
  }
});

it.each([
  ['Ctrl-C', '\u0003', false],
  ['Ctrl-D', '\u0004', false],
  ['n', 'n\r', false],
  ['y', 'y\r', true],
])('%s at the question is an answer: %j confirms: %s', async (_name, typed, isConfirmed) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as never);
  const stderrTty = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const asked = confirm({ positionals: [], options: {} }, 'job reject J1');
    stdin.write(typed);
    if (isConfirmed) await asked;
    else await expect(asked).rejects.toMatchObject({ code: 'E_CONFIRM', message: 'job reject J1 was not confirmed' });
  } finally {
    Object.defineProperty(process.stderr, 'isTTY', stderrTty ?? { value: undefined, configurable: true });
  }
});
