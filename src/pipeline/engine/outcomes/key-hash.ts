/**
 * SipHash-2-4 (Aumasson, Bernstein 2012) with a 64-bit result, on 32-bit halves. Keyed, so that a sender can't make
 * collisions and an index of hashes says nothing about the values to one who lacks the key.
 */

/** Keys up to this many bytes are hashed without a buffer of their own. */
const scratchBytes = 1_024;

/** Result of the last hash, in two unsigned halves. */
export class KeyHash {
  readonly #scratch = Buffer.alloc(scratchBytes);
  readonly #key: Int32Array;
  low = 0;
  high = 0;

  /** `key`: 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new Error('a hash key has 16 bytes');
    this.#key = new Int32Array(key.slice().buffer);
  }

  /** Hashes the UTF-8 bytes of a text. */
  hashText(text: string): void {
    if (text.length * 3 > scratchBytes) {
      const bytes = Buffer.from(text, 'utf8');
      this.hash(bytes, 0, bytes.length);
    } else this.hash(this.#scratch, 0, this.#scratch.write(text, 0, 'utf8'));
  }

  /** Hashes `bytes[start, end)` into `low` and `high`. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    const key = this.#key;
    let v0h = key[1]! ^ 0x736f6d65;
    let v0l = key[0]! ^ 0x70736575;
    let v1h = key[3]! ^ 0x646f7261;
    let v1l = key[2]! ^ 0x6e646f6d;
    let v2h = key[1]! ^ 0x6c796765;
    let v2l = key[0]! ^ 0x6e657261;
    let v3h = key[3]! ^ 0x74656462;
    let v3l = key[2]! ^ 0x79746573;
    const length = end - start;
    const blocks = (length >>> 3) + 1;
    let at = start;
    for (let block = 0; block < blocks + 2; block++) {
      let ml = 0;
      let mh = 0;
      if (block < blocks - 1) {
        ml = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        mh = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
        at += 8;
      } else if (block === blocks - 1) {
        for (let shift = 0; at < end; at++, shift += 8) {
          if (shift < 32) ml |= bytes[at]! << shift;
          else mh |= bytes[at]! << (shift - 32);
        }
        mh |= length << 24;
      } else if (block === blocks) v2l ^= 0xff;
      v3l ^= ml;
      v3h ^= mh;
      for (let round = 0; round < 2; round++) {
        let sum = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (((v0l & v1l) | ((v0l | v1l) & ~sum)) >>> 31)) | 0;
        v0l = sum;
        let h = v1h;
        v1h = (v1h << 13) | (v1l >>> 19);
        v1l = (v1l << 13) | (h >>> 19);
        v1h ^= v0h;
        v1l ^= v0l;
        h = v0h;
        v0h = v0l;
        v0l = h;
        sum = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (((v2l & v3l) | ((v2l | v3l) & ~sum)) >>> 31)) | 0;
        v2l = sum;
        h = v3h;
        v3h = (v3h << 16) | (v3l >>> 16);
        v3l = (v3l << 16) | (h >>> 16);
        v3h ^= v2h;
        v3l ^= v2l;
        sum = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (((v0l & v3l) | ((v0l | v3l) & ~sum)) >>> 31)) | 0;
        v0l = sum;
        h = v3h;
        v3h = (v3h << 21) | (v3l >>> 11);
        v3l = (v3l << 21) | (h >>> 11);
        v3h ^= v0h;
        v3l ^= v0l;
        sum = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (((v2l & v1l) | ((v2l | v1l) & ~sum)) >>> 31)) | 0;
        v2l = sum;
        h = v1h;
        v1h = (v1h << 17) | (v1l >>> 15);
        v1l = (v1l << 17) | (h >>> 15);
        v1h ^= v2h;
        v1l ^= v2l;
        h = v2h;
        v2h = v2l;
        v2l = h;
      }
      v0l ^= ml;
      v0h ^= mh;
    }
    this.low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
    this.high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
    if (this.low === 0 && this.high === 0) this.low = 1;
  }
}

/** What is hashed for a key of several values: their texts joined by NUL, which no value can hold. Null without any value. */
export function keyText(values: readonly (string | null)[]): string | null {
  if (values.length === 1) return values[0]!;
  return values.every((value) => value === null) ? null : values.map((value) => value ?? '').join('\0');
}
