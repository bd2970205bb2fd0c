import { afterEach, expect, it, vi } from 'vitest';
import { confirmPlan } from './confirmation.ts';

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
