/**
 * Starts, adopts and stops the PostgreSQL that comes with the product: one cluster per data folder, on a loopback port with
 * generated passwords. Any number of processes may use it at once; the first starts it, the last stops it. A SIGKILL of
 * any of them, or of PostgreSQL, leaves nothing that the next start does not mend. For trying and testing: production
 * brings its own server.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { HeadgateError } from '../base/errors.ts';
import type { Clock, Rng, Sleep } from '../base/ports.ts';
import { chooseLauncher, clusterFolder, type LaunchMode } from './embedded-binaries.ts';
import { type ClusterState, choosePort, clusterStatePath, readClusterState, writeClusterState } from './embedded-cluster-state.ts';
import { embeddedErrors } from './embedded-errors.ts';
import { type Cluster, initialise, launch, readLogEnd, removeIfEmpty } from './embedded-launch.ts';
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
  /** Binaries of another version than the installed one, for tests. */
  readonly nativeFolder?: string;
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
  /** Starts the server again, on the same port, when it has died; returns whether that was needed. */
  revive(): Promise<boolean>;
  /** Ends this use; the last living process stops the server. Idempotent. */
  stop(): Promise<void>;
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
    async revive() {
      if (stopped || findPostmaster(cluster.folder)) return false;
      return withFolderLock(dataDir, options.ports, async () => {
        if (stopped) return false;
        return !(await startOrAdopt(cluster, options, state.port)).isAdopted;
      });
    },
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
  const launcher = chooseLauncher(options.launchMode, options.nativeFolder);
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const folder = clusterFolder(dataDir, hash, launcher);
  return {
    dataDir,
    launcher,
    folder,
    socketFolder: chooseSocketFolder(join(folder, '..', 'postgres-socket'), hash),
    statePath: clusterStatePath(dataDir),
    logPath: join(dataDir, 'postgres.log'),
  };
}

/** A socket's path may be at most 107 bytes long, which a deep data folder does not leave room for. */
function chooseSocketFolder(beside: string, hash: string): string {
  const isShort = Buffer.byteLength(`${beside}/.s.PGSQL.65535.lock`) < 100;
  return isShort ? beside : join(tmpdir(), `headgate-${process.getuid?.()}-${hash}`);
}

/** With `fixedPort` the server must come back where its clients look for it. */
async function startOrAdopt(
  cluster: Cluster,
  options: EmbeddedOptions,
  fixedPort?: number,
): Promise<{ state: ClusterState; isAdopted: boolean }> {
  const state = readClusterState(cluster.statePath, options.ports.rng);
  const running = findPostmaster(cluster.folder);
  // A server that is found while it shuts down is waited for, and then started anew.
  if (running && (await waitUntilReady(cluster, running.port, state, options, () => !findPostmaster(cluster.folder)))) {
    return { state: { ...state, port: running.port }, isAdopted: true };
  }
  if (!existsSync(cluster.folder)) initialise(cluster, state);
  // What was there may be elsewhere: a new ledger is made in no place of an old one.
  else if (!existsSync(join(cluster.folder, 'PG_VERSION')))
    throw new HeadgateError(
      embeddedErrors.E_EMBEDDED_POSTGRES_START,
      `${cluster.folder} is there and holds no database: it has no PG_VERSION`,
      {
        next: 'Mount the volume that belongs there, or restore the folder. A new installation makes it: remove it where it is empty, and mount a new volume at the data folder itself.',
      },
    );
  let remembered = state.port;
  for (let attempt = 1; ; attempt++) {
    if (!(await clearAfterKill(cluster.folder, options.ports))) {
      throw new HeadgateError(embeddedErrors.E_EMBEDDED_POSTGRES_START, `processes of a killed server still hold ${cluster.folder}`);
    }
    const port = fixedPort ?? (await choosePort(remembered));
    const next = { ...state, port };
    writeClusterState(cluster.statePath, next);
    const hasExited = launch(cluster, { port, isDurable: options.isDurable ?? true, connectionsMax: options.connectionsMax ?? 60 });
    if (await waitUntilReady(cluster, port, next, options, hasExited)) return { state: next, isAdopted: false };
    const log = readLogEnd(cluster.logPath);
    if (attempt >= 4 || !/could not bind|Address already in use/.test(log)) {
      throw new HeadgateError(embeddedErrors.E_EMBEDDED_POSTGRES_START, `the embedded PostgreSQL did not start: ${log}`);
    }
    remembered = 0;
  }
}

const startMsMax = 180_000;

/** Waits through crash recovery, however long within bounds. Returns false when the server is gone. */
async function waitUntilReady(
  cluster: Cluster,
  port: number,
  state: ClusterState,
  options: EmbeddedOptions,
  isGone: () => boolean,
): Promise<boolean> {
  const { clock, sleep } = options.ports;
  const deadlineMs = clock.monotonicMs() + startMsMax;
  for (;;) {
    const wasGone = isGone();
    const postmaster = findPostmaster(cluster.folder);
    if (postmaster?.isReady && (await canLogIn(port || postmaster.port, state.adminPassword))) return true;
    if (wasGone) return false;
    if (clock.monotonicMs() > deadlineMs) {
      throw new HeadgateError(
        embeddedErrors.E_EMBEDDED_POSTGRES_START,
        `the embedded PostgreSQL is not ready after ${startMsMax} ms: ${readLogEnd(cluster.logPath)}`,
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
