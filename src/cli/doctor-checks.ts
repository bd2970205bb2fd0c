/**
 * What `headgate doctor` looks at on this machine: runtime, folders, disk, embedded binaries, port. Each check
 * gives findings and changes nothing.
 */
import { accessSync, constants, existsSync, lstatSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { HeadgateError } from '../platform/base/errors.ts';
import { tenantPlaceholder } from '../platform/base/folder-fence.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { findNativeFolder, userNamespacesWork } from '../platform/postgres/embedded-binaries.ts';

export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly next: string;
}

export function ok(check: string, message: string): Finding {
  return { check, result: 'ok', message, next: '' };
}

export function warning(check: string, message: string, next: string): Finding {
  return { check, result: 'warning', message, next };
}

export function failed(check: string, message: string, next: string): Finding {
  return { check, result: 'failed', message, next };
}

/** The finding for a thrown error: its own words and its own next step. */
export function failedBy(check: string, error: unknown): Finding {
  if (error instanceof HeadgateError) return failed(check, `${error.code}: ${error.message}`, error.next);
  return failed(check, error instanceof Error ? error.message : String(error), 'Report this.');
}

const nodeMajorMin = 26;
const diskBytesLow = 2 * 1024 * 1024 * 1024;

export function checkRuntime(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  const message = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
  return major >= nodeMajorMin
    ? ok('runtime', message)
    : failed('runtime', message, `Run with Node ${nodeMajorMin}: \`npm run headgate\` brings it along.`);
}

/** A core dump of a process holds keys and content in the clear. `procFolder` is that of Linux; elsewhere nothing is known. */
export function checkCoreDumps(procFolder = '/proc'): Finding {
  const check = 'core dumps';
  const limit = /^Max core file size +(\S+)/m.exec(readIfThere(join(procFolder, 'self/limits')))?.[1];
  if (limit === undefined) return ok(check, 'whether they are on is not known on this system');
  if (readIfThere(join(procFolder, 'sys/kernel/core_pattern')).startsWith('|'))
    return warning(
      check,
      'the system hands core dumps to a program, which may keep keys and content in the clear',
      'Set kernel.core_pattern to a file name, or have that program keep none of this user.',
    );
  return limit === '0'
    ? ok(check, 'off')
    : warning(check, 'a process that crashes leaves keys and content in the clear', 'Start with bin/headgate, or run first: ulimit -c 0');
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export function checkDataFolder({ dataDir, freeDiskBytesMin }: Settings): Finding[] {
  const check = 'data folder';
  const existing = nearestExisting(dataDir);
  if (!isWritable(existing)) {
    return [
      failed(check, `${existing} is not writable for this user`, 'Give this user the folder, or set HEADGATE_DATA_DIR to another one.'),
    ];
  }
  const findings: Finding[] = [];
  if (!existsSync(dataDir)) findings.push(ok(check, `${dataDir} will be made at the first start`));
  else {
    const { mode, uid } = lstatSync(dataDir);
    const owner = process.getuid?.();
    if (!statSync(dataDir).isDirectory())
      findings.push(failed(check, `${dataDir} is not a folder`, 'Remove it, or set HEADGATE_DATA_DIR.'));
    else if (owner !== 0 && uid !== owner)
      findings.push(failed(check, `${dataDir} belongs to another user`, 'Set HEADGATE_DATA_DIR to a folder of your own.'));
    else if ((mode & 0o077) !== 0) findings.push(warning(check, `${dataDir} can be read by other users`, `Run: chmod 700 ${dataDir}`));
    else findings.push(ok(check, `${dataDir} is there and private`));
  }
  return [...findings, checkDisk(existing, freeDiskBytesMin)];
}

function checkDisk(folder: string, bytesMin: number): Finding {
  const { bavail, bsize, ffree, files } = statfsSync(folder);
  const free = bavail * bsize;
  const message = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${folder}`;
  const next = 'Free disk space, or move HEADGATE_DATA_DIR to a bigger disk.';
  if (free < bytesMin) return failed('disk', message, next);
  if (files > 0 && ffree < 1_000) return failed('disk', `only ${ffree} inodes are free at ${folder}`, next);
  return free < diskBytesLow ? warning('disk', message, next) : ok('disk', message);
}

export function checkEmbeddedBinaries(): Finding[] {
  try {
    const folder = findNativeFolder();
    const findings = [ok('embedded PostgreSQL', `binaries in ${folder}`)];
    if (process.getuid?.() === 0) {
      findings.push(
        userNamespacesWork()
          ? ok('user namespaces', 'root runs PostgreSQL as nobody inside a user namespace')
          : warning(
              'user namespaces',
              'user namespaces are off: root runs PostgreSQL as the user nobody, with binaries and data in /var/lib/headgate',
              'Run Headgate as an ordinary user, or allow user namespaces, if the data should stay in the data folder.',
            ),
      );
    }
    return findings;
  } catch (error) {
    return [failedBy('embedded PostgreSQL', error)];
  }
}

export async function checkPort({ host, port }: Settings): Promise<Finding> {
  if (port === 0) return ok('port', 'a free port will be taken');
  const failure = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (failure === undefined) return ok('port', `${host}:${port} is free`);
  if (failure === 'EADDRINUSE')
    return warning(
      'port',
      `${host}:${port} is in use`,
      'That is right while `headgate serve` runs; otherwise choose another with HEADGATE_PORT.',
    );
  return failed('port', `${host}:${port} cannot be opened (${failure})`, 'Correct HEADGATE_HOST and HEADGATE_PORT.');
}

/** Folders that settings name: `serve` starts without them, but nothing can lie there. */
export function checkFolders({ folderRoots, mountedSecretFolders }: Settings): Finding[] {
  // What is before the tenant's name is there for all.
  const roots = folderRoots.map((root) => (root.includes(tenantPlaceholder) ? dirname(`${root.split(tenantPlaceholder)[0]}-`) : root));
  return [
    ...new Set(roots).values().map((folder) => checkFolder('folder roots', folder, 'HEADGATE_FOLDER_ROOTS')),
    ...mountedSecretFolders.map((folder) => checkFolder('mounted secrets', folder, 'HEADGATE_MOUNTED_SECRET_FOLDERS')),
  ];
}

function checkFolder(check: string, folder: string, setting: string): Finding {
  if (!existsSync(folder)) return warning(check, `${folder} does not exist`, `Make or mount it, or correct ${setting}.`);
  if (!statSync(folder).isDirectory()) return warning(check, `${folder} is not a folder`, `Correct ${setting}.`);
  return isReadable(folder)
    ? ok(check, `${folder} is there`)
    : warning(check, `${folder} cannot be read by this user`, 'Give this user the folder.');
}

/** That a file with a secret is there for its owner only. */
export function checkPrivate(name: string, path: string): Finding {
  if (!isReadable(path)) return failed(name, `${path} cannot be read by this user`, 'Give this user the file.');
  if ((statSync(path).mode & 0o077) !== 0)
    return failed(name, `${path} can be read by other users`, `Run: chmod 600 ${path}, and replace the key if others had access.`);
  return ok(name, `${path} is for its owner only`);
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function isWritable(path: string): boolean {
  return canAccess(path, constants.W_OK);
}

export function isReadable(path: string): boolean {
  return canAccess(path, constants.R_OK);
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
