/**
 * A strict JSON reader (RFC 8259) for the reference parser: recursive descent over text, one function per rule of the
 * grammar. Numbers stay exact as their text, objects are maps so that no key can touch a prototype, duplicate keys and
 * deep nesting are refused. It stops at the first problem of a left-to-right scan.
 */

export type JsonValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonValue> };

export type JsonProblemCode = 'E_JSON' | 'E_DUPKEY' | 'E_DEPTH' | 'E_CHARACTER';

/** The message says where: an index in the text, of the first character that does not go on as it should. */
export class JsonProblem extends Error {
  readonly code: JsonProblemCode;

  constructor(code: JsonProblemCode, what: string, at: number) {
    super(`${what}, at character ${at}`);
    this.code = code;
  }
}

export interface JsonLimits {
  /** Nesting of arrays and objects; the outermost one is 1. */
  readonly depthMax: number;
  /** Of one object. */
  readonly keysMax?: number;
  /** Whether the escape for U+0000 is a character like any other. */
  readonly allowNul: boolean;
}

export const recordJsonLimits: JsonLimits = { depthMax: 64, keysMax: 10_000, allowNul: false };

const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const whitespacePattern = /[ \t\n\r]*/y;
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const hexPattern = /[0-9a-fA-F]{4}/y;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The one value that the text holds. Throws `JsonProblem`. */
export function readJsonDocument(text: string, limits: JsonLimits = recordJsonLimits): JsonValue {
  const reader = new JsonReader(text, limits);
  return reader.readDocument();
}

/** The members of the one object that the text holds; a text that starts as another value is read no further. Throws `JsonProblem`. */
export function readJsonObject(text: string): Extract<JsonValue, { kind: 'object' }> {
  const start = /^[ \t\n\r]*/.exec(text)![0].length;
  if (text[start] !== '{') throw new JsonProblem('E_JSON', 'not a JSON object', start);
  return readJsonDocument(text) as Extract<JsonValue, { kind: 'object' }>;
}

class JsonReader {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  readDocument(): JsonValue {
    this.#skipWhitespace();
    const value = this.#readValue(0);
    this.#skipWhitespace();
    if (this.#at < this.#text.length) throw this.#problem('E_JSON', 'text after the JSON object');
    return value;
  }

  #readValue(depth: number): JsonValue {
    const character = this.#text[this.#at];
    if (character === '{') return this.#readObject(depth + 1);
    if (character === '[') return this.#readArray(depth + 1);
    if (character === '"') return { kind: 'string', value: this.#readString() };
    if (this.#take('true')) return { kind: 'boolean', value: true };
    if (this.#take('false')) return { kind: 'boolean', value: false };
    if (this.#take('null')) return { kind: 'null' };
    const number = this.#match(numberPattern);
    if (number === '') throw this.#problem('E_JSON', 'not a JSON value');
    return { kind: 'number', text: number };
  }

  #readObject(depth: number): JsonValue {
    if (depth > this.#limits.depthMax) throw this.#problem('E_DEPTH', `more than ${this.#limits.depthMax} levels`);
    const members = new Map<string, JsonValue>();
    this.#at++;
    this.#skipWhitespace();
    if (this.#take('}')) return { kind: 'object', members };
    for (;;) {
      this.#skipWhitespace();
      if (this.#text[this.#at] !== '"') throw this.#problem('E_JSON', 'not a key');
      const key = this.#readString();
      if (members.has(key)) throw this.#problem('E_DUPKEY', 'a key appears twice');
      if (members.size === this.#limits.keysMax) throw this.#problem('E_JSON', `more than ${this.#limits.keysMax} keys in one object`);
      this.#skipWhitespace();
      if (!this.#take(':')) throw this.#problem('E_JSON', 'no colon after a key');
      this.#skipWhitespace();
      members.set(key, this.#readValue(depth));
      this.#skipWhitespace();
      if (this.#take('}')) return { kind: 'object', members };
      if (!this.#take(',')) throw this.#problem('E_JSON', 'neither a comma nor an end');
    }
  }

  #readArray(depth: number): JsonValue {
    if (depth > this.#limits.depthMax) throw this.#problem('E_DEPTH', `more than ${this.#limits.depthMax} levels`);
    const items: JsonValue[] = [];
    this.#at++;
    this.#skipWhitespace();
    if (this.#take(']')) return { kind: 'array', items };
    for (;;) {
      this.#skipWhitespace();
      items.push(this.#readValue(depth));
      this.#skipWhitespace();
      if (this.#take(']')) return { kind: 'array', items };
      if (!this.#take(',')) throw this.#problem('E_JSON', 'neither a comma nor an end');
    }
  }

  #readString(): string {
    let value = '';
    this.#at++;
    for (;;) {
      value += this.#match(plainPattern);
      if (this.#take('"')) return value;
      if (this.#text[this.#at] !== '\\') throw this.#problem('E_JSON', 'a string is not closed or holds a control character');
      value += this.#readEscape();
    }
  }

  #readEscape(): string {
    const letter = this.#text[this.#at + 1];
    if (letter !== 'u') {
      const character = letter === undefined ? undefined : Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
      if (character === undefined) throw this.#problem('E_JSON', 'unknown escape');
      this.#at += 2;
      return character;
    }
    const first = this.#readUnit();
    if (first === 0 && !this.#limits.allowNul) throw this.#problem('E_CHARACTER', 'an escaped NUL');
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const isPair = first <= 0xdbff && this.#text.startsWith('\\u', this.#at);
    if (!isPair) throw this.#problem('E_JSON', 'half of a surrogate pair');
    const second = this.#readUnit();
    if (second < 0xdc00 || second > 0xdfff) throw this.#problem('E_JSON', 'half of a surrogate pair');
    return String.fromCharCode(first, second);
  }

  /** The four hex digits after a backslash and `u`. */
  #readUnit(): number {
    const start = this.#at;
    this.#at += 2;
    const digits = this.#match(hexPattern);
    if (digits === '') throw new JsonProblem('E_JSON', 'unknown escape', start);
    return Number.parseInt(digits, 16);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipWhitespace(): void {
    this.#match(whitespacePattern);
  }

  #problem(code: JsonProblemCode, what: string): JsonProblem {
    return new JsonProblem(code, what, this.#at);
  }
}
