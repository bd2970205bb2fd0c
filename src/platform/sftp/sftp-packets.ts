/**
 * Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): built from fields, and cut out of a stream of bytes. Names and
 * paths are bytes. What a server sends is bounded by the packet and never trusted to be whole.
 */
import { Buffer } from 'node:buffer';
import { SftpFailure } from './sftp-failure.ts';

export const sent = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  openFolder: 11,
  readFolder: 12,
  remove: 13,
  makeFolder: 14,
  realPath: 16,
  rename: 18,
  extended: 200,
} as const;

export const received = { version: 2, status: 101, handle: 102, data: 103, names: 104, attributes: 105, extendedReply: 201 } as const;

export interface SftpAttributes {
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The server left out what tells files from each other: look at the file itself. */
  readonly isPartial: boolean;
}

/** A number is 32 bits, a bigint 64, bytes are preceded by their length. */
export type Field = number | bigint | Uint8Array;

/** `id` null: the first packet has none. */
export function packetOf(type: number, id: number | null, fields: readonly Field[]): Buffer {
  const parts = fields.flatMap((field) => {
    if (typeof field === 'number') return [fourBytes(field)];
    if (typeof field !== 'bigint') return [fourBytes(field.length), field];
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(field);
    return [bytes];
  });
  const body = [Buffer.from([type]), ...(id === null ? [] : [fourBytes(id)]), ...parts];
  return Buffer.concat([fourBytes(body.reduce((bytes, part) => bytes + part.length, 0)), ...body]);
}

function fourBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** More than any answer that is asked for. */
const packetBytesMax = 320 * 1024;

/** Puts packets together. Fails with an SftpFailure when the stream is no SFTP. */
export function createPacketCutter(onPacket: (packet: Buffer) => void): (data: Buffer) => void {
  const length = Buffer.alloc(4);
  let lengthFilled = 0;
  let packet: Buffer | undefined;
  let filled = 0;
  return (data) => {
    for (let at = 0; at < data.length; ) {
      if (packet === undefined) {
        const count = data.copy(length, lengthFilled, at, at + 4 - lengthFilled);
        at += count;
        lengthFilled += count;
        if (lengthFilled < 4) return;
        lengthFilled = 0;
        filled = 0;
        const bytes = length.readUInt32BE();
        if (bytes < 1 || bytes > packetBytesMax) throw new SftpFailure('answer', 'the server sent a packet that is empty or too long');
        packet = Buffer.allocUnsafeSlow(bytes);
      }
      const count = data.copy(packet, filled, at);
      at += count;
      filled += count;
      if (filled < packet.length) return;
      const whole = packet;
      packet = undefined;
      onPacket(whole);
    }
  };
}

/** Reads the fields of one packet in order. Fails with an SftpFailure where it ends too early. */
export class PacketReader {
  readonly #packet: Buffer;
  #at: number;

  constructor(packet: Buffer, at: number) {
    this.#packet = packet;
    this.#at = at;
  }

  number(): number {
    return this.#take(4).readUInt32BE();
  }

  get isAtEnd(): boolean {
    return this.#at === this.#packet.length;
  }

  bigNumber(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    return this.#take(this.number());
  }

  attributes(): SftpAttributes {
    const flags = this.number();
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const size = has(1) ? this.bigNumber() : 0n;
    if (has(2)) this.#take(8);
    const mode = has(4) ? this.number() : 0;
    const modifiedSeconds = has(8) ? [this.number(), this.number()][1]! : 0;
    if (has(0x80000000)) {
      for (let left = this.number(); left > 0; left--) {
        this.bytes();
        this.bytes();
      }
    }
    return {
      kind: kinds.get(mode & 0o170000) ?? 'other',
      sizeBytes: Math.min(Number(size), Number.MAX_SAFE_INTEGER),
      modifiedMs: modifiedSeconds * 1_000,
      isPartial: !(has(1) && has(4) && has(8)),
    };
  }

  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#packet.length) throw new SftpFailure('answer', 'the server sent a packet that is cut short');
    const field = this.#packet.subarray(this.#at, end);
    this.#at = end;
    return field;
  }
}

const kinds: ReadonlyMap<number, SftpAttributes['kind']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'folder'],
]);
