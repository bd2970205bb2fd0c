/** Which batch numbers a file has used: a bit for each of the ten million that there can be, in pages of those that occur. */

const pageBits = 8_192;

export class BatchNumbers {
  readonly #pages = new Map<number, Uint8Array>();
  #lastStandard = 0;
  #lastIat = 0;

  /** Null: the number is in order. Else the one that it should be above, or that it repeats. */
  takeOutOfOrder(number: number, isIat: boolean): number | null {
    const last = isIat ? this.#lastIat : this.#lastStandard;
    if (isIat) this.#lastIat = number;
    else this.#lastStandard = number;
    const isRepeated = this.#takeRepeated(number);
    if (number <= last) return last;
    return isRepeated ? number : null;
  }

  #takeRepeated(number: number): boolean {
    const key = Math.floor(number / pageBits);
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = new Uint8Array(pageBits / 8);
      this.#pages.set(key, page);
    }
    const bit = number % pageBits;
    const isSet = (page[bit >> 3]! & (1 << (bit & 7))) !== 0;
    page[bit >> 3]! |= 1 << (bit & 7);
    return isSet;
  }
}
