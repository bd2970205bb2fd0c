/**
 * Makes a cluster and starts its server: initdb, configuration, log, socket folder, the process itself. Nothing of this
 * process's environment reaches the server. Whether and when is decided in embedded-postgres.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import { type Launcher, makeOwnedFolder } from './embedded-binaries.ts';
import {
  type ClusterConfiguration,
  type ClusterState,
  hostBasedAuthentication,
  renderConfiguration,
  writeClusterState,
} from './embedded-cluster-state.ts';
import { embeddedErrors } from './embedded-errors.ts';

export interface Cluster {
  readonly dataDir: string;
  readonly launcher: Launcher;
  readonly folder: string;
  readonly socketFolder: string;
  readonly statePath: string;
  readonly logPath: string;
}

/** Makes the cluster under another name and renames it, so that an interrupted run leaves nothing that looks like data. */
export function initialise(cluster: Cluster, state: ClusterState): void {
  const partial = `${cluster.folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  writeClusterState(cluster.statePath, state);
  makeOwnedFolder(partial, cluster.launcher);
  const passwordPath = join(cluster.launcher.uid === undefined ? cluster.dataDir : join(cluster.folder, '..'), 'initial-password');
  writeFileSync(passwordPath, state.adminPassword, { mode: 0o600 });
  if (cluster.launcher.uid !== undefined) chownSync(passwordPath, cluster.launcher.uid, cluster.launcher.uid);
  try {
    const [command, ...args] = [
      ...cluster.launcher.prefix,
      join(cluster.launcher.binFolder, 'initdb'),
      ...['-D', partial, '-U', 'postgres', '-k', '-A', 'scram-sha-256', `--pwfile=${passwordPath}`],
      ...['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
    ];
    const done = spawnSync(command!, args, {
      encoding: 'utf8',
      cwd: '/',
      env: serverEnvironment(),
      uid: cluster.launcher.uid,
      gid: cluster.launcher.uid,
    });
    if (done.error || done.status !== 0) {
      const reason = done.error?.message ?? done.stderr.trim().split('\n').slice(-3).join(' | ');
      throw new HeadgateError(embeddedErrors.E_EMBEDDED_POSTGRES_START, `initdb failed: ${reason}`, { cause: done.error });
    }
  } finally {
    rmSync(passwordPath, { force: true });
  }
  renameSync(partial, cluster.folder);
}

/** Nothing of this process's environment reaches the server: it may hold secrets. */
function serverEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Returns at once, with a question: has the server ended already? */
export function launch(cluster: Cluster, configuration: Omit<ClusterConfiguration, 'socketFolder' | 'majorVersion'>): () => boolean {
  makeSocketFolder(cluster);
  const majorVersion = Number.parseInt(readFileSync(join(cluster.folder, 'PG_VERSION'), 'utf8'), 10);
  const text = renderConfiguration({ ...configuration, socketFolder: cluster.socketFolder, majorVersion });
  writeOwned(cluster, 'postgresql.conf', text);
  writeOwned(cluster, 'pg_hba.conf', hostBasedAuthentication);
  if (existsSync(cluster.logPath)) renameSync(cluster.logPath, `${cluster.logPath}.previous`);
  const log = openSync(cluster.logPath, 'w', 0o600);
  try {
    const [command, ...args] = [...cluster.launcher.prefix, join(cluster.launcher.binFolder, 'postgres'), '-D', cluster.folder];
    // A session of its own, so that Ctrl-C in a terminal does not end the server under its clients.
    const child = spawn(command!, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: serverEnvironment(),
      uid: cluster.launcher.uid,
      gid: cluster.launcher.uid,
    });
    let hasExited = false;
    child.on('error', () => (hasExited = true));
    child.on('exit', () => (hasExited = true));
    child.unref();
    return () => hasExited;
  } finally {
    closeSync(log);
  }
}

function writeOwned(cluster: Cluster, name: string, text: string): void {
  const path = join(cluster.folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  if (cluster.launcher.uid !== undefined) chownSync(path, cluster.launcher.uid, cluster.launcher.uid);
}

function makeSocketFolder(cluster: Cluster): void {
  const owner = cluster.launcher.uid ?? process.getuid?.();
  if (!existsSync(cluster.socketFolder)) makeOwnedFolder(cluster.socketFolder, cluster.launcher);
  // In a folder that everybody may write to, somebody else may have been there first.
  const found = lstatSync(cluster.socketFolder);
  if (!found.isDirectory() || found.uid !== owner) {
    throw new HeadgateError(embeddedErrors.E_DATA_FOLDER, `the socket folder ${cluster.socketFolder} belongs to another user`);
  }
  chmodSync(cluster.socketFolder, 0o700);
  // No server lives over this folder now: what is in it was left by a killed one, and its lock could name a reused process.
  for (const name of readdirSync(cluster.socketFolder)) rmSync(join(cluster.socketFolder, name), { force: true });
}

export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Absent, or still in use: the next start takes it as it is.
  }
}

/** The last lines of the server's log, for an error message. */
export function readLogEnd(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-4).join(' | ');
  } catch {
    return 'no log';
  }
}
