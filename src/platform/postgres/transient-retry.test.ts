import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeadgateError } from '../base/errors.ts';
import './postgres-errors.ts';
import { retryTransient } from './transient-retry.ts';

function recordingPorts(fraction: number) {
  const waitsMs: number[] = [];
  return {
    waitsMs,
    ports: {
      rng: { bytes: (length: number) => new Uint8Array(length), fraction: () => fraction },
      sleep: { sleep: async (ms: number) => void waitsMs.push(ms) },
    },
  };
}

const passing = () => new HeadgateError('E_DATABASE_CONFLICT', 'lost a race');

it('a passing failure is tried again until it works', async () => {
  const { ports, waitsMs } = recordingPorts(1);
  const result = await retryTransient(async (attempt) => (attempt < 3 ? Promise.reject(passing()) : attempt), { ports, firstDelayMs: 10 });
  expect(result).toBe(3);
  expect(waitsMs).toEqual([10, 20]);
});

it('the last failure is given after attemptsMax tries', async () => {
  const { ports, waitsMs } = recordingPorts(0.5);
  let tries = 0;
  const work = () => {
    tries += 1;
    return Promise.reject(passing());
  };
  await expect(retryTransient(work, { ports, attemptsMax: 4 })).rejects.toMatchObject({ code: 'E_DATABASE_CONFLICT' });
  expect([tries, waitsMs.length]).toEqual([4, 3]);
});

it.each(['E_COMMIT_UNKNOWN', 'E_DATABASE_DUPLICATE'])('%s is never tried again', async (code) => {
  const { ports, waitsMs } = recordingPorts(0.5);
  await expect(retryTransient(() => Promise.reject(new HeadgateError(code, 'x')), { ports })).rejects.toMatchObject({ code });
  expect(waitsMs).toEqual([]);
});

it('waits are jittered over the whole range and bounded', () => {
  fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 12 }), async (fraction, attemptsMax) => {
      const { ports, waitsMs } = recordingPorts(fraction);
      await retryTransient(() => Promise.reject(passing()), { ports, attemptsMax, firstDelayMs: 25, delayMaxMs: 300 }).catch(() => {});
      for (const [index, waitMs] of waitsMs.entries()) expect(waitMs).toBeCloseTo(fraction * Math.min(300, 25 * 2 ** index));
    }),
  );
});

it('an aborted signal ends the tries', async () => {
  const { ports, waitsMs } = recordingPorts(0.5);
  await expect(retryTransient(() => Promise.reject(passing()), { ports, signal: AbortSignal.abort() })).rejects.toThrow('lost a race');
  expect(waitsMs).toEqual([]);
});
