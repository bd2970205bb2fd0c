/**
 * One SFTP channel that is served (version 3): its requests become calls of `VirtualFiles`, in the order in which they came;
 * writes and the close of a file don't wait for what is asked of others. Bounds handles, requests that wait, and bytes on their
 * way: a sender that is faster than what takes its bytes is not read from meanwhile.
 */
import { Buffer } from 'node:buffer';
import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2';
import { HeadgateError } from '../base/errors.ts';
import { attributesOf, longNameOf } from './served-attributes.ts';
import type { ServedConnection } from './ssh-server.ts';
import { namesOf, type VirtualEntry, type VirtualFiles, VirtualRefusal, type VirtualWriter } from './virtual-files.ts';

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;

type Handle =
  | { readonly kind: 'writer'; readonly writer: VirtualWriter }
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | { readonly kind: 'listing'; readonly entries: readonly VirtualEntry[]; next: number };

const handlesMax = 64;
const requestsMax = 256;
/** Beside the bytes themselves. */
const bytesOfRequest = 512;
const onTheirWayBytesMax = 2 * 1024 * 1024;
const readBytesMax = 32 * 1024;
/** Every client takes an answer of 34,000 bytes; a name and its line take 800 at most. */
const namesPerAnswerMax = 40;

const statusOf = {
  missing: STATUS_CODE.NO_SUCH_FILE,
  forbidden: STATUS_CODE.PERMISSION_DENIED,
  failed: STATUS_CODE.FAILURE,
};

export function serveChannel(
  sftp: SFTPWrapper,
  connection: ServedConnection,
  files: VirtualFiles,
  onError: (error: unknown) => void,
): void {
  new ServedChannel(sftp, connection, files, onError).start();
}

class ServedChannel {
  readonly #sftp: SFTPWrapper;
  readonly #connection: ServedConnection;
  readonly #files: VirtualFiles;
  readonly #onError: (error: unknown) => void;
  readonly #handles = new Map<number, Handle>();
  #lastHandle = 0;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #onTheirWayBytes = 0;
  #isPaused = false;
  #isEnded = false;

  constructor(sftp: SFTPWrapper, connection: ServedConnection, files: VirtualFiles, onError: (error: unknown) => void) {
    this.#sftp = sftp;
    this.#connection = connection;
    this.#files = files;
    this.#onError = onError;
  }

  start(): void {
    const sftp = this.#sftp;
    const byPath = (id: number, path: string, work: (names: readonly string[]) => Promise<void>) => this.#inTurn(id, path, work);
    const find = (id: number, path: string) => byPath(id, path, async (names) => this.#attributes(id, await this.#found(names)));
    sftp.on('OPEN', (id, path, flags) => byPath(id, path, (names) => this.#open(id, names, flags)));
    sftp.on('WRITE', (id, handle, offset, data) => this.#atOnce(id, () => this.#write(id, handle, offset, data)));
    sftp.on('CLOSE', (id, handle) => this.#atOnce(id, () => this.#close(id, handle)));
    sftp.on('READ', (id, handle, offset, length) => this.#atOnce(id, () => this.#read(id, handle, offset, length)));
    sftp.on('FSTAT', (id, handle) => this.#atOnce(id, () => this.#describe(id, handle)));
    sftp.on('FSETSTAT', (id, handle, attributes) => this.#atOnce(id, () => this.#change(id, attributes, this.#writerOf(handle).bytes)));
    sftp.on('STAT', find);
    sftp.on('LSTAT', find);
    sftp.on('SETSTAT', (id, path, attributes) =>
      byPath(id, path, async (names) => this.#change(id, attributes, (await this.#found(names)).bytes)),
    );
    sftp.on('OPENDIR', (id, path) =>
      byPath(id, path, async (names) => this.#handle(id, { kind: 'listing', entries: await this.#files.list(names), next: 0 })),
    );
    sftp.on('READDIR', (id, handle) => this.#atOnce(id, () => this.#list(id, handle)));
    sftp.on('REALPATH', (id, path) =>
      byPath(id, path, async (names) => {
        const filename = `/${names.join('/')}`;
        sftp.name(id, [{ filename, longname: filename, attrs: {} as Attributes }]);
      }),
    );
    sftp.on('REMOVE', (id, path) =>
      byPath(id, path, async (names) => {
        await this.#files.remove(names);
        this.#say(id, STATUS_CODE.OK);
      }),
    );
    sftp.on('RENAME', (id: number, from: string, to: string) => {
      const target = namesOf(to);
      byPath(id, from, async (names) => {
        if (target === null) throw new VirtualRefusal('missing', 'there is no such path');
        await this.#files.rename(names, target);
        this.#say(id, STATUS_CODE.OK);
      });
    });
    for (const event of ['MKDIR', 'RMDIR', 'SYMLINK', 'READLINK'] as const)
      sftp.on(event, (id: number) =>
        this.#say(id, STATUS_CODE.PERMISSION_DENIED, 'there are no folders to make or remove here, and no links'),
      );
    // Without an answer of its own, a client that ends its side would wait for ours.
    sftp.on('end', () => {
      this.#end();
      sftp.end();
    });
    sftp.on('error', () => this.#connection.end());
    this.#connection.closed.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** One after the other. A client that asks on and on without waiting for answers is cut. Undefined: a path without its end. */
  #inTurn(id: number, path: string | undefined, work: (names: readonly string[]) => Promise<void>): void {
    this.#connection.touch();
    this.#waiting += 1;
    if (this.#waiting > requestsMax || this.#isUnread) {
      this.#connection.end();
      return;
    }
    this.#turn = this.#turn.then(async () => {
      try {
        const names = namesOf(path);
        if (names === null) throw new VirtualRefusal('missing', 'there is no such path');
        if (!this.#isEnded) await work(names);
      } catch (error) {
        this.#refuse(id, error);
      }
      this.#waiting -= 1;
    });
  }

  #atOnce(id: number, work: () => void): void {
    this.#connection.touch();
    if (this.#isEnded) return;
    if (this.#isUnread) {
      this.#connection.end();
      return;
    }
    try {
      work();
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  /** The driver keeps answers that the other side gives no window for: of one that asks and never reads, no more than these. */
  get #isUnread(): boolean {
    const { _buffer: unsent } = this.#sftp as unknown as { readonly _buffer?: readonly unknown[] };
    return (unsent?.length ?? 0) > requestsMax;
  }

  async #found(names: readonly string[]): Promise<VirtualEntry> {
    const entry = await this.#files.find(names);
    if (entry === null) throw new VirtualRefusal('missing', 'there is no such file');
    return entry;
  }

  async #open(id: number, names: readonly string[], flags: number): Promise<void> {
    if (this.#handles.size >= handlesMax) throw new VirtualRefusal('failed', 'too many files are open');
    if ((flags & OPEN_MODE.WRITE) === 0) {
      this.#handle(id, { kind: 'content', bytes: await this.#files.read(names) });
      return;
    }
    if ((flags & OPEN_MODE.READ) !== 0) throw new VirtualRefusal('forbidden', 'a file that is written can not be read');
    const writer = await this.#files.write(names);
    if (this.#isEnded) writer.abort();
    else this.#handle(id, { kind: 'writer', writer });
  }

  #handle(id: number, handle: Handle): void {
    const number = ++this.#lastHandle;
    this.#handles.set(number, handle);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    this.#connection.touch();
    if (!this.#isEnded) this.#sftp.handle(id, bytes);
  }

  #handleOf(bytes: Buffer): readonly [number, Handle] {
    const number = bytes.length === 4 ? bytes.readUInt32BE() : 0;
    const handle = this.#handles.get(number);
    if (handle === undefined) throw new VirtualRefusal('failed', 'there is no such handle');
    return [number, handle];
  }

  #writerOf(bytes: Buffer): VirtualWriter {
    const [, handle] = this.#handleOf(bytes);
    if (handle.kind !== 'writer') throw new VirtualRefusal('forbidden', 'the file is not open for writing');
    return handle.writer;
  }

  #write(id: number, handle: Buffer, offset: number, data: Buffer): void {
    const written = this.#writerOf(handle).write(offset, data);
    // Small ones cost memory too.
    const bytes = data.length + bytesOfRequest;
    this.#onTheirWayBytes += bytes;
    this.#pace();
    this.#sayWhenDone(id, written, () => {
      this.#onTheirWayBytes -= bytes;
      this.#pace();
    });
  }

  #sayWhenDone(id: number, work: Promise<void>, before?: () => void): void {
    work.then(
      () => {
        before?.();
        this.#say(id, STATUS_CODE.OK);
      },
      (error: unknown) => {
        before?.();
        this.#refuse(id, error);
      },
    );
  }

  #pace(): void {
    const isFull = this.#onTheirWayBytes > (this.#isPaused ? onTheirWayBytesMax / 2 : onTheirWayBytesMax);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#connection.pause();
    else this.#connection.resume();
  }

  #close(id: number, bytes: Buffer): void {
    const [number, handle] = this.#handleOf(bytes);
    this.#handles.delete(number);
    if (handle.kind === 'writer') this.#sayWhenDone(id, handle.writer.close());
    else this.#say(id, STATUS_CODE.OK);
  }

  #read(id: number, bytes: Buffer, offset: number, length: number): void {
    const [, handle] = this.#handleOf(bytes);
    if (handle.kind !== 'content') throw new VirtualRefusal('forbidden', 'the file is not open for reading');
    const piece = handle.bytes.subarray(offset, offset + Math.min(length, readBytesMax));
    if (piece.length === 0) this.#say(id, STATUS_CODE.EOF);
    else this.#sftp.data(id, Buffer.from(piece));
  }

  #describe(id: number, handleBytes: Buffer): void {
    const [, handle] = this.#handleOf(handleBytes);
    const isWritable = handle.kind === 'writer';
    const bytes = handle.kind === 'writer' ? handle.writer.bytes : handle.kind === 'content' ? handle.bytes.length : 0;
    const kind = handle.kind === 'listing' ? 'folder' : 'file';
    this.#attributes(id, { name: '', kind, bytes, isWritable, changedMs: 0 });
  }

  /** Times, modes and owners of files mean nothing here, so that setting them is no mistake; a size that nobody wrote is. */
  #change(id: number, attributes: Attributes, bytes: number): void {
    const isOther = attributes.size !== undefined && attributes.size !== bytes;
    if (isOther) this.#say(id, STATUS_CODE.PERMISSION_DENIED, 'the size of a file is that of what was written');
    else this.#say(id, STATUS_CODE.OK);
  }

  #attributes(id: number, entry: VirtualEntry): void {
    this.#sftp.attrs(id, attributesOf(entry));
  }

  #list(id: number, bytes: Buffer): void {
    const [, handle] = this.#handleOf(bytes);
    if (handle.kind !== 'listing') throw new VirtualRefusal('failed', 'this is no folder');
    const entries = handle.entries.slice(handle.next, handle.next + namesPerAnswerMax);
    handle.next += entries.length;
    if (entries.length === 0) this.#say(id, STATUS_CODE.EOF);
    else
      this.#sftp.name(
        id,
        entries.map((entry) => ({ filename: entry.name, longname: longNameOf(entry), attrs: attributesOf(entry) })),
      );
  }

  #refuse(id: number, error: unknown): void {
    if (error instanceof VirtualRefusal) this.#say(id, statusOf[error.kind], error.message);
    else if (error instanceof HeadgateError) this.#say(id, STATUS_CODE.FAILURE, `${error.code}: ${error.message}`);
    else {
      this.#onError(error);
      this.#say(id, STATUS_CODE.FAILURE, 'E_INTERNAL: an unexpected failure; nothing was kept');
    }
  }

  #say(id: number, status: number, message?: string): void {
    this.#connection.touch();
    if (!this.#isEnded) this.#sftp.status(id, status, message);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const handle of this.#handles.values()) if (handle.kind === 'writer') handle.writer.abort();
    this.#handles.clear();
    if (this.#isPaused) this.#connection.resume();
    this.#files.end();
  }
}
