/**
 * Qualified names as they are written, kept once each: a name of a tag is found by a hash of its bytes, so that reading a known
 * element makes no string. Bounded: a document with more different names than `namesMax` is not read on.
 */
export const namesMax = 4_000;

/** A qualified name; the numbers are those of `XmlNames.numberOf`. */
export interface XmlName {
  readonly bytes: Buffer;
  readonly text: string;
  /** 0: it has no prefix. */
  readonly prefix: number;
  readonly local: number;
  readonly hash: number;
  /** The name of the start tag that came after one of this name, the last time. */
  follower: XmlName | null;
}

const firstSlots = 2_048;

export class XmlNames {
  #slots: (XmlName | null)[] = new Array(firstSlots).fill(null);
  readonly #names: XmlName[] = [];
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #texts: string[] = [''];

  /** `known`: local names that get the numbers from 1 on. */
  constructor(known: readonly string[]) {
    for (const text of known) this.numberOf(text);
  }

  /** The number of a prefix or local name, the same for the life of this object. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#texts.push(text);
    this.#numbers.set(text, this.#texts.length - 1);
    return this.#texts.length - 1;
  }

  /** How many numbers are given. */
  get count(): number {
    return this.#texts.length;
  }

  textOf(number: number): string {
    return this.#texts[number]!;
  }

  /** Keeps a name that `find` did not find. `colon`: place of the colon, or -1. Null: too many names. */
  add(bytes: Buffer, span: { readonly from: number; readonly to: number; readonly hash: number; readonly colon: number }): XmlName | null {
    const { from, to, hash, colon } = span;
    if (this.#names.length >= namesMax) return null;
    const text = bytes.toString('utf8', from, to);
    const prefix = colon < 0 ? '' : bytes.toString('utf8', from, colon);
    const name: XmlName = {
      bytes: Buffer.from(bytes.subarray(from, to)),
      text,
      prefix: this.numberOf(prefix),
      local: this.numberOf(colon < 0 ? text : text.slice(prefix.length + 1)),
      hash,
      follower: null,
    };
    this.#names.push(name);
    if (this.#names.length * 2 > this.#slots.length) this.#grow();
    this.#place(name);
    return name;
  }

  find(bytes: Buffer, from: number, to: number, hash: number): XmlName | null {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const name = this.#slots[slot]!;
      if (name === null) return null;
      if (name.hash === hash && equalsAt(name.bytes, bytes, from, to)) return name;
    }
  }

  #grow(): void {
    this.#slots = new Array(this.#slots.length * 2).fill(null);
    for (const name of this.#names) this.#place(name);
  }

  #place(name: XmlName): void {
    const mask = this.#slots.length - 1;
    let slot = name.hash & mask;
    while (this.#slots[slot] !== null) slot = (slot + 1) & mask;
    this.#slots[slot] = name;
  }
}

function equalsAt(name: Buffer, bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) if (name[index] !== bytes[from + index]) return false;
  return true;
}
