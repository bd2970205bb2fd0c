/**
 * UTF-16 as UTF-8, in pieces. A unit that is no character becomes 0xFF, a byte that UTF-8 never has: so it is found where all
 * wrong bytes are found. Every character before it keeps its place.
 */
const brokenUnit = 0xff;

export class Utf16Decoder {
  readonly #isBigEndian: boolean;
  /** First byte of a unit whose second has not come; -1: none. */
  #half = -1;
  /** High surrogate that waits for its low one; 0: none. */
  #high = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  decode(bytes: Uint8Array): Buffer {
    // A unit of two bytes takes three at most; a broken surrogate before it, one.
    const out = Buffer.allocUnsafe(bytes.length * 2 + 8);
    let length = 0;
    for (const byte of bytes) {
      if (this.#half < 0) {
        this.#half = byte;
        continue;
      }
      const unit = this.#isBigEndian ? (this.#half << 8) | byte : (byte << 8) | this.#half;
      this.#half = -1;
      length = this.#put(unit, out, length);
    }
    return out.subarray(0, length);
  }

  /** What a file that ends within a character leaves over. */
  end(): Buffer {
    const isCut = this.#half >= 0 || this.#high !== 0;
    return isCut ? Buffer.of(brokenUnit) : Buffer.alloc(0);
  }

  #put(unit: number, out: Buffer, length: number): number {
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    if (this.#high !== 0) {
      const code = 0x10000 + ((this.#high - 0xd800) << 10) + (unit - 0xdc00);
      this.#high = 0;
      if (isLow) {
        out[length++] = 0xf0 | (code >> 18);
        out[length++] = 0x80 | ((code >> 12) & 0x3f);
        out[length++] = 0x80 | ((code >> 6) & 0x3f);
        out[length++] = 0x80 | (code & 0x3f);
        return length;
      }
      out[length++] = brokenUnit;
    }
    if (isLow) out[length++] = brokenUnit;
    else if (unit >= 0xd800 && unit <= 0xdbff) this.#high = unit;
    else if (unit < 0x80) out[length++] = unit;
    else if (unit < 0x800) {
      out[length++] = 0xc0 | (unit >> 6);
      out[length++] = 0x80 | (unit & 0x3f);
    } else {
      out[length++] = 0xe0 | (unit >> 12);
      out[length++] = 0x80 | ((unit >> 6) & 0x3f);
      out[length++] = 0x80 | (unit & 0x3f);
    }
    return length;
  }
}

/** Bytes that the UTF-8 between `from` and `to` took in UTF-16. */
export function utf16Width(bytes: Uint8Array, from: number, to: number): number {
  let width = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if ((byte & 0xc0) !== 0x80) width += byte >= 0xf0 && byte <= 0xf4 ? 4 : 2;
  }
  return width;
}
