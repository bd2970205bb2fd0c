/** Open readers on the sealed objects that one piece of work reads, each opened once and all closed together. */
import type { SealedObject, SealedReader, SealedStore } from '../../platform/storage/object-store.ts';

export type ObjectReference = Pick<SealedObject, 'objectId' | 'name' | 'wrappedKey'>;

export class SegmentReaders {
  readonly #store: SealedStore;
  readonly #tenantId: string;
  readonly #open = new Map<string, SealedReader>();

  constructor(store: SealedStore, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  open(object: ObjectReference): SealedReader {
    const known = this.#open.get(object.objectId);
    if (known !== undefined) return known;
    const reader = this.#store.open(this.#tenantId, object);
    this.#open.set(object.objectId, reader);
    return reader;
  }

  close(): void {
    for (const reader of this.#open.values()) reader.close();
    this.#open.clear();
  }
}

/** Exactly `[start, end)`. */
export function readRange(reader: SealedReader, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  readInto(reader, bytes, 0, { position: start, length: bytes.length });
  return bytes;
}

/** Fewer bytes there than asked for are a programmer's error: whoever wrote the object knew its length. */
export function readInto(
  reader: SealedReader,
  bytes: Uint8Array,
  at: number,
  range: { readonly position: number; readonly length: number },
): void {
  for (let have = 0; have < range.length; ) {
    const count = reader.read(bytes, at + have, range.length - have, range.position + have);
    if (count === 0) throw new Error('a segment is shorter than a batch says');
    have += count;
  }
}
