import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/.cache/headgate-bundle');

beforeAll(() => {
  const made = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts/bundle.ts')], {
    encoding: 'utf8',
  });
  expect([made.status, made.stderr]).toEqual([0, '']);
});

const current = join(folder, 'current');
const bundle = () => join(folder, readFileSync(current, 'utf8').trim());

/** The file that `bin/headgate` gives to Node, and what came of it. */
function runTraced(path = process.env['PATH']) {
  const { stdout, stderr, status } = spawnSync('sh', ['-x', join(root, 'bin/headgate'), 'version', '--json'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  return { started: /^\+ exec .* (\S+) version/m.exec(stderr)![1], status, version: JSON.parse(stdout) };
}

it('is what bin/headgate runs while no source was changed, else those are run; both say the same', () => {
  const made = runTraced();
  expect(made).toMatchObject({ started: join(bundle(), 'headgate.cjs'), status: 0 });
  const sources = { ...made, started: join(root, 'src/main/headgate.ts') };
  const { atime, mtime } = statSync(current);
  utimesSync(current, atime, new Date(0));
  try {
    expect(runTraced()).toEqual(sources);
  } finally {
    utimesSync(current, atime, mtime);
  }
  // A program that looks for changes and can't say that there are none.
  const tools = mkdtempSync(join(tmpdir(), 'headgate-tools-'));
  onTestFinished(() => rmSync(tools, { recursive: true }));
  writeFileSync(join(tools, 'find'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  expect(runTraced(`${tools}:${process.env['PATH']}`)).toEqual(sources);
});

/** The bundle for this test alone, with nothing kept yet: its folder, and the program in it. */
function ownBundle() {
  const own = join(folder, `test-${process.pid}-${Math.random().toString(36).slice(2)}`);
  // Nor what another process is about to keep under its name.
  cpSync(bundle(), own, { recursive: true, filter: (path) => !/\.(code|wasm)(\.|$)/.test(path) });
  onTestFinished(() => rmSync(own, { recursive: true }));
  const node = join(root, 'node_modules/node/bin/node');
  return { own, program: (...args: string[]) => spawnSync(node, [join(own, 'headgate.cjs'), ...args], { encoding: 'utf8' }) };
}

it('keeps the compiled code of what a command ran, and does without where it is damaged', () => {
  const { own, program } = ownBundle();
  const version = () => program('version', '--json');
  const kept = () => readdirSync(own).filter((name) => name.includes('.code'));
  const first = version();
  expect(first.status).toBe(0);
  expect(kept().length).toBe(1);
  const path = join(own, kept()[0]!);
  const whole = readFileSync(path);
  const damaged = Array.from({ length: 8 }, (_, eighth) => {
    const at = Math.floor((eighth * whole.length) / 8);
    return Buffer.concat([whole.subarray(0, at), Buffer.alloc(64, 0x41), whole.subarray(at + 64)]);
  });
  for (const bytes of [whole.subarray(0, whole.length / 2), Buffer.alloc(0), Buffer.from('no code at all'), ...damaged]) {
    writeFileSync(path, bytes);
    expect(version()).toMatchObject({ status: 0, stdout: first.stdout, stderr: '' });
    expect(Math.abs(statSync(path).size - whole.length)).toBeLessThan(whole.length / 10);
  }
  // Few processes write it: those that come later only read it.
  for (let index = 0; index < 4; index++) version();
  const { mtimeMs } = statSync(path);
  expect(version().status).toBe(0);
  expect(statSync(path).mtimeMs).toBe(mtimeMs);
  expect(kept().length).toBe(1);
});

it('keeps code for so many commands, however many are mistyped', () => {
  const { own, program } = ownBundle();
  for (let index = 0; index < 63; index++) writeFileSync(join(own, `headgate-other${index}-0.code`), '');
  const kept = () => readdirSync(own).filter((name) => name.includes('.code')).length;
  expect([program('versoin').status, kept()]).toEqual([2, 64]);
  expect([program('verzion').status, kept()]).toEqual([2, 64]);
  expect([program('version').status, kept()]).toEqual([0, 64]);
});

it('keeps the kernels of flows, and compiles again what is damaged or another one', () => {
  const { own, program } = ownBundle();
  const outputs = mkdtempSync(join(tmpdir(), 'headgate-kernels-'));
  onTestFinished(() => rmSync(outputs, { recursive: true }));
  const run = (out: string) => {
    const to = join(outputs, out);
    const { status, stderr } = program('run', join(root, 'examples/mainframe.yaml'), join(root, 'examples/mainframe.bin'), '--out', to);
    const files = readdirSync(to).filter((name) => name !== 'receipt.json');
    return { status, stderr, files: files.map((name) => [name, readFileSync(join(to, name), 'latin1')]) };
  };
  const kept = () => readdirSync(own).filter((name) => name.includes('.wasm'));
  const first = run('first');
  const [name] = kept();
  const path = join(own, name!);
  const whole = readFileSync(path);
  expect(run('kept')).toEqual(first);
  expect(kept()).toEqual([name]);
  const bytes = whole.subarray(0, whole.length / 2);
  const ofAnother = Buffer.from(bytes);
  ofAnother[20]! ^= 1;
  for (const damaged of [whole.subarray(0, 100), Buffer.concat([bytes, ofAnother]), Buffer.concat([ofAnother, ofAnother])]) {
    writeFileSync(path, damaged);
    expect(run('again')).toEqual(first);
    expect(readFileSync(path).equals(whole)).toBe(true);
  }
});

it('holds every file that it starts a thread or a process with', () => {
  const texts = readdirSync(bundle())
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(join(bundle(), name), 'utf8'));
  const started = texts.flatMap((text) => [...text.matchAll(/new URL\("\.\/([\w.-]+)", HEADGATE_HERE\)/g)].map(([, name]) => name!));
  // The loader gives parts of the runtime when they are used: there is no default among them.
  expect(texts.filter((text) => /__toESM\(node_/.test(text))).toEqual([]);
  expect([...new Set(started)].sort()).toEqual([
    'catalogue.mjs',
    'chunk-thread.cjs',
    'engine-thread.cjs',
    'hash-thread.cjs',
    'intake-thread-entry.cjs',
    'poison-child.cjs',
  ]);
  for (const name of started) expect(existsSync(join(bundle(), name)), name).toBe(true);
});
