/**
 * Open readers on the sealed objects that one piece of work reads, each opened once and all closed together. Pieces of work
 * that are under way at the same time share them, and with them what is decrypted: small batches lie in the same segment.
 */
import type { SealedObject, SealedReader, SealedStore } from '../../../platform/storage/object-store.ts';

export type ObjectReference = Pick<SealedObject, 'objectId' | 'name' | 'wrappedKey'>;

export class SegmentReaders {
  readonly #store: SealedStore;
  readonly #tenantId: string;
  readonly #open = new Map<string, SharedReader>();

  constructor(store: SealedStore, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  open(object: ObjectReference): SealedReader {
    const known = this.#open.get(object.objectId);
    if (known !== undefined) return known.reader;
    const shared = takeShared(this.#store, this.#tenantId, object);
    this.#open.set(object.objectId, shared);
    return shared.reader;
  }

  close(): void {
    for (const shared of this.#open.values()) giveBack(shared);
    this.#open.clear();
  }
}

interface SharedReader {
  readonly reader: SealedReader;
  readonly inUse: Map<string, SharedReader>;
  readonly name: string;
  users: number;
}

const inUseOf = new WeakMap<SealedStore, Map<string, SharedReader>>();

function takeShared(store: SealedStore, tenantId: string, object: ObjectReference): SharedReader {
  let inUse = inUseOf.get(store);
  if (inUse === undefined) inUseOf.set(store, (inUse = new Map()));
  const name = [tenantId, object.objectId, object.name, object.wrappedKey].join(' ');
  let shared = inUse.get(name);
  if (shared === undefined) inUse.set(name, (shared = { reader: store.open(tenantId, object), inUse, name, users: 0 }));
  shared.users += 1;
  return shared;
}

function giveBack(shared: SharedReader): void {
  shared.users -= 1;
  if (shared.users > 0) return;
  shared.inUse.delete(shared.name);
  shared.reader.close();
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
