/**
 * A folder that is opened once, judged by where it then really is, and used by what was opened. A path is walked anew at each
 * use: whoever may write to a part of it can put a link there between the check and the use. Where the system does not name
 * open descriptors by paths, as Linux does, the folder is used by its real path, and a link that is put there later is followed.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';

const descriptorFolder = '/proc/self/fd';
/** Of the system, and asked once: nobody who names a folder may have a say in it. */
const hasDescriptorPaths = existsSync(descriptorFolder);
const flags = constants.O_RDONLY | constants.O_DIRECTORY;

export class HeldFolder {
  /** Where it was when it was opened, links followed. */
  readonly place: string;
  /** Tells it from every other folder that is there. */
  readonly identity: string;
  readonly #path: string;
  #descriptor: number | null;

  constructor(descriptor: number, path: string, isByDescriptor: boolean) {
    const listed = `${descriptorFolder}/${descriptor}`;
    this.place = isByDescriptor ? readlinkSync(listed) : realpathSync.native(path);
    this.#path = isByDescriptor ? listed : this.place;
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    this.identity = `${dev}:${ino}`;
    this.#descriptor = descriptor;
  }

  /** Leads to the folder until it is closed. For the system alone: messages tell the path that a setting names. */
  get path(): string {
    if (this.#descriptor === null) throw new Error('a folder was used after it was closed');
    return this.#path;
  }

  /** Of what lies in it, never deeper. The last part may be a link: whoever opens it does not follow. */
  pathOf(name: string): string;
  pathOf(name: Buffer): Buffer;
  pathOf(name: string | Buffer): string | Buffer {
    if (!isOneName(name)) throw new Error('what is no name was used as one in a folder');
    const before = this.path + sep;
    return typeof name === 'string' ? before + name : Buffer.concat([Buffer.from(before), name]);
  }

  /** Nothing that uses it may be under way. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** Throws the system's error; ENOTDIR too for a link in its place that is not to be followed. */
export function holdFolder(
  path: string,
  { isFollowed = true, isByDescriptor = hasDescriptorPaths }: { readonly isFollowed?: boolean; readonly isByDescriptor?: boolean } = {},
): HeldFolder {
  const descriptor = openSync(path, isFollowed ? flags : flags | constants.O_NOFOLLOW);
  try {
    return new HeldFolder(descriptor, path, isByDescriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The folder when it passes the check, and closed when it does not. */
export function holdChecked(path: string, check: (folder: HeldFolder) => void): HeldFolder {
  const folder = holdFolder(path);
  try {
    check(folder);
    return folder;
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Of something that lies in a folder: not of the folder itself, of one around it or of something deeper. */
export function isOneName(name: string | Buffer): boolean {
  const text = typeof name === 'string' ? name : name.toString('latin1');
  return text !== '' && text !== '.' && text !== '..' && !/[/\0]/.test(text);
}
