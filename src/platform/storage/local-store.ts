/**
 * The raw store on a local disk. An object is written to a temporary file in `<root>/.incoming`, checked, fsynced, linked under its
 * name without ever overwriting, and the folder is fsynced: only then has `commit` returned. A failed fsync is never tried
 * again on the same descriptor (the kernel may have dropped the pages): the object is discarded and the work starts over.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createDurableFolders, type DurableFolders, fsyncFolder } from '../base/durable-folders.ts';
import { HeadgateError } from '../base/errors.ts';
import type { Rng } from '../base/ports.ts';
import { EarlyFlush } from './early-flush.ts';
import { assertObjectName, assertObjectPrefix } from './object-name.ts';
import type { RawReader, RawStore, RawWriter, StoredName } from './object-store.ts';
import { storageErrors } from './storage-errors.ts';
import { storageFailure, withStorageFailures } from './storage-failure.ts';

/** Where objects are written before they have their name. */
export const incomingFolder = '.incoming';
/** Process id and random part. */
const unfinishedPattern = /^[0-9]+-[0-9a-f]{24}$/;

/** `root` is absolute and on one file system with everything below it. Makes it when it is missing. */
export function createLocalStore(settings: { readonly root: string; readonly rng: Rng }): RawStore {
  const { root, rng } = settings;
  const incoming = join(root, incomingFolder);
  const folders = withStorageFailures(`make the storage folder ${root}`, () => {
    const made = createDurableFolders(root);
    made.ensure(incoming);
    return made;
  });
  const pathOf = (name: string) => {
    assertObjectName(name);
    return join(root, name);
  };
  return {
    create(name) {
      const temporary = join(incoming, `${process.pid}-${Buffer.from(rng.bytes(12)).toString('hex')}`);
      return createWriter({ target: pathOf(name), temporary, folders });
    },
    open: (name) => openReader(pathOf(name)),
    exists(name) {
      return withStorageFailures('look for an object', () => lstatSync(pathOf(name), { throwIfNoEntry: false }) !== undefined);
    },
    remove(name) {
      withStorageFailures('remove an object', () => unlinkIfThere(pathOf(name)));
    },
    list(prefix) {
      assertObjectPrefix(prefix);
      return walk(root, prefix);
    },
    listUnfinished: () => walk(incoming, ''),
    removeUnfinished(name) {
      if (!unfinishedPattern.test(name)) throw new HeadgateError(storageErrors.E_OBJECT_NAME, 'not the name of an unfinished object');
      withStorageFailures('remove an unfinished object', () => unlinkIfThere(join(incoming, name)));
    },
  };
}

/** `target` and `temporary` are paths on one file system. */
function createWriter(paths: { readonly target: string; readonly temporary: string; readonly folders: DurableFolders }): RawWriter {
  const { target, temporary, folders } = paths;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let descriptor: number | null = withStorageFailures('start an object', () => openSync(temporary, flags, 0o400));
  const early = new EarlyFlush(temporary);

  function discard(): void {
    early.end();
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
    unlinkIfThere(temporary);
  }
  function failed(cause: unknown, action: string): never {
    try {
      discard();
    } catch {
      throw storageFailure(cause, action);
    }
    throw storageFailure(cause, action);
  }
  function unfinished(): number {
    if (descriptor === null) throw new Error('this object was committed or aborted before');
    return descriptor;
  }
  return {
    write(bytes) {
      const at = unfinished();
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(at, bytes, done, bytes.length - done);
        early.wrote(bytes.length);
      } catch (cause) {
        failed(cause, 'write an object');
      }
    },
    commit(check) {
      const at = unfinished();
      early.beforeLast();
      try {
        check?.(() => openReader(temporary));
      } catch (error) {
        discard();
        throw error;
      }
      try {
        fsyncSync(at);
        early.end();
        descriptor = null;
        closeSync(at);
        folders.ensure(dirname(target));
        linkSync(temporary, target);
      } catch (cause) {
        failed(cause, 'make an object durable');
      }
      try {
        fsyncFolder(dirname(target));
        unlinkIfThere(temporary);
      } catch (cause) {
        removeQuietly(target);
        failed(cause, 'make the name of an object durable');
      }
    },
    abort() {
      withStorageFailures('discard an object', discard);
    },
  };
}

function openReader(path: string): RawReader {
  const descriptor = openDescriptor(path);
  let isOpen = true;
  return {
    size: withStorageFailures('measure an object', () => fstatSync(descriptor).size),
    read(into, at, length, position) {
      return withStorageFailures('read an object', () => {
        let done = 0;
        while (done < length) {
          const count = readSync(descriptor, into, at + done, length - done, position + done);
          if (count === 0) break;
          done += count;
        }
        return done;
      });
    },
    close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function openDescriptor(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw storageFailure(cause, 'open an object');
    throw new HeadgateError(storageErrors.E_OBJECT_MISSING, 'the store does not have an object that is named', { cause });
  }
}

/** Files below `root` whose name starts with the folders of `prefix`; what disappears meanwhile is passed over. */
function* walk(root: string, prefix: string): Generator<StoredName> {
  const folder = openFolder(join(root, prefix));
  if (folder === null) return;
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (entry.name.startsWith('.')) continue;
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (entry.isDirectory()) yield* walk(root, name);
      else if (entry.isFile()) {
        const found = lstatSync(join(root, name), { throwIfNoEntry: false });
        if (found !== undefined) yield { name, bytes: found.size, modifiedMs: found.mtimeMs };
      }
    }
  } finally {
    folder.closeSync();
  }
}

function openFolder(path: string) {
  try {
    return opendirSync(path);
  } catch (cause) {
    const failure = cause as NodeJS.ErrnoException;
    if (failure.code === 'ENOENT') return null;
    throw storageFailure(cause, 'list objects');
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Used where a failure is being reported already and this one would hide it; what stays behind is swept as an orphan. */
function removeQuietly(path: string): void {
  try {
    unlinkIfThere(path);
  } catch {
    return;
  }
}
