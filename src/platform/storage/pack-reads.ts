/**
 * Reads of many members of the same pack: the pack is opened once, and a small one is read once, however many members are
 * read from it. One pack is kept at a time, so members are best read in the order in which they lie.
 */
import { freeBytes } from '../base/freed-bytes.ts';
import type { RawReader, RawStore } from './object-store.ts';

export interface PackReads {
  /** As `RawStore.open`, for the name of a pack. */
  open(name: string): RawReader;
  /** Readers that are still open stay so until they are closed themselves. */
  close(): void;
}

/** Packs up to here are read as a whole. */
const wholeBytesMax = 2 * 1024 * 1024;

interface OpenPack {
  readonly name: string;
  readonly reader: RawReader;
  readonly whole: Buffer<ArrayBuffer> | null;
  users: number;
}

export function createPackReads(raw: Pick<RawStore, 'open'>): PackReads {
  let kept: OpenPack | null = null;

  function closeUnused(pack: OpenPack): void {
    if (pack.users > 0 || pack === kept) return;
    pack.reader.close();
    if (pack.whole !== null) freeBytes(pack.whole);
  }
  function keep(next: OpenPack | null): void {
    const before = kept;
    kept = next;
    if (before !== null) closeUnused(before);
  }
  function openPack(name: string): OpenPack {
    const reader = raw.open(name);
    try {
      return { name, reader, whole: reader.size <= wholeBytesMax ? readWhole(reader) : null, users: 0 };
    } catch (error) {
      reader.close();
      throw error;
    }
  }
  return {
    open(name) {
      if (kept?.name !== name) keep(openPack(name));
      const pack = kept!;
      pack.users += 1;
      let isOpen = true;
      return {
        size: pack.reader.size,
        read: (into, at, length, position) =>
          pack.whole === null ? pack.reader.read(into, at, length, position) : copyFrom(pack.whole, into, at, length, position),
        close() {
          if (!isOpen) return;
          isOpen = false;
          pack.users -= 1;
          closeUnused(pack);
        },
      };
    },
    close: () => keep(null),
  };
}

function readWhole(reader: RawReader): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(reader.size);
  return bytes.subarray(0, reader.read(bytes, 0, bytes.length, 0));
}

function copyFrom(bytes: Buffer, into: Uint8Array, at: number, length: number, position: number): number {
  const piece = bytes.subarray(position, position + length);
  into.set(piece, at);
  return piece.length;
}
