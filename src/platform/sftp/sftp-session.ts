/**
 * A session of SFTP version 3: requests by number, answered in any order. Paths are bytes. A server that falls silent while
 * it owes an answer, answers too slowly to go on, sends what is no SFTP, or closes, breaks the session: all that waits fails, and nothing can be asked any
 * more. Requests are not repeated here.
 */
import { Buffer } from 'node:buffer';
import { createSlots } from '../base/at-once.ts';
import type { Clock, Sleep } from '../base/ports.ts';
import { leastPace, ReadPace } from './read-pace.ts';
import { SftpFailure, type SftpFailureKind } from './sftp-failure.ts';
import { type ListOptions, listNames, type SftpListed } from './sftp-listing.ts';
import { createPacketCutter, type Field, PacketReader, packetOf, received, type SftpAttributes, sent } from './sftp-packets.ts';
import { createUpload, type SftpUpload, syncExtension } from './sftp-upload.ts';
import { connectSsh, type SshChannel, type SshOptions } from './ssh-connection.ts';

export interface SftpFile {
  attributes(): Promise<SftpAttributes>;
  /** Perhaps fewer bytes than asked for; null at the end. */
  read(position: number, bytes: number): Promise<Buffer | null>;
  close(): Promise<void>;
}

export interface SftpSession {
  readonly isBroken: boolean;
  /** Absolute, with links followed as far as the server does. */
  realPath(path: Buffer): Promise<Buffer>;
  /** All names but `.` and `..`, attributes not of what a link leads to. */
  list(folder: Buffer, options: ListOptions): Promise<SftpListed[]>;
  /** Never follows a link; undefined where nothing is. */
  lookAt(path: Buffer): Promise<SftpAttributes | undefined>;
  /** For reading. */
  open(path: Buffer): Promise<SftpFile>;
  /** A new file for writing; fails where something has the path. */
  create(path: Buffer): Promise<SftpUpload>;
  /** Fails where the new name is taken, at servers that keep to the draft. */
  rename(from: Buffer, to: Buffer): Promise<void>;
  remove(path: Buffer): Promise<void>;
  makeFolder(path: Buffer): Promise<void>;
  end(): void;
}

interface Waiting {
  resolve(packet: Buffer): void;
  reject(failure: SftpFailure): void;
}

/** No byte while an answer is owed; no whole answer. */
const silenceMsMax = 15_000;
const answerMsMax = 120_000;
const watchMs = 1_000;
const readsAtOnce = 16;
const pieceBytesMax = 255 * 1024;
export const readBytesMax = pieceBytesMax;
const statusKinds: Readonly<Record<number, SftpFailureKind>> = { 2: 'missing', 3: 'forbidden', 6: 'lost', 7: 'lost' };
const endOfFile = 1;
const openForReading = 1;
/** Write, create, and nothing may be there. */
const openForCreating = 0x02 | 0x08 | 0x20;
/** Owner writes, group reads. */
const newFileAttributes = [4, 0o640];
/** What every server takes; one that says so takes more. */
const writeBytesMin = 32 * 1024;
const limitsExtension = 'limits@openssh.com';

/** Fails with an SftpFailure. */
export async function openSftpSession(options: SshOptions & { readonly clock: Clock }): Promise<SftpSession> {
  const { signal } = options;
  const session = new Session(await connectSsh(options), options.clock, options.sleep);
  const end = () => session.end();
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted) end();
    await session.begin();
    return session;
  } catch (error) {
    session.end();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

class Session implements SftpSession {
  readonly #ssh: SshChannel;
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = new AbortController();
  readonly #readSlots = createSlots(readsAtOnce);
  readonly #extensions = new Set<string>();
  #writeBytesMax = writeBytesMin;
  #failure: SftpFailure | undefined;
  #lastId = 0;
  #bytesRead = 0;
  #heardAtMs: number;
  #answeredAtMs: number;

  constructor(ssh: SshChannel, clock: Clock, sleep: Sleep) {
    this.#ssh = ssh;
    this.#clock = clock;
    this.#sleep = sleep;
    this.#heardAtMs = clock.monotonicMs();
    this.#answeredAtMs = this.#heardAtMs;
    const cut = createPacketCutter((packet) => this.#take(packet));
    ssh.channel.on('data', (data: Buffer) => {
      this.#heardAtMs = clock.monotonicMs();
      try {
        cut(data);
      } catch (error) {
        this.#break(error instanceof SftpFailure ? error : new SftpFailure('answer', 'the server sent what is no SFTP', error));
      }
    });
    for (const event of ['close', 'error', 'end'])
      ssh.channel.on(event, () => this.#break(new SftpFailure('lost', 'the connection to the server was lost')));
    ssh.channel.stderr.resume();
    void this.#watch();
  }

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Version 3 is what every server can speak. */
  async begin(): Promise<void> {
    const version = await this.#send(sent.init, versionId, [3]);
    const reader = new PacketReader(version, 1);
    if (version[0] !== received.version || reader.number() < 3) throw this.#break(noAnswer());
    while (!reader.isAtEnd) {
      this.#extensions.add(reader.bytes().toString('latin1'));
      reader.bytes();
    }
  }

  async realPath(path: Buffer): Promise<Buffer> {
    const names = await this.#request(sent.realPath, [path], received.names);
    if (names.number() < 1) throw this.#break(noAnswer());
    return Buffer.from(names.bytes());
  }

  async list(folder: Buffer, options: ListOptions): Promise<SftpListed[]> {
    const handle = Buffer.from((await this.#request(sent.openFolder, [folder], received.handle)).bytes());
    try {
      return await listNames(() => this.#orEnd(sent.readFolder, [handle], received.names), options, this.#clock);
    } catch (error) {
      throw error instanceof SftpFailure && error.isOfConnection ? this.#break(error) : error;
    } finally {
      await this.#close(handle);
    }
  }

  async lookAt(path: Buffer): Promise<SftpAttributes | undefined> {
    try {
      return (await this.#request(sent.lstat, [path], received.attributes)).attributes();
    } catch (error) {
      if (error instanceof SftpFailure && error.kind === 'missing') return undefined;
      throw error;
    }
  }

  async open(path: Buffer): Promise<SftpFile> {
    const handle = Buffer.from((await this.#request(sent.open, [path, openForReading, 0], received.handle)).bytes());
    const pace = new ReadPace(this.#clock, () => this.#bytesRead);
    return {
      attributes: async () => (await this.#request(sent.fstat, [handle], received.attributes)).attributes(),
      read: (position, bytes) =>
        this.#readSlots(async () => {
          pace.begin();
          const data = await this.#orEnd(sent.read, [handle, BigInt(position), Math.min(bytes, readBytesMax)], received.data);
          const piece = data?.bytes();
          if (piece !== undefined && (piece.length === 0 || piece.length > bytes)) throw this.#break(noAnswer());
          this.#bytesRead += piece?.length ?? 0;
          if (pace.end()) throw this.#break(new SftpFailure('slow', `a file came more slowly than ${leastPace}`));
          return piece ?? null;
        }),
      close: () => this.#close(handle),
    };
  }

  async create(path: Buffer): Promise<SftpUpload> {
    await this.#askLimits();
    const opened = await this.#request(sent.open, [path, openForCreating, ...newFileAttributes], received.handle);
    return createUpload({
      done: (type, fields) => this.#done(type, fields),
      handle: Buffer.from(opened.bytes()),
      writeBytesMax: this.#writeBytesMax,
      canSync: this.#extensions.has(syncExtension),
    });
  }

  /** Once; of the four limits the third is that of a write. */
  async #askLimits(): Promise<void> {
    if (!this.#extensions.delete(limitsExtension)) return;
    const limits = await this.#request(sent.extended, [Buffer.from(limitsExtension)], received.extendedReply);
    const [, , write] = [limits.bigNumber(), limits.bigNumber(), limits.bigNumber()];
    this.#writeBytesMax = Math.max(writeBytesMin, Math.min(Number(write), pieceBytesMax));
  }

  async rename(from: Buffer, to: Buffer): Promise<void> {
    await this.#done(sent.rename, [from, to]);
  }

  async remove(path: Buffer): Promise<void> {
    await this.#done(sent.remove, [path]);
  }

  async makeFolder(path: Buffer): Promise<void> {
    // Permissions alone: 0700.
    await this.#done(sent.makeFolder, [path, 4, 0o700]);
  }

  end(): void {
    this.#break(new SftpFailure('lost', 'the session was ended'));
  }

  /** What a server says of a handle that is of no use any more changes nothing. */
  async #close(handle: Buffer): Promise<void> {
    await this.#done(sent.close, [handle]).catch(() => {});
  }

  async #done(type: number, fields: readonly Field[]): Promise<void> {
    const packet = await this.#send(type, this.#nextId(), fields);
    const status = statusOf(packet);
    if (status === undefined) throw this.#break(noAnswer());
    if (status !== 0) throw failureOf(status);
  }

  async #request(type: number, fields: readonly Field[], wanted: number): Promise<PacketReader> {
    const reader = await this.#orEnd(type, fields, wanted);
    if (reader === null) throw failureOf(endOfFile);
    return reader;
  }

  async #orEnd(type: number, fields: readonly Field[], wanted: number): Promise<PacketReader | null> {
    const packet = await this.#send(type, this.#nextId(), fields);
    if (packet[0] === wanted) return new PacketReader(packet, bodyAt);
    const status = statusOf(packet);
    if (status === undefined || status === 0) throw this.#break(noAnswer());
    if (status === endOfFile) return null;
    throw failureOf(status);
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) % versionId;
    return this.#lastId;
  }

  #send(type: number, id: number, fields: readonly Field[]): Promise<Buffer> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#waiting.size === 0) {
      this.#heardAtMs = this.#clock.monotonicMs();
      this.#answeredAtMs = this.#heardAtMs;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#ssh.channel.write(packetOf(type, id === versionId ? null : id, fields));
    });
  }

  #take(packet: Buffer): void {
    const id = packet[0] === received.version ? versionId : new PacketReader(packet, 1).number();
    const waiting = this.#waiting.get(id);
    if (!waiting) throw new SftpFailure('answer', 'the server answered what was not asked');
    this.#waiting.delete(id);
    this.#answeredAtMs = this.#clock.monotonicMs();
    waiting.resolve(packet);
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#sleep.sleep(watchMs, this.#ended.signal);
      if (this.#waiting.size === 0) continue;
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#heardAtMs > silenceMsMax || nowMs - this.#answeredAtMs > answerMsMax)
        this.#break(new SftpFailure('timeout', 'the server did not answer in time'));
    }
  }

  #break(failure: SftpFailure): SftpFailure {
    if (this.#failure) return this.#failure;
    this.#failure = failure;
    this.#ended.abort();
    this.#ssh.end();
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
    return failure;
  }
}

/** No request has it. */
const versionId = 0xffffffff;
/** Behind type and number. */
const bodyAt = 5;

function statusOf(packet: Buffer): number | undefined {
  return packet[0] === received.status ? new PacketReader(packet, bodyAt).number() : undefined;
}

function failureOf(status: number): SftpFailure {
  return new SftpFailure(statusKinds[status] ?? 'failed', `the server refused it (status ${status})`);
}

function noAnswer(): SftpFailure {
  return new SftpFailure('answer', 'the server sent an answer to something else');
}
