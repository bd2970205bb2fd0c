import { expect, it } from 'vitest';
import { createSharedRun } from './shared-run.ts';

function steps(options?: { readonly atOnce: number }) {
  const runs: PromiseWithResolvers<void>[] = [];
  const call = createSharedRun(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  }, options);
  return { runs, call };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('callers that come during a run share the next one, and are not served by the one that began before them', async () => {
  const { runs, call } = steps();
  const ended: string[] = [];
  const as = (name: string) => call().then(() => ended.push(name));
  void as('first');
  void as('second');
  void as('third');
  await settled();
  expect(runs).toHaveLength(1);
  runs[0]!.resolve();
  await settled();
  expect(ended).toEqual(['first']);
  expect(runs).toHaveLength(2);
  runs[1]!.resolve();
  await settled();
  expect(ended).toEqual(['first', 'second', 'third']);
  void as('fourth');
  expect(runs).toHaveLength(3);
});

it('a run that fails fails for those that it served only', async () => {
  const { runs, call } = steps();
  const first = call();
  const second = call();
  runs[0]!.reject(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await settled();
  runs[1]!.resolve();
  await expect(second).resolves.toBeUndefined();
});

it('of several runs at once, the next begins when any of them ends, for all that wait', async () => {
  const { runs, call } = steps({ atOnce: 2 });
  const ended: string[] = [];
  for (const name of ['first', 'second', 'third', 'fourth']) void call().then(() => ended.push(name));
  await settled();
  expect(runs).toHaveLength(2);
  runs[1]!.resolve();
  await settled();
  expect(ended).toEqual(['second']);
  expect(runs).toHaveLength(3);
  runs[2]!.resolve();
  await settled();
  expect(ended).toEqual(['second', 'third', 'fourth']);
});
