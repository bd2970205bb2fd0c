/** Keeps a content: a small one in memory, to be packed with others; a bigger one in a sealed object that nothing names yet. */
import { createHash, type Hash } from 'node:crypto';
import type { ClosableBytes } from '../../platform/packing/unpack-chain.ts';
import type { SealedObject, SealedStore, SealedWriter } from '../../platform/storage/object-store.ts';

/** Files below this are packed (decisions 5). */
export const packedBytesMax = 64 * 1024;

/** Bytes that were taken in: in memory, or sealed and durable. */
export interface Content {
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly small: Uint8Array | null;
  readonly sealed: SealedObject | null;
}

export interface ContentPlace {
  readonly tenantId: string;
  readonly store: SealedStore;
}

export class ContentSink {
  readonly #place: ContentPlace;
  readonly #createId: () => string;
  readonly #hash: Hash = createHash('sha256');
  #pieces: Uint8Array[] = [];
  #writer: SealedWriter | null = null;
  bytes = 0;

  /** The id is asked for when an object is begun. */
  constructor(place: ContentPlace, createId: () => string) {
    this.#place = place;
    this.#createId = createId;
  }

  write(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.#writer === null && this.bytes < packedBytesMax) {
      this.#hash.update(piece);
      this.#pieces.push(new Uint8Array(piece));
      return;
    }
    if (this.#writer === null) {
      const { store, tenantId } = this.#place;
      this.#writer = store.create({ tenantId, objectId: this.#createId(), kind: 'raw' });
      for (const kept of this.#pieces) this.#writer.write(kept);
      this.#pieces = [];
    }
    this.#writer.write(piece);
  }

  end(): Content {
    if (this.#writer === null) {
      const small = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      return { bytes: small.length, sha256: this.#hash.digest('hex'), small, sealed: null };
    }
    const sealed = this.#writer.commit();
    this.#writer = null;
    return { bytes: sealed.bytes, sha256: sealed.sha256, small: null, sealed };
  }

  abort(): void {
    this.#writer?.abort();
    this.#writer = null;
    this.#pieces = [];
  }
}

/** To read it anywhere. */
export function openContent({ store, tenantId }: ContentPlace, content: Content): ClosableBytes {
  if (content.sealed !== null) return store.open(tenantId, content.sealed);
  const bytes = content.small!;
  return {
    size: bytes.length,
    read(into, at, length, position) {
      const piece = bytes.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
    close() {},
  };
}
