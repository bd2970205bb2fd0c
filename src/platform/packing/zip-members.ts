/** Unpacks the members of a zip archive, one after the other, each exactly as its directory says: size, CRC-32, nothing behind. */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../base/byte-source.ts';
import type { ByteStep } from './byte-step.ts';
import { nameOfMember } from './member-path.ts';
import type { UnpackMeter } from './unpack-meter.ts';
import { UnpackError } from './unpack-problem.ts';
import { Unpacker } from './unpacker.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

const pieceBytes = 64 * 1024;

/** A file that begins so is a zip archive, if it is sound. */
export function isZip(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

/** Fails with an UnpackError, then what was opened last is aborted. What all members are said to have is held against the limits first. */
export async function unzip(source: ByteSource, meter: UnpackMeter, openMember: (name: string) => ByteStep): Promise<void> {
  const entries = readZipDirectory(source, meter.entriesLeft);
  const named = entries.map((entry) => {
    meter.takeEntry();
    return { entry, name: nameOfMember(entry.path) };
  });
  if (entries.every((entry) => entry.isFolder)) throw holdsNoFiles();
  meter.foresee(entries.reduce((sum, entry) => sum + entry.bytes, 0));
  for (const { entry, name } of named) {
    if (entry.isFolder) continue;
    const member = openMember(name);
    try {
      await unpackMember(source, entry, meter, member);
      await member.end();
    } catch (error) {
      member.abort();
      throw error;
    }
  }
}

async function unpackMember(source: ByteSource, entry: ZipEntry, meter: UnpackMeter, member: ByteStep): Promise<void> {
  let bytes = 0;
  let checksum = 0;
  const take = (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > entry.bytes) throw wrong();
    meter.take(piece.length);
    checksum = crc32(piece, checksum);
    return member.push(piece);
  };
  if (entry.isDeflated) await inflate(piecesOf(source, entry), take);
  else for (const piece of piecesOf(source, entry)) await take(piece);
  if (bytes !== entry.bytes || checksum !== entry.crc32) throw wrong();
}

async function inflate(pieces: Iterable<Uint8Array>, onBytes: (piece: Uint8Array) => void | Promise<void>): Promise<void> {
  const unpacker = new Unpacker('deflate', { unpackedBytesMax: Number.MAX_SAFE_INTEGER, ratioMax: Number.MAX_SAFE_INTEGER, onBytes });
  try {
    for (const piece of pieces) if (await unpacker.push(piece)) throw wrong();
    if (await unpacker.end()) throw wrong();
  } finally {
    unpacker.abort();
  }
}

function* piecesOf(source: ByteSource, { start, packedBytes }: ZipEntry): Generator<Uint8Array> {
  for (let at = 0; at < packedBytes; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, packedBytes - at));
    const read = source.read(piece, 0, piece.length, start + at);
    at += read;
    yield piece.subarray(0, read);
  }
}

/** Nothing would be told of it, as if it had never come. */
export function holdsNoFiles(): UnpackError {
  return new UnpackError('members', 'the archive holds no files');
}

function wrong(): UnpackError {
  return new UnpackError('packing', 'a member of the archive is damaged, or not what its directory says');
}
