/**
 * What a served SFTP channel shows, in the place of files: whoever implements it decides what there is. Paths come as the names
 * between the slashes, without `.` and `..`: nothing leads out of the root, because there is no way to say it.
 */

export interface VirtualEntry {
  readonly name: string;
  readonly kind: 'folder' | 'file';
  readonly bytes: number;
  readonly isWritable: boolean;
  /** Unix time. */
  readonly changedMs: number;
}

export interface VirtualWriter {
  readonly bytes: number;
  /**
   * At any place, in any order within bounds. Resolves when the bytes were taken on; until then they count as on their way. The
   * buffer is the writer's from now on.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** All there is was written. What resolves here is what the other side is told to be safe. */
  close(): Promise<void>;
  /** The other side went away before it closed. */
  abort(): void;
}

/** Each fails with a VirtualRefusal, or with a HeadgateError, whose code and message are told. */
export interface VirtualFiles {
  /** Null: there is none. */
  find(path: readonly string[]): Promise<VirtualEntry | null>;
  list(path: readonly string[]): Promise<readonly VirtualEntry[]>;
  read(path: readonly string[]): Promise<Uint8Array>;
  write(path: readonly string[]): Promise<VirtualWriter>;
  rename(from: readonly string[], to: readonly string[]): Promise<void>;
  remove(path: readonly string[]): Promise<void>;
  /** The channel is gone: what was not closed by then was never there. */
  end(): void;
}

export class VirtualRefusal extends Error {
  readonly kind: 'missing' | 'forbidden' | 'failed';

  constructor(kind: VirtualRefusal['kind'], message: string) {
    super(message);
    this.name = 'VirtualRefusal';
    this.kind = kind;
  }
}

const pathCharactersMax = 4_096;
const depthMax = 16;

/** The names on the way from the root; `..` stops there. Null: longer than any path is, or than the request that it is in. */
export function namesOf(path: string | undefined): string[] | null {
  if (path === undefined || path.length > pathCharactersMax) return null;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else if (names.push(name) > depthMax) return null;
  }
  return names;
}
