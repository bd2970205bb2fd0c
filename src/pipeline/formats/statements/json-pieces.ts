/**
 * Writes one JSON document in pieces as it is read, so that it is never held. Objects and lists are opened and closed one
 * by one; `closeTo` closes what is open down to a depth, whatever the file left open.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export class JsonPieces {
  readonly #write: (text: string) => void;
  readonly #closers: string[] = [];
  #isFirst = true;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get depth(): number {
    return this.#closers.length;
  }

  /** In an object with its name, in a list without. */
  value(name: string | null, value: JsonValue): void {
    this.#write(this.#lead(name) + JSON.stringify(value));
  }

  open(name: string | null, kind: 'object' | 'list'): void {
    const lead = this.#lead(name);
    this.#write(lead + (kind === 'object' ? '{' : '['));
    this.#closers.push(kind === 'object' ? '}' : ']');
    this.#isFirst = true;
  }

  closeTo(depth: number): void {
    while (this.#closers.length > depth) {
      this.#write(this.#closers.pop()!);
      this.#isFirst = false;
    }
    if (depth === 0) this.#write('\n');
  }

  #lead(name: string | null): string {
    const comma = this.#isFirst ? '' : ',';
    this.#isFirst = false;
    return name === null ? comma : `${comma}${JSON.stringify(name)}:`;
  }
}
