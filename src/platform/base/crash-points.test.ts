import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { crashPointsOf, noCrashPoints } from './crash-points.ts';

const module = new URL('./crash-points.ts', import.meta.url).href;
const script = `import { crashPointsOf } from ${JSON.stringify(module)};
const points = crashPointsOf(process.env);
for (const name of ['a.one', 'a.two', 'a.one', 'a.one']) { points.reach(name); process.stdout.write(name + ' '); }`;

function run(at: string) {
  const env = { ...process.env, HEADGATE_TEST_CRASH_AT: at };
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
}

it.each([
  ['a.two', 'a.one '],
  ['a.one:3', 'a.one a.two a.one '],
])('a process that is to end at %s is killed there', (at, before) => {
  const { signal, stdout } = run(at);
  expect(signal).toBe('SIGKILL');
  expect(stdout).toBe(before);
});

it.each(['a.three', 'a.one:9'])('a process that never reaches %s goes on', (at) => {
  expect(run(at)).toMatchObject({ status: 0, stdout: 'a.one a.two a.one a.one ' });
});

it('a process that is to stop at a point stops there and goes on when it is woken', async () => {
  const env = { ...process.env, HEADGATE_TEST_STOP_AT: 'a.two' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let written = '';
  child.stdout.on('data', (piece: Buffer) => (written += piece.toString()));
  await vi.waitFor(() => expect(readFileSync(`/proc/${child.pid}/stat`, 'utf8')).toMatch(/\) T /), 60_000);
  child.kill('SIGCONT');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(written).toBe('a.one a.two a.one a.one ');
});

it('without the variable nothing is reached', () => {
  expect(crashPointsOf({})).toBe(noCrashPoints);
});
