// Runs a verb of this project on the pinned Node. It installs the dependencies when they are missing or the lock file
// has changed, so that `npm run demo` and `npm test` work on a machine that has only Node >= 20 and npm.
// It has no dependencies of its own, and writes nothing to stdout: that belongs to the verb.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const stampPath = join(root, 'node_modules', '.headgate-installed');
const nodePath = join(root, 'node_modules', 'node', 'bin', 'node');

const verbs = {
  demo: ['src/main/headgate.ts', 'demo'],
  headgate: ['src/main/headgate.ts'],
  check: ['scripts/check.ts'],
  test: ['scripts/test.ts'],
  soak: ['test/simulation/soak.ts'],
  bench: ['bench/bench.ts'],
  golden: ['scripts/golden.ts'],
  format: ['scripts/format.ts'],
};

function lockHash() {
  return createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
}

function isInstalled() {
  return existsSync(nodePath) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockHash();
}

function install() {
  process.stderr.write('headgate: installing dependencies (npm ci), once …\n');
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    process.stderr.write('headgate: npm ci failed; the lines above say why. try: npm ci\n');
    process.exit(1);
  }
  writeFileSync(stampPath, lockHash());
}

const [verb, ...args] = process.argv.slice(2);
const command = verbs[verb];
if (!command) {
  process.stderr.write(`headgate: unknown verb ${verb}. try: ${Object.keys(verbs).join(', ')}\n`);
  process.exit(2);
}
if (!isInstalled()) install();

const [file, ...fixed] = command;
const child = spawn(nodePath, ['--disable-warning=ExperimentalWarning', join(root, file), ...fixed, ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`headgate: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
