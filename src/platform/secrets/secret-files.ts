/**
 * Reads secret files: bounded, regular files only, refused when others may read or change them. The value is kept until
 * the file changes (device, inode, size or either time), and is never a mixture of two versions.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { HeadgateError } from '../base/errors.ts';
import { Secret } from './secret.ts';
import { secretErrors } from './secret-errors.ts';
import { isBelow } from './secret-references.ts';

export const secretBytesMax = 64 * 1024;
const cachedFilesMax = 1024;
const readsMax = 5;
/** Open to everyone in any way, or writable by the group. */
const refusedMode = 0o027n;
const ownerOnlyMode = 0o077n;

export interface SecretFileSettings {
  /** Folders that an orchestrator mounts secrets into (Kubernetes: links, mode 0644): permissions there are its business. */
  readonly mountedFolders?: readonly string[];
  /** True: the group may not read it either. For keys that the product generates. */
  readonly ownerOnly?: boolean;
}

export interface SecretFiles {
  /** In one of `folders`, and links must not lead out of it; without, they may lead anywhere. */
  read(path: string, folders?: readonly string[]): Secret;
}

interface Version {
  readonly signature: string;
  readonly secret: Secret;
}

export function createSecretFiles(settings: SecretFileSettings = {}): SecretFiles {
  const cache = new Map<string, Version>();
  return {
    read(path, folders) {
      const signature = signatureOf(statAt(path));
      const known = cache.get(path);
      if (known?.signature === signature) return known.secret;
      assertInside(folders, path);
      const version = readVersion(path, settings);
      if (cache.size >= cachedFilesMax) cache.clear();
      cache.set(path, version);
      return version.secret;
    },
  };
}

function readVersion(path: string, settings: SecretFileSettings): Version {
  for (let attempt = 0; attempt < readsMax; attempt++) {
    const descriptor = openAt(path);
    try {
      const before = fstatSync(descriptor, { bigint: true });
      assertSound(path, before, settings);
      const content = readBounded(descriptor, path);
      const signature = signatureOf(before);
      if (signatureOf(fstatSync(descriptor, { bigint: true })) !== signature) continue;
      if (content.length === 0) throw new HeadgateError(secretErrors.E_SECRET_MISSING, `the secret file ${path} is empty`);
      return { signature, secret: new Secret(content) };
    } finally {
      closeSync(descriptor);
    }
  }
  throw new HeadgateError(secretErrors.E_SECRET_UNREADABLE, `the secret file ${path} keeps changing`);
}

function assertSound(path: string, found: BigIntStats, settings: SecretFileSettings): void {
  if (!found.isFile()) throw new HeadgateError(secretErrors.E_SECRET_UNREADABLE, `the secret file ${path} is not a regular file`);
  const refused = settings.ownerOnly ? ownerOnlyMode : refusedMode;
  const isMounted = settings.mountedFolders?.some((folder) => isBelow(folder, path));
  if (isMounted || (found.mode & refused) === 0n) return;
  const mode = (found.mode & 0o777n).toString(8).padStart(4, '0');
  throw new HeadgateError(secretErrors.E_SECRET_PERMISSIONS, `the secret file ${path} has mode ${mode}; it should be 0600`);
}

/** Without the one line end that editors and shells leave. */
export function withoutLineEnd(content: Buffer): Buffer {
  if (content.at(-1) !== 0x0a) return content;
  return content.subarray(0, content.at(-2) === 0x0d ? -2 : -1);
}

function readBounded(descriptor: number, path: string): Buffer {
  const buffer = Buffer.alloc(secretBytesMax + 1);
  let length = 0;
  for (let count = 1; count > 0 && length < buffer.length; length += count) {
    count = readSync(descriptor, buffer, length, buffer.length - length, length);
  }
  if (length > secretBytesMax) throw new HeadgateError(secretErrors.E_SECRET_SIZE, `the secret file ${path} is larger than 64 KiB`);
  return withoutLineEnd(buffer.subarray(0, length));
}

/** Not blocking: a FIFO in the place of the file must not stop the process. */
function openAt(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreachable(path, cause);
  }
}

function statAt(path: string): BigIntStats {
  try {
    return statSync(path, { bigint: true });
  } catch (cause) {
    throw unreachable(path, cause);
  }
}

function unreachable(path: string, cause: unknown): HeadgateError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new HeadgateError(secretErrors.E_SECRET_MISSING, `the secret file ${path} is not there`, { cause });
  return new HeadgateError(secretErrors.E_SECRET_UNREADABLE, `the secret file ${path} cannot be read (${code ?? 'unexpected failure'})`, {
    cause,
  });
}

function assertInside(folders: readonly string[] | undefined, path: string): void {
  if (folders === undefined) return;
  const real = realPathOf(path);
  if (!folders.some((folder) => isBelow(folder, path) && isBelow(realPathOf(folder), real))) {
    throw new HeadgateError(secretErrors.E_SECRET_NOT_ALLOWED, 'a link leads out of the folder of secrets');
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw unreachable(path, cause);
  }
}

function signatureOf(found: BigIntStats): string {
  return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode].join(' ');
}
