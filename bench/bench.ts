/**
 * `npm run bench`: measures the product against its peers in one run on one machine, verifies that outputs are equal, prints
 * ratios first, and writes bench/results.json. `--quick` checks that it works with little data; it never judges a time.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../src/cli/terminal-text.ts';
import { findProgram } from '../test/support/debian-programs.ts';
import type { BenchContext } from './bench-context.ts';
import type { BenchRun } from './comparison.ts';
import { type BenchDocument, mergeRuns, mergeVersions } from './results.ts';

const root = resolve(import.meta.dirname, '..');
type Level = (context: BenchContext) => Promise<BenchRun[]>;

/** `delivery` is quick only where it is named: it starts a server for each connector, which have tests of their own. */
const levels: Readonly<Record<string, () => Promise<Level>>> = {
  kernel: async () => (await import('./kernel-level.ts')).runKernelLevel,
  copy: async () => (await import('./copy-level.ts')).runCopyLevel,
  bookkeeping: async () => (await import('./bookkeeping-level.ts')).runBookkeepingLevel,
  platform: async () => (await import('./platform-level.ts')).runPlatformLevel,
  'small-files': async () => (await import('./small-files-level.ts')).runSmallFilesLevel,
  telemetry: async () => (await import('./telemetry-level.ts')).runTelemetryLevel,
  queue: async () => (await import('./queue-level.ts')).runQueueLevel,
  start: async () => (await import('./start-level.ts')).runStartLevel,
  growth: async () => (await import('./growth-level.ts')).runGrowthLevel,
  formats: async () => (await import('./formats-level.ts')).runFormatsLevel,
  miller: async () => (await import('./formats-level.ts')).runMillerLevel,
  'format-growth': async () => (await import('./formats/growing-files.ts')).runFormatGrowthLevel,
  delivery: async () => (await import('./delivery-level.ts')).runDeliveryLevel,
  memory: async () => (await import('./memory-level.ts')).runMemoryLevel,
};

async function main(): Promise<number> {
  const values = readOptions();
  if (values === null || values.help) {
    (values === null ? process.stderr : process.stdout).write(
      `usage: npm run bench -- [--quick] [--json] [--level NAME …]\nlevels: ${Object.keys(levels).join(', ')}\n`,
    );
    return values === null ? 2 : 0;
  }
  const unknown = (values.level ?? []).find((name) => !Object.hasOwn(levels, name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no level ${unknown}; levels: ${Object.keys(levels).join(', ')}\n`);
    return 2;
  }
  installPeers();
  const folder = mkdtempSync(join(process.env.HEADGATE_BENCH_FOLDER ?? tmpdir(), 'headgate-bench-'));
  endServersWithUs(folder);
  const context: BenchContext = {
    root,
    node: process.execPath,
    folder,
    isQuick: values.quick ?? false,
    progress: (message) => void process.stderr.write(`bench: ${message} …\n`),
  };
  if (!existsSync(join(root, 'node_modules/.cache/headgate-bundle/current')))
    context.progress('the product runs from its sources, slower and larger: npm run bench makes the bundle first');
  try {
    const runs: BenchRun[] = [];
    const names = values.level ?? Object.keys(levels).filter((name) => !(context.isQuick && name === 'delivery'));
    for (const name of names) runs.push(...(await (await levels[name]())(context)));
    const document = { machine: describeMachine(), versions: describeVersions(), quick: context.isQuick, runs };
    if (!context.isQuick) writeResults(document, names);
    process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : print(runs, context.isQuick));
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Null after saying what is wrong with them. */
function readOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        level: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return null;
  }
}

/** A bench that is interrupted leaves no PostgreSQL behind; the served processes end by themselves. */
function endServersWithUs(folder: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  process.once('exit', () => {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const lock = join(folder, name, 'postgres/postmaster.pid');
      if (existsSync(lock)) process.kill(Number.parseInt(readFileSync(lock, 'utf8'), 10), 'SIGINT');
    }
  });
}

/** Levels that were not run keep what was measured before, with the same Node only; of another machine, with its name. */
function writeResults(document: BenchDocument, names: readonly string[]): void {
  const path = join(root, 'bench/results.json');
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as BenchDocument) : undefined;
  const runs = mergeRuns(before, document, names, Object.keys(levels));
  writeFileSync(path, `${JSON.stringify({ ...document, versions: mergeVersions(before, document), runs }, null, 2)}\n`);
}

/** The peers are no part of the product: they are installed here, when the bench runs, and nowhere else. */
function installPeers(): void {
  const folder = join(root, 'bench/peers');
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return;
  process.stderr.write('bench: installing the peers, once …\n');
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) throw new Error('npm ci in bench/peers failed');
}

function print(runs: readonly BenchRun[], isQuick: boolean): string {
  const rows = runs.map((run) => [
    run.level,
    run.case,
    run.against,
    run.pairs === 0 ? '' : `${run.ratio.toFixed(2)}x`,
    run.pairs === 0 ? '' : `${run.spread[0].toFixed(2)}–${run.spread[1].toFixed(2)}`,
    run.bar,
    isQuick && run.pairs > 0 ? 'not judged' : String(run.met),
    secondsText(run.ours.seconds),
    secondsText(run.theirs.seconds),
    Math.round(run.ours.perSecond).toString(),
    (run.ours.rssBytes / 2 ** 20).toFixed(0),
    (run.theirs.rssBytes / 2 ** 20).toFixed(0),
  ]);
  return table(['level', 'case', 'against', 'ratio', '95%', 'bar', 'met', 'ours s', 'theirs s', 'ours/s', 'ours MiB', 'theirs MiB'], rows);
}

/** A millisecond is fine enough for runs; what a record takes is less. */
function secondsText(seconds: number): string {
  return seconds > 0 && seconds < 0.01 ? seconds.toPrecision(3) : seconds.toFixed(3);
}

function describeMachine() {
  return { cores: cpus().length, model: cpus()[0]?.model ?? '', arch: arch(), kernel: release(), memoryBytes: totalmem() };
}

function describeVersions(): BenchDocument['versions'] {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'bench/peers/package.json'), 'utf8'));
  const { version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const versions = { headgate: version, node: process.version, ...dependencies, saxes: devDependencies.saxes };
  const miller = findProgram('miller');
  if (miller === null) return versions;
  const said = spawnSync(miller.path, ['--version'], { encoding: 'utf8', env: { ...process.env, ...miller.env } });
  return { ...versions, miller: said.stdout.trim().replace(/^mlr /, '') };
}

process.exitCode = await main();
