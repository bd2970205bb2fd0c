/**
 * Brings the programs of Debian that tests start and that this machine lacks: root installs their packages, without starting
 * a service; everybody else gets them unpacked into the project. What can't be had is said and fails nothing: its tests are
 * skipped by name, unless HEADGATE_REQUIRE names it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianProgram, debianPrograms, findUnder, unpackedFolder } from '../test/support/debian-programs.ts';
import type { StepResult } from './steps.ts';

/** Fetching may be ended at any time; a package that is being set up is not. */
const fetchMsMax = 120_000;
const installMsMax = 300_000;
const fetchOptions = ['-qq', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15'];
const installOptions = ['install', '-y', '--no-install-recommends'];
const policyFile = '/usr/sbin/policy-rc.d';

/** Never throws, never fails the run. */
export function bringPrograms(): StepResult {
  const startedMs = performance.now();
  const isRoot = process.getuid?.() === 0;
  const brought: string[] = [];
  const absent: string[] = [];
  for (const [name, program] of Object.entries(debianPrograms)) {
    const folder = join(unpackedFolder, name);
    if (findUnder('/', program) ?? findUnder(folder, program)) continue;
    process.stdout.write(`  ${isRoot ? 'installing' : 'fetching'} ${program.package} for the tests\n`);
    const reason = isRoot ? installProgram(program) : unpackProgram(program, folder);
    if (reason === null) brought.push(program.package);
    else absent.push(`${program.package}: ${reason}`);
  }
  const done = brought.length > 0 ? `brought ${brought.join(', ')}` : absent.length > 0 ? 'nothing brought' : 'all here';
  return {
    name: `programs for the tests: ${done}`,
    passed: 0,
    failed: 0,
    skipped: 0,
    absent: absent.map((line) => `can't be had: ${line}`),
    seconds: (performance.now() - startedMs) / 1000,
    output: '',
  };
}

/** Answers why it could not be installed, or null. Only root can. */
function installProgram(program: DebianProgram): string | null {
  const fetch = () =>
    run('apt-get', [...fetchOptions, ...installOptions, '--download-only', ...packagesOf(program)], { msMax: fetchMsMax });
  let fetched = fetch();
  if (fetched.reason !== null) {
    run('apt-get', [...fetchOptions, 'update'], { msMax: fetchMsMax });
    fetched = fetch();
  }
  if (fetched.reason !== null) return fetched.reason;
  const hasPolicy = existsSync(policyFile);
  try {
    if (!hasPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    const options = ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...installOptions, '--no-download'];
    const { reason } = run('apt-get', [...options, ...packagesOf(program)], { msMax: installMsMax });
    return reason ?? (findUnder('/', program) === null ? `it has no ${program.path}` : null);
  } finally {
    if (!hasPolicy) rmSync(policyFile, { force: true });
  }
}

/**
 * Downloads the package with those it needs and the machine lacks, and unpacks them into the folder, which is there whole or
 * not at all. Answers why it could not, or null.
 */
export function unpackProgram(program: DebianProgram, folder: string): string | null {
  const work = `${folder}.${process.pid}`;
  const downloads = join(work, 'downloads');
  const root = join(work, 'root');
  try {
    for (const path of [downloads, root, join(work, 'lists/partial')]) mkdirSync(path, { recursive: true });
    let lists: string[] = [];
    let listed = listPackages(program, lists);
    if (listed.reason !== null) {
      lists = ['-o', `Dir::State::Lists=${join(work, 'lists')}`];
      run('apt-get', [...fetchOptions, ...lists, 'update'], { msMax: fetchMsMax });
      listed = listPackages(program, lists);
    }
    if (listed.reason !== null) return listed.reason;
    const fetched = run('apt-get', [...fetchOptions, ...lists, 'download', ...listed.names], { msMax: fetchMsMax, cwd: downloads });
    if (fetched.reason !== null) return fetched.reason;
    for (const file of readdirSync(downloads)) {
      const { reason } = run('dpkg-deb', ['-x', join(downloads, file), root], { msMax: installMsMax });
      if (reason !== null) return reason;
    }
    if (findUnder(root, program) === null) return `it has no ${program.path}`;
    moveErlang(root, folder);
    rmSync(folder, { recursive: true, force: true });
    renameSync(root, folder);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function listPackages(program: DebianProgram, lists: readonly string[]): { names: string[]; reason: string | null } {
  const { output, reason } = run('apt-get', ['-qq', ...lists, ...installOptions, '--print-uris', ...packagesOf(program)], {
    msMax: fetchMsMax,
  });
  const names = [...output.matchAll(/^'[^']*' ([^_\s]+)_\S+\.deb /gm)].map(([, name]) => name!);
  return { names, reason: reason ?? (names.length === 0 ? 'apt-get names no package to fetch' : null) };
}

function packagesOf(program: DebianProgram): readonly string[] {
  return [program.package, ...(program.with ?? [])];
}

/** The start script of Erlang holds the folder it was built for. */
function moveErlang(root: string, folder: string): void {
  const script = join(root, 'usr/lib/erlang/bin/erl');
  if (!existsSync(script)) return;
  const moved = readFileSync(script, 'utf8').replaceAll('ROOTDIR=/usr/lib/erlang', `ROOTDIR=${join(folder, 'usr/lib/erlang')}`);
  writeFileSync(script, moved);
}

function run(command: string, args: readonly string[], how: { msMax: number; cwd?: string }): { output: string; reason: string | null } {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const result = spawnSync(command, args, { cwd: how.cwd, env, encoding: 'utf8', timeout: how.msMax, stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.error) return { output: '', reason: `${command}: ${result.error.message}` };
  if (result.status === 0) return { output: result.stdout, reason: null };
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n');
  return { output: result.stdout, reason: said.find((line) => line.startsWith('E: ')) ?? said.at(-1)! };
}
