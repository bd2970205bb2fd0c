/** Writes zip archives, sound ones and such as say what is not so: each number of an entry can be another one in each place. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string | Buffer;
  readonly content?: string | Uint8Array;
  readonly isStored?: boolean;
  /** Sizes behind the content, with zeros before it. */
  readonly descriptor?: 'signed' | 'plain' | 'long';
  readonly madeBy?: number;
  readonly attributes?: number;
  /** What both headers say. */
  readonly said?: Partial<Said>;
  readonly local?: Partial<Said>;
  readonly central?: Partial<Said>;
  readonly described?: Partial<Pick<Said, 'crc32' | 'packedBytes' | 'bytes'>>;
  readonly localName?: string;
  readonly localExtra?: Buffer;
  readonly centralExtra?: Buffer;
  /** Bytes between this entry and the next. */
  readonly gap?: Buffer;
  /** Instead of packed content. */
  readonly packed?: Buffer;
}

interface Said {
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly start: number;
}

export interface ZipOptions {
  readonly before?: Buffer;
  readonly behind?: Buffer;
  readonly comment?: string;
  readonly end?: Partial<{ readonly entries: number; readonly bytes: number; readonly start: number; readonly disk: number }>;
  /** An end of 64 bits before the other one. */
  readonly end64?: Partial<{ readonly entries: number; readonly bytes: number; readonly start: number; readonly at: number }>;
  /** Changes the directory before its end is written. */
  readonly directory?: (directory: Buffer) => Buffer;
}

const descriptorFlag = 0b1000;
const utf8Flag = 0b1000_0000_0000;

export function zipArchive(members: readonly ZipMember[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [options.before ?? Buffer.alloc(0)];
  const entries: Buffer[] = [];
  let at = parts[0]!.length;
  for (const member of members) {
    const name = Buffer.from(member.name as string);
    const content = Buffer.from((member.content ?? '') as string);
    const packed = member.packed ?? (member.isStored ? content : deflateRawSync(content));
    const isAscii = name.every((byte) => byte < 128);
    const truth: Said = {
      flags: (member.descriptor ? descriptorFlag : 0) | (isAscii ? 0 : utf8Flag),
      method: member.isStored ? 0 : 8,
      crc32: crc32(content),
      packedBytes: packed.length,
      bytes: content.length,
      start: at,
      ...member.said,
    };
    const unknown = member.descriptor ? { crc32: 0, packedBytes: 0, bytes: 0 } : {};
    const descriptor = member.descriptor ? describe(member.descriptor, { ...truth, ...member.described }) : Buffer.alloc(0);
    const local = [
      localHeader({ ...truth, ...unknown, ...member.local }, member.localName ?? name, member.localExtra ?? Buffer.alloc(0)),
      packed,
      descriptor,
    ];
    entries.push(centralHeader({ ...truth, ...member.central }, name, member));
    parts.push(...local, member.gap ?? Buffer.alloc(0));
    at = parts.reduce((sum, part) => sum + part.length, 0);
  }
  const whole = Buffer.concat(entries);
  const directory = options.directory?.(whole) ?? whole;
  const facts = { entries: members.length, bytes: directory.length, start: at };
  const end64 = options.end64 ? endOf64({ ...facts, at: at + directory.length, ...options.end64 }) : Buffer.alloc(0);
  return Buffer.concat([
    ...parts,
    directory,
    end64,
    endOf({ ...facts, disk: 0, ...options.end }, options.comment ?? ''),
    options.behind ?? Buffer.alloc(0),
  ]);
}

/** The two sizes of 64 bits of a local header. */
export function zip64Sizes(bytes: number, packedBytes: number): Buffer {
  return extraField(0x0001, Buffer.concat([long(bytes), long(packedBytes)]));
}

export function extraField(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
}

export function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function localHeader(said: Said, name: string | Buffer, extra: Buffer): Buffer {
  const nameBytes = Buffer.from(name as string);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(said.flags, 6);
  header.writeUInt16LE(said.method, 8);
  header.writeUInt32LE(said.crc32, 14);
  header.writeUInt32LE(said.packedBytes, 18);
  header.writeUInt32LE(said.bytes, 22);
  header.writeUInt16LE(nameBytes.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, nameBytes, extra]);
}

function centralHeader(said: Said, name: Buffer, { madeBy = 3, attributes, centralExtra = Buffer.alloc(0) }: ZipMember): Buffer {
  const isFolder = name.at(-1) === 0x2f;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE((madeBy << 8) | 20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(said.flags, 8);
  header.writeUInt16LE(said.method, 10);
  header.writeUInt32LE(said.crc32, 16);
  header.writeUInt32LE(said.packedBytes, 20);
  header.writeUInt32LE(said.bytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(centralExtra.length, 30);
  header.writeUInt32LE(attributes ?? ((isFolder ? 0o040755 : 0o100644) << 16) >>> 0, 38);
  header.writeUInt32LE(said.start, 42);
  return Buffer.concat([header, name, centralExtra]);
}

function describe(kind: 'signed' | 'plain' | 'long', said: Pick<Said, 'crc32' | 'packedBytes' | 'bytes'>): Buffer {
  const signature = Buffer.from([0x50, 0x4b, 7, 8]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(said.crc32);
  if (kind === 'long') return Buffer.concat([signature, checksum, long(said.packedBytes), long(said.bytes)]);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(said.packedBytes, 0);
  sizes.writeUInt32LE(said.bytes, 4);
  return Buffer.concat([...(kind === 'signed' ? [signature] : []), checksum, sizes]);
}

function endOf64(end: { readonly entries: number; readonly bytes: number; readonly start: number; readonly at: number }): Buffer {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(end.entries), 24);
  record.writeBigUInt64LE(BigInt(end.entries), 32);
  record.writeBigUInt64LE(BigInt(end.bytes), 40);
  record.writeBigUInt64LE(BigInt(end.start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end.at), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}

function endOf(
  said: { readonly entries: number; readonly bytes: number; readonly start: number; readonly disk: number },
  comment: string,
): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(said.disk, 4);
  end.writeUInt16LE(said.disk, 6);
  end.writeUInt16LE(said.entries, 8);
  end.writeUInt16LE(said.entries, 10);
  end.writeUInt32LE(said.bytes, 12);
  end.writeUInt32LE(said.start, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([end, Buffer.from(comment)]);
}
