/** A set of texts without a limit but memory: one JavaScript set ends with an error at 2^24 of them. */
const textsMax = 2 ** 23;

export class TextSet {
  readonly #max: number;
  readonly #sets: Set<string>[] = [new Set()];

  /** `max`: of each set that it is made of. */
  constructor(max = textsMax) {
    this.#max = max;
  }

  has(text: string): boolean {
    return this.#sets.some((set) => set.has(text));
  }

  add(text: string): void {
    if (this.has(text)) return;
    if (this.#sets.at(-1)!.size >= this.#max) this.#sets.push(new Set());
    this.#sets.at(-1)!.add(text);
  }
}
