/**
 * Named places where a process may be killed by a test: between two steps whose order matters. In production `reach` does
 * nothing. A soak sets HEADGATE_TEST_CRASH_AT=name or name:n, and the process kills itself with SIGKILL at the n-th reach.
 */
export interface CrashPoints {
  /** Returns, throws (a test that simulates the end of the process), or ends the process. */
  reach(name: string): void;
}

export const noCrashPoints: CrashPoints = { reach: () => {} };

/** From the environment; `noCrashPoints` when the variable is absent. */
export function crashPointsOf(env: Readonly<Record<string, string | undefined>>): CrashPoints {
  const setting = env['HEADGATE_TEST_CRASH_AT'];
  if (!setting) return noCrashPoints;
  const colon = setting.lastIndexOf(':');
  const count = colon < 0 ? Number.NaN : Number(setting.slice(colon + 1));
  const wanted = Number.isInteger(count) && count > 0 ? setting.slice(0, colon) : setting;
  let left = Number.isInteger(count) && count > 0 ? count : 1;
  return {
    reach(name) {
      if (name === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
