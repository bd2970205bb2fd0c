/**
 * The object store, as the rest of the product sees it: immutable objects under generated names. Two layers: a raw
 * store (bytes by name; on a local disk, or in a bucket or container) and sealing on top of it (encrypted frames with random access).
 * Nothing is visible under its name before it is complete and durable (file and folder fsynced, or confirmed by the service).
 */
import type { ByteSource } from '../base/byte-source.ts';

export interface RawStore {
  /** Starts an object; it exists only after `commit`. Fails with E_STORAGE_FULL, E_STORAGE_IO. Never overwrites (E_OBJECT_EXISTS). */
  create(name: string): RawWriter;
  open(name: string): RawReader;
  exists(name: string): boolean;
  remove(name: string): void;
  /** Names under a prefix with their age, for the orphan sweep only: never truth. */
  list(prefix: string): Iterable<StoredName>;
  /** Objects that were started and neither committed nor aborted, by anyone; their names are not object names. None of a remote store. */
  listUnfinished(): Iterable<StoredName>;
  removeUnfinished(name: string): void;
}

export interface StoredName {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Synchronous on purpose: it runs in worker threads, or moves one frame at a time. */
export interface RawWriter {
  write(bytes: Uint8Array): void;
  /**
   * Without overwriting. Only then is it durable: fsync, link under the name, fsync the folder; or the service's word. `check` is given what
   * opens the object as it was written; what it throws is thrown, and the object is gone. On a disk it is called while what was written is on
   * its way there, and before the name is given.
   */
  commit(check?: (open: () => RawReader) => void): void;
  abort(): void;
}

export interface RawReader {
  readonly size: number;
  read(into: Uint8Array, at: number, length: number, position: number): number;
  close(): void;
}

/** Who an object belongs to; part of every frame's authenticated data. */
export interface ObjectIdentity {
  readonly tenantId: string;
  /** UUID; with the tenant it makes the object's name `<cell>/<tenant>/<kind>/…/<objectId>`. */
  readonly objectId: string;
  readonly kind: 'raw' | 'pack' | 'output' | 'outcome' | 'rejections' | 'exclusions' | 'receipt';
  /** Readable end of the name, such as `job-chunk-fence` (lower case letters, digits, hyphens): for people who look at the folder. */
  readonly label?: string;
}

/** What the owning row keeps of a sealed object. `wrappedKey` erased = the object is unreadable for ever. */
export interface SealedObject {
  readonly objectId: string;
  readonly name: string;
  /** Plaintext bytes and hash (64 hex digits). */
  readonly bytes: number;
  readonly sha256: string;
  readonly storedBytes: number;
  /** Base64: version, key version, wrapped data key. */
  readonly wrappedKey: string;
}

export interface SealedWriter {
  /** Plaintext, any amount. */
  write(bytes: Uint8Array): void;
  /** SHA-256 of what was written until now, 64 hex digits. */
  hashSoFar(): string;
  /** Seals the last frame, reads all back, compares the hash (E_READ_BACK), and makes it durable. */
  commit(): SealedObject;
  abort(): void;
}

/** A small object that shares a stored object with others of its tenant (`createPack`). */
export interface PackMember {
  readonly objectId: string;
  readonly bytes: Uint8Array;
}

export interface SealedReader extends ByteSource {
  /** The plaintext's hash as the writer sealed it (64 hex digits); authenticated, but not recomputed by reading. */
  readonly sha256: string;
  close(): void;
}

/** For reading many objects one after the other: a pack that several of them share is opened once. */
export interface SealedReads {
  /** As `SealedStore.open`. */
  open(tenantId: string, object: Pick<SealedObject, 'objectId' | 'name' | 'wrappedKey'>): SealedReader;
  close(): void;
}

export interface SealedStore {
  create(identity: ObjectIdentity): SealedWriter;
  /**
   * Small objects in one stored object with one fsync, each with a data key of its own, in the order given. What comes
   * back is read, owned and erased like any other sealed object; several share one `name`.
   */
  createPack(pack: ObjectIdentity, members: readonly PackMember[]): SealedObject[];
  /** Fails with E_OBJECT_MISSING, E_OBJECT_DAMAGED (a frame's tag), E_KEY, E_KEY_ERASED, E_KEY_VERSION. */
  open(tenantId: string, object: Pick<SealedObject, 'objectId' | 'name' | 'wrappedKey'>): SealedReader;
  /** 32 bytes, the same as long as the object can be read, and others for each object and purpose. Fails as `open` does for its key. */
  deriveKey(tenantId: string, object: Pick<SealedObject, 'objectId' | 'wrappedKey'>, purpose: string): Uint8Array;
  openReads(): SealedReads;
  exists(name: string): boolean;
  /** Removes the stored bytes. The caller has made sure that no row names them. */
  remove(name: string): void;
}
