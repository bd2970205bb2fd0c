/**
 * The segments that one run writes: per kind and target one, holding the parts of all its chunks one behind the other.
 * What stays small is kept in memory and sealed together as one pack with one fsync; what grows gets a sealed object of
 * its own. Nothing exists before `commit`, and after `discard` nothing is left.
 */
import { createHash } from 'node:crypto';
import type { ByteSink } from '../../../platform/base/byte-source.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import type { ObjectIdentity, SealedObject, SealedStore, SealedWriter } from '../../../platform/storage/object-store.ts';
import { packMemberBytesMax } from '../../../platform/storage/packs.ts';
import type { SegmentPart } from './chunk-parts.ts';

export type SegmentKind = 'output' | 'outcome' | 'rejections' | 'exclusions';

/** A committed segment, as its row keeps it. */
export interface NewSegment {
  readonly segmentId: string;
  /** Id in the name of the stored object: the segment's own, or that of the pack. */
  readonly storedId: string;
  readonly kind: SegmentKind;
  /** Index into the plan's targets, for kind `output`. */
  readonly target: number | null;
  readonly object: SealedObject;
}

export interface SegmentSetSettings {
  readonly store: SealedStore;
  readonly tenantId: string;
  readonly ids: Ids;
  /** Readable end of the objects' names. */
  readonly label: string;
}

/** A part being written. */
export interface OpenPart extends ByteSink {
  /** Null when nothing was written. */
  end(): SegmentPart | null;
}

export class SegmentSet {
  readonly #settings: SegmentSetSettings;
  readonly #segments = new Map<string, Segment>();

  constructor(settings: SegmentSetSettings) {
    this.#settings = settings;
  }

  /** Parts of one segment are written one after the other. */
  openPart(kind: SegmentKind, target: number | null = null): OpenPart {
    const name = `${kind} ${target}`;
    let segment = this.#segments.get(name);
    if (segment === undefined) this.#segments.set(name, (segment = new Segment(this.#settings, kind, target)));
    return segment.openPart();
  }

  /** Makes everything durable: one pack for what is small, one object for each of the rest. */
  commit(): NewSegment[] {
    const { store, tenantId, ids, label } = this.#settings;
    const written = [...this.#segments.values()].filter((segment) => segment.bytes > 0);
    const small = written.filter((segment) => !segment.hasObject);
    const big = written.filter((segment) => segment.hasObject).map((segment) => segment.commit());
    if (small.length === 0) return big;
    const storedId = ids.next();
    const members = small.map((segment) => ({ objectId: segment.segmentId, bytes: segment.takeBuffered() }));
    const objects = store.createPack({ tenantId, objectId: storedId, kind: 'pack', label }, members);
    return [...big, ...small.map(({ segmentId, kind, target }, index) => ({ segmentId, storedId, kind, target, object: objects[index]! }))];
  }

  discard(): void {
    for (const segment of this.#segments.values()) segment.discard();
  }
}

class Segment {
  readonly #settings: SegmentSetSettings;
  readonly kind: SegmentKind;
  readonly target: number | null;
  readonly segmentId: string;
  #pieces: Buffer[] = [];
  #writer: SealedWriter | null = null;
  bytes = 0;

  constructor(settings: SegmentSetSettings, kind: SegmentKind, target: number | null) {
    this.#settings = settings;
    this.kind = kind;
    this.target = target;
    this.segmentId = settings.ids.next();
  }

  /** The first part is all that was written until it ends, which the writer hashes anyway. */
  openPart(): OpenPart {
    const start = this.bytes;
    const hash = start === 0 ? null : createHash('sha256');
    return {
      write: (bytes) => {
        hash?.update(bytes);
        this.#write(bytes);
      },
      end: () => {
        if (this.bytes === start) return null;
        return { segmentId: this.segmentId, start, end: this.bytes, sha256: hash?.digest('hex') ?? this.#hashSoFar() };
      },
    };
  }

  #hashSoFar(): string {
    if (this.#writer !== null) return this.#writer.hashSoFar();
    const hash = createHash('sha256');
    for (const piece of this.#pieces) hash.update(piece);
    return hash.digest('hex');
  }

  #write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.#writer !== null) {
      this.#writer.write(bytes);
      return;
    }
    if (this.bytes <= packMemberBytesMax) {
      this.#pieces.push(Buffer.from(bytes));
      return;
    }
    const { store, tenantId, label } = this.#settings;
    const identity: ObjectIdentity = { tenantId, objectId: this.segmentId, kind: this.kind, label };
    this.#writer = store.create(identity);
    for (const piece of this.#pieces) this.#writer.write(piece);
    this.#pieces = [];
    this.#writer.write(bytes);
  }

  get hasObject(): boolean {
    return this.#writer !== null;
  }

  /** The whole segment, without an object of its own. Nothing is written to it afterwards. */
  takeBuffered(): Buffer {
    const [only] = this.#pieces;
    const whole = this.#pieces.length === 1 ? only! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    return whole;
  }

  commit(): NewSegment {
    const object = this.#writer!.commit();
    return { segmentId: this.segmentId, storedId: this.segmentId, kind: this.kind, target: this.target, object };
  }

  discard(): void {
    this.#writer?.abort();
    this.#pieces = [];
  }
}
