/**
 * The outcome segment of a chunk (docs/decisions.md, outcome segment): what became of every data record, in about 19
 * bytes, and where records with a given key are. Written once, then read by random access.
 *
 * Layout, little-endian: `HGOS`, version byte, three zero bytes, u32 length of the JSON header, the header padded with
 * spaces to a multiple of 8; then columns, each padded with zeros to a multiple of 8: status u8, route set u16, offset u32 (from the chunk's start);
 * then for each index of the header its hashes (u64, rising) and its records (u32, position in the chunk).
 */
import type { ByteSink, ByteSource } from '../../../platform/base/byte-source.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { fileErrors } from '../engine-errors.ts';
import { sortHashes } from './hash-index.ts';
import type { HashedKey } from './hashed-keys.ts';
import { type OutcomeColumns, statusMask, warnedFlag } from './outcome-columns.ts';

export const outcomeSegmentVersion = 1;
const magic = 0x534f4748;
const prefixBytes = 12;

export interface OutcomeHeader {
  readonly records: number;
  readonly firstRecord: number;
  readonly chunkStart: number;
  readonly hash: { readonly algorithm: 'siphash-2-4'; readonly keyVersion: number };
  /** Target indexes by route set number. */
  readonly routeSets: readonly (readonly number[])[];
  readonly indexes: readonly { readonly name: string; readonly isUnique: boolean; readonly entries: number }[];
}

export interface SegmentDescription {
  readonly firstRecord: number;
  readonly chunkStart: number;
  readonly routeSets: readonly (readonly number[])[];
  readonly keys: readonly HashedKey[];
  readonly hashKeyVersion: number;
}

/** Writes the whole segment of a finished chunk. */
export function writeOutcomeSegment(columns: OutcomeColumns, sink: ByteSink, about: SegmentDescription): void {
  const { count } = columns;
  const indexes = columns.hashes.map((hashes) => sortHashes(hashes, count));
  const header: OutcomeHeader = {
    records: count,
    firstRecord: about.firstRecord,
    chunkStart: about.chunkStart,
    hash: { algorithm: 'siphash-2-4', keyVersion: about.hashKeyVersion },
    routeSets: about.routeSets,
    indexes: about.keys.map((key, index) => ({ name: key.name, isUnique: key.isUnique, entries: indexes[index]!.records.length })),
  };
  sink.write(headerBytes(header));
  writePadded(sink, columns.status.subarray(0, count));
  writePadded(sink, bytesOf(columns.routeSet.subarray(0, count)));
  writePadded(sink, bytesOf(columns.offset.subarray(0, count)));
  for (const index of indexes) {
    writePadded(sink, bytesOf(index.hashes));
    writePadded(sink, bytesOf(index.records));
  }
}

function headerBytes(header: OutcomeHeader): Uint8Array {
  const text = JSON.stringify(header);
  const padding = (8 - ((prefixBytes + Buffer.byteLength(text)) % 8)) % 8;
  const json = Buffer.from(text + ' '.repeat(padding), 'utf8');
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(magic, 0);
  prefix.writeUInt8(outcomeSegmentVersion, 4);
  prefix.writeUInt32LE(json.length, 8);
  return Buffer.concat([prefix, json]);
}

/** Typed arrays are little-endian on every platform that Node supports. */
function bytesOf(column: Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function writePadded(sink: ByteSink, bytes: Uint8Array): void {
  if (bytes.length > 0) sink.write(bytes);
  const padding = padded(bytes.length) - bytes.length;
  if (padding > 0) sink.write(new Uint8Array(padding));
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

export interface RecordOutcome {
  readonly record: number;
  readonly status: 'valid' | 'rejected' | 'filtered';
  readonly warned: boolean;
  /** Target indexes; exclusions are not known here. */
  readonly targets: readonly number[];
  /** Byte offset of the record in the member. */
  readonly offset: number;
}

const statusNames = ['valid', 'rejected', 'filtered'] as const;

/** Random access to one segment. Fails with E_SEGMENT on anything that is none. */
export class OutcomeSegment {
  readonly #source: ByteSource;
  readonly header: OutcomeHeader;
  readonly #statusAt: number;
  readonly #routeSetAt: number;
  readonly #offsetAt: number;
  readonly #indexAt: readonly { readonly hashes: number; readonly records: number }[];
  readonly #scratch = Buffer.alloc(8);
  /** Bytes of the segment; several can stand one behind the other in a file. */
  readonly bytes: number;

  /** `start`: where the segment starts in the source. */
  constructor(source: ByteSource, start = 0) {
    this.#source = source;
    const prefix = this.#read(Buffer.alloc(prefixBytes), start);
    if (prefix.readUInt32LE(0) !== magic || prefix.readUInt8(4) !== outcomeSegmentVersion)
      throw damaged('not an outcome segment of version 1');
    const headerLength = prefix.readUInt32LE(8);
    if (headerLength > source.size - start) throw damaged('its header is cut');
    this.header = parseHeader(this.#read(Buffer.alloc(headerLength), start + prefixBytes));
    const { records, indexes } = this.header;
    this.#statusAt = start + prefixBytes + headerLength;
    this.#routeSetAt = this.#statusAt + padded(records);
    this.#offsetAt = this.#routeSetAt + padded(records * 2);
    let at = this.#offsetAt + padded(records * 4);
    this.#indexAt = indexes.map(({ entries }) => {
      const place = { hashes: at, records: at + entries * 8 };
      at = place.records + padded(entries * 4);
      return place;
    });
    this.bytes = at - start;
    if (at > source.size) throw damaged('it is cut');
  }

  /** `position`: 0-based within the chunk. */
  outcome(position: number): RecordOutcome {
    if (position < 0 || position >= this.header.records) throw damaged('it holds no such record');
    const status = this.statusOf(position);
    const routeSet = this.#number(this.#routeSetAt + position * 2, 2);
    return {
      record: this.header.firstRecord + position,
      status: statusNames[status & statusMask]!,
      warned: (status & warnedFlag) !== 0,
      targets: this.header.routeSets[routeSet] ?? [],
      offset: this.header.chunkStart + this.#number(this.#offsetAt + position * 4, 4),
    };
  }

  statusOf(position: number): number {
    return this.#number(this.#statusAt + position, 1);
  }

  /** Positions of the records whose key hashes to this, in record order. A match has to be confirmed on the bytes. */
  find(index: number, hash: { readonly low: number; readonly high: number }): number[] {
    const { entries } = this.header.indexes[index]!;
    const positions: number[] = [];
    for (let at = this.#firstAtOrAfter(index, hash); at < entries; at++) {
      const found = this.hashAt(index, at);
      if (found.low !== hash.low || found.high !== hash.high) break;
      positions.push(this.recordAt(index, at));
    }
    return positions;
  }

  hashAt(index: number, entry: number): { readonly low: number; readonly high: number } {
    const bytes = this.#read(this.#scratch, this.#indexAt[index]!.hashes + entry * 8);
    return { low: bytes.readUInt32LE(0), high: bytes.readUInt32LE(4) };
  }

  recordAt(index: number, entry: number): number {
    return this.#number(this.#indexAt[index]!.records + entry * 4, 4);
  }

  /** A run of index entries at once, for merges; both arrays have `count` entries. */
  readEntries(index: number, first: number, count: number): { readonly hashes: Uint32Array; readonly records: Uint32Array } {
    const hashes = new Uint32Array(count * 2);
    const records = new Uint32Array(count);
    const place = this.#indexAt[index]!;
    this.#read(Buffer.from(hashes.buffer), place.hashes + first * 8);
    this.#read(Buffer.from(records.buffer), place.records + first * 4);
    return { hashes, records };
  }

  #firstAtOrAfter(index: number, hash: { readonly low: number; readonly high: number }): number {
    let low = 0;
    let high = this.header.indexes[index]!.entries;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.hashAt(index, middle);
      if (found.high < hash.high || (found.high === hash.high && found.low < hash.low)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #number(position: number, length: 1 | 2 | 4): number {
    return this.#read(this.#scratch.subarray(0, length), position).readUIntLE(0, length);
  }

  #read(into: Buffer, position: number): Buffer {
    for (let have = 0; have < into.length; ) {
      const count = this.#source.read(into, have, into.length - have, position + have);
      if (count === 0) throw damaged('it is cut');
      have += count;
    }
    return into;
  }
}

function damaged(why: string): HeadgateError {
  return new HeadgateError(fileErrors.E_SEGMENT, `the outcome segment can't be read: ${why}`);
}

function parseHeader(bytes: Buffer): OutcomeHeader {
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new HeadgateError(fileErrors.E_SEGMENT, "the outcome segment's header is damaged", { cause });
  }
  if (!isHeader(header)) throw damaged('its header is malformed');
  return header;
}

/** What is found by these numbers lies in the segment, and a segment never ends before it begins. */
function isHeader(value: unknown): value is OutcomeHeader {
  if (typeof value !== 'object' || value === null) return false;
  const { records, firstRecord, chunkStart, hash, routeSets, indexes } = value as { readonly [Name in keyof OutcomeHeader]?: unknown };
  const { algorithm, keyVersion } = (hash ?? {}) as Partial<OutcomeHeader['hash']>;
  return (
    [records, firstRecord, chunkStart, keyVersion].every(isCount) &&
    algorithm === 'siphash-2-4' &&
    Array.isArray(routeSets) &&
    routeSets.every((set) => Array.isArray(set) && set.every(isCount)) &&
    Array.isArray(indexes) &&
    indexes.every((index) => isIndex(index, records as number))
  );
}

function isIndex(value: unknown, records: number): boolean {
  const { name, isUnique, entries } = (value ?? {}) as Partial<OutcomeHeader['indexes'][number]>;
  return typeof name === 'string' && typeof isUnique === 'boolean' && isCount(entries) && entries <= records;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
