import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/.cache/headgate-bundle');
const program = join(folder, 'headgate.mjs');

beforeAll(() => {
  const made = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts/bundle.ts')], {
    encoding: 'utf8',
  });
  expect([made.status, made.stderr]).toEqual([0, '']);
});

/** The file that `bin/headgate` gives to Node, and what came of it. */
function runTraced() {
  const { stdout, stderr, status } = spawnSync('sh', ['-x', join(root, 'bin/headgate'), 'version', '--json'], { encoding: 'utf8' });
  return { started: /^\+ exec .* (\S+) version/m.exec(stderr)![1], status, version: JSON.parse(stdout) };
}

it('is what bin/headgate runs while it is no older than the sources, else those are run; both say the same', () => {
  const made = runTraced();
  expect(made).toMatchObject({ started: program, status: 0 });
  const { atime, mtime } = statSync(program);
  utimesSync(program, atime, new Date(0));
  try {
    expect(runTraced()).toEqual({ ...made, started: join(root, 'src/main/headgate.ts') });
  } finally {
    utimesSync(program, atime, mtime);
  }
});

it('holds every file that it starts a thread or a process with', () => {
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const started = texts.flatMap((text) => [...text.matchAll(/new URL\("\.\/([\w.-]+)", import\.meta\.url\)/g)].map(([, name]) => name!));
  expect([...new Set(started)].sort()).toEqual([
    'catalogue.mjs',
    'chunk-thread.mjs',
    'engine-thread.mjs',
    'intake-thread-entry.mjs',
    'poison-child.mjs',
  ]);
  for (const name of started) expect(existsSync(join(folder, name)), name).toBe(true);
});
