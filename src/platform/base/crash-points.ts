/**
 * Named places where a process may be killed or stopped by a test: between two steps whose order matters. In production
 * `reach` does nothing. A soak sets HEADGATE_TEST_CRASH_AT=name or name:n, and the process sends itself SIGKILL at the n-th
 * reach; HEADGATE_TEST_STOP_AT likewise with SIGSTOP, from which only SIGCONT wakes it.
 */
export interface CrashPoints {
  /** Returns, throws (a test that simulates the end of the process), or ends or stops the process. */
  reach(name: string): void;
}

export const noCrashPoints: CrashPoints = { reach: () => {} };

/** From the environment; `noCrashPoints` when the variables are absent. */
export function crashPointsOf(env: Readonly<Record<string, string | undefined>>): CrashPoints {
  const points = [
    pointOf(env['HEADGATE_TEST_CRASH_AT'], () => process.kill(process.pid, 'SIGKILL')),
    pointOf(env['HEADGATE_TEST_STOP_AT'], () => process.kill(process.pid, 'SIGSTOP')),
  ].filter((point) => point !== undefined);
  if (points.length === 0) return noCrashPoints;
  return {
    reach(name) {
      for (const point of points) point(name);
    },
  };
}

function pointOf(setting: string | undefined, act: () => void): ((name: string) => void) | undefined {
  if (!setting) return undefined;
  const [, wanted, count] = /^(.*?)(?::([1-9]\d*))?$/.exec(setting)!;
  let left = Number(count ?? 1);
  return (name) => {
    if (name === wanted && --left === 0) act();
  };
}
