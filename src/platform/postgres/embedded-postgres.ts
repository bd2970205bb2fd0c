/**
 * Starts, adopts and stops the PostgreSQL that comes with the product: one cluster per data folder, on a loopback port with
 * generated passwords. Any number of processes may use it at once; the first starts it, the last stops it. A SIGKILL of
 * any of them, or of PostgreSQL, leaves nothing that the next start does not mend. For trying and testing: production
 * brings its own server.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { HeadgateError } from '../base/errors.ts';
import type { Clock, Rng, Sleep } from '../base/ports.ts';
import { chooseLauncher, clusterFolder, type Launcher, type LaunchMode, makeOwnedFolder } from './embedded-binaries.ts';
import {
  type ClusterState,
  choosePort,
  hostBasedAuthentication,
  readClusterState,
  renderConfiguration,
  writeClusterState,
} from './embedded-cluster-state.ts';
import { embeddedErrors } from './embedded-errors.ts';
import { joinFolder, leaveFolder, withFolderLock } from './folder-lock.ts';
import { clearAfterKill, findPostmaster, stopPostmaster } from './postmaster.ts';

export interface EmbeddedOptions {
  /** Made with mode 0700 if absent. The cluster lives in `<dataDir>/postgres`. */
  readonly dataDir: string;
  readonly ports: { readonly clock: Clock; readonly rng: Rng; readonly sleep: Sleep };
  readonly isDurable?: boolean;
  readonly connectionsMax?: number;
  /** For tests; decided by the user and the kernel when left out. */
  readonly launchMode?: LaunchMode;
}

export interface EmbeddedPostgres {
  readonly port: number;
  /** The data folder of the server. */
  readonly folder: string;
  /** true when a server that already ran was taken over. */
  readonly isAdopted: boolean;
  /** Connection string of the bootstrap superuser: for migrations only. */
  adminUrl(database: string): string;
  /** Connection string of headgate_app, whose password the migrations set to `appPassword`. */
  appUrl(database: string): string;
  readonly appPassword: string;
  /** Ends this use; the last living process stops the server. Idempotent. */
  stop(): Promise<void>;
}

interface Cluster {
  readonly dataDir: string;
  readonly launcher: Launcher;
  readonly folder: string;
  readonly socketFolder: string;
  readonly statePath: string;
  readonly logPath: string;
}

/** Resolves when the server answers. Fails with the codes of embedded-errors.ts. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = makeDataDir(options.dataDir);
  const uses = join(dataDir, 'postgres-uses');
  const token = Buffer.from(options.ports.rng.bytes(6)).toString('hex');
  const started = await withFolderLock(dataDir, options.ports, async () => {
    const cluster = describeCluster(dataDir, options);
    const result = await startOrAdopt(cluster, options);
    joinFolder(uses, token);
    return { ...result, cluster };
  });
  const { state, cluster } = started;
  const url = (user: string, password: string, database: string) =>
    `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${state.port}/${encodeURIComponent(database)}`;
  let stopped: Promise<void> | undefined;
  return {
    port: state.port,
    folder: cluster.folder,
    isAdopted: started.isAdopted,
    adminUrl: (database) => url('postgres', state.adminPassword, database),
    appUrl: (database) => url('headgate_app', state.appPassword, database),
    appPassword: state.appPassword,
    stop() {
      stopped ??= withFolderLock(dataDir, options.ports, async () => {
        if (leaveFolder(uses, token) > 0) return;
        await stopPostmaster(cluster.folder, options.ports);
        removeIfEmpty(cluster.socketFolder);
      });
      return stopped;
    },
  };
}

function makeDataDir(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const real = realpathSync(path);
    const { uid } = lstatSync(real);
    if (uid !== process.getuid?.() && process.getuid?.() !== 0) {
      throw new HeadgateError(embeddedErrors.E_DATA_FOLDER, `the data folder ${real} belongs to another user`);
    }
    return real;
  } catch (cause) {
    if (cause instanceof HeadgateError) throw cause;
    throw new HeadgateError(
      embeddedErrors.E_DATA_FOLDER,
      `the data folder ${path} cannot be made or read (${(cause as NodeJS.ErrnoException).code})`,
      {
        cause,
      },
    );
  }
}

function describeCluster(dataDir: string, options: EmbeddedOptions): Cluster {
  const launcher = chooseLauncher(options.launchMode);
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const folder = clusterFolder(dataDir, hash, launcher);
  return {
    dataDir,
    launcher,
    folder,
    // A socket's path may be at most 107 bytes long, so it cannot live in a deep data folder.
    socketFolder: launcher.uid === undefined ? join(tmpdir(), `headgate-${process.getuid?.()}-${hash}`) : join(folder, '..', 'socket'),
    statePath: join(dataDir, 'postgres-access.json'),
    logPath: join(dataDir, 'postgres.log'),
  };
}

async function startOrAdopt(cluster: Cluster, options: EmbeddedOptions): Promise<{ state: ClusterState; isAdopted: boolean }> {
  const state = readClusterState(cluster.statePath, options.ports.rng);
  const running = findPostmaster(cluster.folder);
  if (running) {
    await waitUntilReady(cluster, running.port, state, options);
    return { state: { ...state, port: running.port }, isAdopted: true };
  }
  if (!existsSync(cluster.folder)) initialise(cluster, state);
  let remembered = state.port;
  for (let attempt = 1; ; attempt++) {
    if (!(await clearAfterKill(cluster.folder, options.ports))) {
      throw new HeadgateError(embeddedErrors.E_EMBEDDED_POSTGRES_START, `processes of a killed server still hold ${cluster.folder}`);
    }
    const port = await choosePort(remembered);
    const next = { ...state, port };
    writeClusterState(cluster.statePath, next);
    try {
      launch(cluster, port, options);
      await waitUntilReady(cluster, port, next, options);
      return { state: next, isAdopted: false };
    } catch (error) {
      const isPortTaken = /could not bind|Address already in use/.test(readLogEnd(cluster.logPath));
      if (attempt >= 4 || !isPortTaken) throw error;
      remembered = 0;
    }
  }
}

/** Makes the cluster under another name and renames it, so that an interrupted run leaves nothing that looks like data. */
function initialise(cluster: Cluster, state: ClusterState): void {
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

function launch(cluster: Cluster, port: number, options: EmbeddedOptions): void {
  makeSocketFolder(cluster);
  const configuration = renderConfiguration({
    port,
    socketFolder: cluster.socketFolder,
    isDurable: options.isDurable ?? true,
    connectionsMax: options.connectionsMax ?? 60,
  });
  writeOwned(cluster, 'postgresql.conf', configuration);
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
    child.on('error', () => {});
    child.unref();
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

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Absent, or still in use: the next start takes it as it is.
  }
}

/** Waits through crash recovery. The start fails as soon as the server has ended. */
async function waitUntilReady(cluster: Cluster, port: number, state: ClusterState, options: EmbeddedOptions): Promise<void> {
  const { clock, sleep } = options.ports;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const postmaster = findPostmaster(cluster.folder);
    const waitedMs = clock.monotonicMs() - startedMs;
    if (postmaster?.isReady && (await canLogIn(port || postmaster.port, state.adminPassword))) return;
    if ((!postmaster && waitedMs > 3_000) || waitedMs > 120_000 || (!postmaster && /FATAL|could not/.test(readLogEnd(cluster.logPath)))) {
      throw new HeadgateError(
        embeddedErrors.E_EMBEDDED_POSTGRES_START,
        `the embedded PostgreSQL did not start: ${readLogEnd(cluster.logPath)}`,
      );
    }
    await sleep.sleep(15);
  }
}

async function canLogIn(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') {
      throw new HeadgateError(
        embeddedErrors.E_EMBEDDED_POSTGRES_FOREIGN,
        `the PostgreSQL on port ${port} does not accept the password of this data folder`,
      );
    }
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function readLogEnd(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-4).join(' | ');
  } catch {
    return 'no log';
  }
}
