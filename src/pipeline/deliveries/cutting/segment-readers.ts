/**
 * Open readers on the sealed objects that one piece of work reads, all closed together. Pieces of work that are under way at the same
 * time share them, and with them what is decrypted: small batches lie in the same segment. A big file has hundreds of segments: of
 * each only those used last hold a file handle, and others are opened again when they are read.
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

interface ReadersOfStore {
  readonly inUse: Map<string, SharedReader>;
  /** With a handle, least recently used first. */
  readonly open: Set<SegmentReader>;
}

const ofStore = new WeakMap<SealedStore, ReadersOfStore>();
/** As many as have decrypted frames in memory, and some. */
const openMax = 64;

/** Opens the object when it is made, so that it fails then, and again when it was closed for others. */
class SegmentReader implements SealedReader {
  readonly #openAgain: () => SealedReader;
  readonly #open: Set<SegmentReader>;
  #reader: SealedReader | null = null;
  #isClosed = false;
  readonly size: number;
  readonly sha256: string;

  constructor(openAgain: () => SealedReader, open: Set<SegmentReader>) {
    this.#openAgain = openAgain;
    this.#open = open;
    const { size, sha256 } = this.#opened();
    this.size = size;
    this.sha256 = sha256;
  }

  #opened(): SealedReader {
    if (this.#isClosed) throw new Error('this reader was closed');
    this.#open.delete(this);
    if (this.#reader === null) {
      const [first] = this.#open;
      if (this.#open.size >= openMax) first!.#giveUpHandle();
      this.#reader = this.#openAgain();
    }
    this.#open.add(this);
    return this.#reader;
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    return this.#opened().read(into, at, length, position);
  }

  #giveUpHandle(): void {
    this.#open.delete(this);
    this.#reader?.close();
    this.#reader = null;
  }

  close(): void {
    this.#isClosed = true;
    this.#giveUpHandle();
  }
}

function takeShared(store: SealedStore, tenantId: string, object: ObjectReference): SharedReader {
  let readers = ofStore.get(store);
  if (readers === undefined) ofStore.set(store, (readers = { inUse: new Map(), open: new Set() }));
  const { inUse, open } = readers;
  const name = [tenantId, object.objectId, object.name, object.wrappedKey].join(' ');
  let shared = inUse.get(name);
  if (shared === undefined) {
    const reader = new SegmentReader(() => store.open(tenantId, object), open);
    inUse.set(name, (shared = { reader, inUse, name, users: 0 }));
  }
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
