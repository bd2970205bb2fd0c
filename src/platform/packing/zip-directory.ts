/**
 * Reads the central directory of a zip archive (APPNOTE 6.3.10) strictly: what two readers could understand in two ways is
 * refused. Directory and local headers must say the same; the entries must fill the archive from its first byte to the directory,
 * without gaps, overlaps or anything behind. So no entry is hidden, none is read twice, and no byte is left unread.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { ByteSource } from '../base/byte-source.ts';
import { UnpackError } from './unpack-problem.ts';
import { type ExtraFields, readExtraFields, zip64Extra } from './zip-extra-fields.ts';

export interface ZipEntry {
  /** With slashes; one at the end of a folder's. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its packed bytes begin. */
  readonly start: number;
}

/** More than 256 entries with names of 255 bytes and the usual extra fields need. */
const directoryBytesMax = 1024 * 1024;
const endBytes = 22;
const end64Bytes = 56;
const locatorBytes = 20;
const entryBytes = 46;
const localBytes = 30;
const unknown16 = 0xffff;
const unknown32 = 0xffff_ffff;
/** Bits 1 and 2 tell how hard was packed, 3 that a descriptor follows, 11 that names are UTF-8. */
const knownFlags = 0b1000_0000_1110;
const encryptedFlags = 0b10_0000_0100_0001;
const descriptorFlag = 0b1000;
const utf8Flag = 0b1000_0000_0000;

interface DirectoryEntry extends Omit<ZipEntry, 'start'> {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly localStart: number;
}

interface DirectoryPlace {
  readonly start: number;
  readonly bytes: number;
  readonly entries: number;
}

/** In the order of the directory. Fails with an UnpackError. */
export function readZipDirectory(source: ByteSource, entriesMax: number): ZipEntry[] {
  const place = findDirectory(source);
  if (place.entries > entriesMax)
    throw new UnpackError('members', `the archive has more than ${entriesMax} entries, which is as many as its source allows`);
  if (place.bytes > directoryBytesMax) throw new UnpackError('members', `the archive's directory has more than ${directoryBytesMax} bytes`);
  const directory = readExactly(source, place.start, place.bytes);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let index = 0; index < place.entries; index++) {
    const { entry, length } = readEntry(directory, at);
    entries.push(entry);
    at += length;
  }
  if (at !== directory.length) throw damaged('its directory is longer than its entries');
  return placeEntries(source, entries, place.start);
}

function findDirectory(source: ByteSource): DirectoryPlace {
  const endAt = source.size - endBytes;
  const end = endAt < 0 ? Buffer.alloc(0) : readExactly(source, endAt, endBytes);
  if (end.length === 0 || end.readUInt32LE(0) !== 0x06054b50 || end.readUInt16LE(20) !== 0) {
    const head = readExactly(source, 0, Math.min(4, source.size));
    if (head.toString('latin1') !== 'PK\u0003\u0004' && head.toString('latin1') !== 'PK\u0005\u0006')
      throw new UnpackError('packing', 'the file is no zip archive, as its source says that it is');
    throw damaged('it does not end with its directory: it is cut off, has a comment, or has bytes behind its end');
  }
  const short = {
    disks: [end.readUInt16LE(4), end.readUInt16LE(6)],
    entriesHere: end.readUInt16LE(8),
    entries: end.readUInt16LE(10),
    bytes: end.readUInt32LE(12),
    start: end.readUInt32LE(16),
  };
  const { place, endsAt } = findEnd64(source, endAt, short) ?? { place: short, endsAt: endAt };
  if (short.disks.some((disk) => disk !== 0 && disk !== unknown16)) throw damaged('it is one of several parts');
  if (short.entriesHere !== short.entries) throw damaged('it is one of several parts');
  if (place.start + place.bytes !== endsAt) throw damaged('its directory is not where it says');
  if (place.entries * entryBytes > place.bytes) throw damaged('its directory is shorter than its entries');
  return place;
}

/** Where a directory of 64 bits is there, every number must be the same in both, or unknown in the short one. */
function findEnd64(
  source: ByteSource,
  endAt: number,
  short: { readonly entries: number; readonly bytes: number; readonly start: number },
): { place: DirectoryPlace; endsAt: number } | undefined {
  const locatorAt = endAt - locatorBytes;
  const locator = locatorAt < 0 ? null : readExactly(source, locatorAt, locatorBytes);
  if (locator?.readUInt32LE(0) !== 0x07064b50) return undefined;
  const endsAt = locatorAt - end64Bytes;
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1) throw damaged('it is one of several parts');
  if (endsAt < 0 || number64(locator, 8) !== endsAt) throw damaged('the end of its directory of 64 bits is not where it says');
  const end = readExactly(source, endsAt, end64Bytes);
  if (end.readUInt32LE(0) !== 0x06064b50 || number64(end, 4) !== end64Bytes - 12) throw damaged('its end of 64 bits is malformed');
  if (end.readUInt32LE(16) !== 0 || end.readUInt32LE(20) !== 0 || number64(end, 24) !== number64(end, 32))
    throw damaged('it is one of several parts');
  const place = { entries: number64(end, 32), bytes: number64(end, 40), start: number64(end, 48) };
  const isSame =
    (short.entries === unknown16 || short.entries === place.entries) &&
    (short.bytes === unknown32 || short.bytes === place.bytes) &&
    (short.start === unknown32 || short.start === place.start);
  if (!isSame) throw damaged('its ends of 32 and 64 bits say different things');
  return { place, endsAt };
}

function readEntry(directory: Buffer, at: number): { entry: DirectoryEntry; length: number } {
  if (at + entryBytes > directory.length || directory.readUInt32LE(at) !== 0x02014b50)
    throw damaged('an entry of its directory is malformed');
  const nameBytes = directory.readUInt16LE(at + 28);
  const extraBytes = directory.readUInt16LE(at + 30);
  const commentBytes = directory.readUInt16LE(at + 32);
  const length = entryBytes + nameBytes + extraBytes + commentBytes;
  if (at + length > directory.length) throw damaged('an entry of its directory is malformed');
  const name = directory.subarray(at + entryBytes, at + entryBytes + nameBytes);
  const extra = readExtraFields(directory.subarray(at + entryBytes + nameBytes, at + entryBytes + nameBytes + extraBytes));
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const path = readPath(name, flags, extra);
  checkKind({ madeBy: directory.readUInt16LE(at + 4) >> 8, attributes: directory.readUInt32LE(at + 38), flags, method, path });
  if (directory.readUInt16LE(at + 34) !== 0) throw damaged('it is one of several parts');
  const short = [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)] as const;
  const [bytes, packedBytes, localStart] = longNumbers(short, extra.zip64);
  const isFolder = path.endsWith('/');
  if (isFolder && (bytes !== 0 || packedBytes !== 0)) throw new UnpackError('entry', 'a folder of the archive has content');
  if (method === 0 && bytes !== packedBytes) throw damaged('an entry that is not packed has two sizes');
  return {
    entry: {
      path,
      isFolder,
      isDeflated: method === 8,
      crc32: directory.readUInt32LE(at + 16),
      packedBytes,
      bytes,
      name,
      flags,
      method,
      localStart: localStart!,
    },
    length,
  };
}

/** The extra field of 64 bits has exactly the numbers that are unknown in 32, in their order. */
function longNumbers<Numbers extends readonly number[]>(short: Numbers, zip64: Buffer | null): { [Index in keyof Numbers]: number } {
  const unknown = short.filter((value) => value === unknown32).length;
  if ((zip64?.length ?? 0) !== 8 * unknown) throw damaged('an entry has other sizes of 64 bits than it needs');
  let at = 0;
  return short.map((value) => {
    if (value !== unknown32) return value;
    const long = number64(zip64!, at);
    at += 8;
    return long;
  }) as { [Index in keyof Numbers]: number };
}

function readPath(name: Buffer, flags: number, extra: ExtraFields): string {
  const isSaid = (flags & utf8Flag) !== 0;
  if (isSaid ? !isUtf8(name) : !isAscii(name))
    throw new UnpackError('name', 'the name of a member is not ASCII, and not UTF-8 that is said to be such');
  if (extra.unicodePath !== null && !extra.unicodePath.equals(name)) throw new UnpackError('name', 'a member has two names');
  return name.toString('utf8');
}

interface EntryKind {
  readonly madeBy: number;
  readonly attributes: number;
  readonly flags: number;
  readonly method: number;
  readonly path: string;
}

const unixSystems = [3, 19];

function checkKind({ madeBy, attributes, flags, method, path }: EntryKind): void {
  if ((flags & encryptedFlags) !== 0 || method === 99) throw new UnpackError('entry', 'an entry of the archive is encrypted');
  if ((flags & ~knownFlags) !== 0) throw new UnpackError('entry', 'an entry of the archive has flags that are not known');
  if (method !== 0 && method !== 8)
    throw new UnpackError('entry', 'an entry of the archive is packed in another way than `store` and `deflate`');
  const isFolder = path.endsWith('/');
  const kind = unixSystems.includes(madeBy) ? (attributes >>> 16) & 0o170000 : 0;
  if (kind !== 0 && kind !== (isFolder ? 0o040000 : 0o100000))
    throw new UnpackError('entry', 'an entry of the archive is no plain file: a link, a device, or a folder that is named as a file');
  if (!isFolder && (attributes & 0x10) !== 0) throw new UnpackError('entry', 'an entry of the archive is a folder that is named as a file');
}

/** In the order of their places each entry must begin where the one before it ends. */
function placeEntries(source: ByteSource, entries: readonly DirectoryEntry[], directoryStart: number): ZipEntry[] {
  const byPlace = entries.toSorted((one, other) => one.localStart - other.localStart);
  const starts = new Map<DirectoryEntry, number>();
  let expected = 0;
  for (const [index, entry] of byPlace.entries()) {
    if (entry.localStart !== expected) throw damaged('its entries overlap, or there are bytes between them');
    const next = byPlace[index + 1]?.localStart ?? directoryStart;
    const start = checkLocal(source, entry, next);
    starts.set(entry, start);
    expected = checkDescriptor(source, entry, start + entry.packedBytes, next);
  }
  if (expected !== directoryStart) throw damaged('there are bytes between its entries and its directory');
  return entries.map((entry) => {
    const { path, isFolder, isDeflated, crc32, packedBytes, bytes } = entry;
    return { path, isFolder, isDeflated, crc32, packedBytes, bytes, start: starts.get(entry)! };
  });
}

/** Gives back where the packed bytes begin. */
function checkLocal(source: ByteSource, entry: DirectoryEntry, next: number): number {
  const at = entry.localStart;
  const tooLong = () => damaged('its entries overlap');
  if (at + localBytes > next) throw tooLong();
  const header = readExactly(source, at, localBytes);
  if (header.readUInt32LE(0) !== 0x04034b50) throw damaged('an entry is not where its directory says');
  const nameBytes = header.readUInt16LE(26);
  const extraBytes = header.readUInt16LE(28);
  const start = at + localBytes + nameBytes + extraBytes;
  if (start + entry.packedBytes > next) throw tooLong();
  const rest = readExactly(source, at + localBytes, nameBytes + extraBytes);
  const hasDescriptor = (entry.flags & descriptorFlag) !== 0;
  const extra = readExtraFields(rest.subarray(nameBytes));
  const [crc32, packedBytes, bytes] = [header.readUInt32LE(14), header.readUInt32LE(18), header.readUInt32LE(22)];
  const isSame = (value: number, stated: number) => value === stated || (hasDescriptor && value === 0);
  const isAsStated =
    header.readUInt16LE(6) === entry.flags &&
    header.readUInt16LE(8) === entry.method &&
    rest.subarray(0, nameBytes).equals(entry.name) &&
    (extra.unicodePath === null || extra.unicodePath.equals(entry.name)) &&
    isSame(crc32, entry.crc32) &&
    isSameSize({ bytes, packedBytes }, extra.zip64, entry, isSame);
  if (!isAsStated) throw damaged('its directory and an entry say different things');
  return start;
}

/** Sizes of 32 bits, or both of 64 bits where one is unknown in 32; zero is allowed where a descriptor follows. */
function isSameSize(
  short: { readonly bytes: number; readonly packedBytes: number },
  zip64: Buffer | null,
  entry: DirectoryEntry,
  isSame: (value: number, stated: number) => boolean,
): boolean {
  const isUnknown = short.bytes === unknown32 || short.packedBytes === unknown32;
  if (!isUnknown) return isSame(short.bytes, entry.bytes) && isSame(short.packedBytes, entry.packedBytes) && isZeroOrNone(zip64, entry);
  if (zip64?.length !== zip64Extra.localBytes) return false;
  const [bytes, packedBytes] = [number64(zip64, 0), number64(zip64, 8)];
  const isShort = (value: number, stated: number) => value === unknown32 || isSame(value, stated);
  return (
    isSame(bytes, entry.bytes) &&
    isSame(packedBytes, entry.packedBytes) &&
    isShort(short.bytes, entry.bytes) &&
    isShort(short.packedBytes, entry.packedBytes)
  );
}

/** What is there without need must not say anything else. */
function isZeroOrNone(zip64: Buffer | null, entry: DirectoryEntry): boolean {
  if (zip64 === null) return true;
  if (zip64.length !== zip64Extra.localBytes) return false;
  const [bytes, packedBytes] = [number64(zip64, 0), number64(zip64, 8)];
  return (bytes === 0 || bytes === entry.bytes) && (packedBytes === 0 || packedBytes === entry.packedBytes);
}

/** Gives back where the entry ends. How long its descriptor is, is told by the room that it has. */
function checkDescriptor(source: ByteSource, entry: DirectoryEntry, at: number, next: number): number {
  if ((entry.flags & descriptorFlag) === 0) return at;
  const length = next - at;
  if (![12, 16, 20, 24].includes(length)) throw damaged('its entries overlap, or there are bytes between them');
  const descriptor = readExactly(source, at, length);
  const hasSignature = length === 16 || length === 24;
  const fields = hasSignature ? descriptor.subarray(4) : descriptor;
  const [packedBytes, bytes] =
    fields.length === 20 ? [number64(fields, 4), number64(fields, 12)] : [fields.readUInt32LE(4), fields.readUInt32LE(8)];
  const isAsStated =
    (!hasSignature || descriptor.readUInt32LE(0) === 0x08074b50) &&
    fields.readUInt32LE(0) === entry.crc32 &&
    packedBytes === entry.packedBytes &&
    bytes === entry.bytes;
  if (!isAsStated) throw damaged('its directory and the descriptor of an entry say different things');
  return next;
}

function number64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a size of 64 bits is beyond all bounds');
  return Number(value);
}

function readExactly(source: ByteSource, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (position < 0 || position + length > source.size) throw damaged('it ends before what it describes');
  for (let read = 0; read < length; ) read += source.read(bytes, read, length - read, position + read);
  return bytes;
}

function damaged(what: string): UnpackError {
  return new UnpackError('packing', `the archive is damaged or not sound: ${what}`);
}
