/**
 * A strict JSON scanner over one line: walks the text once, hands scalar values at wanted places to its visitor, and
 * checks everything else just as strictly. Recursion is bounded by the depth limit.
 */
import { structureErrors } from '../engine-errors.ts';
import type { StructureProblem } from './structure-problem.ts';

export const jsonDepthMax = 64;
/** Of one object. */
const keysMax = 10_000;
const partsJoined = 1_024;

export interface JsonVisitor<Place> {
  /** The place a key leads to, null when nothing under it is wanted. */
  step(place: Place, key: string): Place | null;
  /** `text` is null for JSON null; objects and arrays come as `other` with an empty text that is not absent. */
  take(place: Place, kind: 'string' | 'number' | 'boolean' | 'other', text: string | null): void;
}

class ScanFailure extends Error {
  readonly problem: StructureProblem;
  constructor(problem: StructureProblem) {
    super(problem.code);
    this.problem = problem;
  }
}

const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const plainRun = /[^"\\\u0000-\u001f]*/y;
const hexForm = /^[0-9a-fA-F]{4}$/;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export class JsonScanner<Place> {
  readonly #visitor: JsonVisitor<Place>;
  #text = '';
  #at = 0;
  /** Keys of the top-level object of the last line. */
  topKeys: readonly string[] = [];

  constructor(visitor: JsonVisitor<Place>) {
    this.#visitor = visitor;
  }

  /** Null when the line is one valid JSON object. */
  scan(text: string, root: Place): StructureProblem | null {
    this.#text = text;
    this.#at = 0;
    this.topKeys = [];
    try {
      this.#skipSpace();
      if (text[this.#at] !== '{') this.#fail('not a JSON object');
      this.#object(root, 1);
      this.#skipSpace();
      if (this.#at < text.length) this.#fail('text after the JSON object');
      return null;
    } catch (error) {
      if (error instanceof ScanFailure) return error.problem;
      throw error;
    }
  }

  #fail(message: string, code: string = structureErrors.E_JSON): never {
    throw new ScanFailure({ code, message: `${message}, at character ${this.#at}` });
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const unit = text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d) return;
      this.#at++;
    }
  }

  #value(place: Place | null, depth: number): void {
    const first = this.#text[this.#at];
    if (first === '"') {
      const text = this.#string();
      if (place !== null) this.#visitor.take(place, 'string', text);
    } else if (first === '{') {
      if (place !== null) this.#visitor.take(place, 'other', '{}');
      this.#object(place, depth + 1);
    } else if (first === '[') {
      if (place !== null) this.#visitor.take(place, 'other', '[]');
      this.#array(depth + 1);
    } else if (first === 't' || first === 'f') this.#word(place, first === 't' ? 'true' : 'false', 'boolean');
    else if (first === 'n') this.#word(place, 'null', 'other');
    else this.#number(place);
  }

  #word(place: Place | null, word: 'true' | 'false' | 'null', kind: 'boolean' | 'other'): void {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('not a JSON value');
    this.#at += word.length;
    if (place !== null) this.#visitor.take(place, kind, word === 'null' ? null : word);
  }

  #number(place: Place | null): void {
    numberForm.lastIndex = this.#at;
    const match = numberForm.exec(this.#text);
    if (match === null) this.#fail('not a JSON value');
    this.#at += match[0].length;
    if (place !== null) this.#visitor.take(place, 'number', match[0]);
  }

  #object(place: Place | null, depth: number): void {
    if (depth > jsonDepthMax) this.#fail(`more than ${jsonDepthMax} levels`, structureErrors.E_DEPTH);
    this.#at++;
    const keys = new Set<string>();
    this.#skipSpace();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail('not a key');
      const key = this.#string();
      if (keys.has(key)) this.#fail('a key appears twice', structureErrors.E_DUPKEY);
      if (keys.size === keysMax) this.#fail(`more than ${keysMax} keys in one object`);
      keys.add(key);
      this.#skipSpace();
      if (this.#text[this.#at] !== ':') this.#fail('no colon after a key');
      this.#at++;
      this.#skipSpace();
      this.#value(place === null ? null : this.#visitor.step(place, key), depth);
      if (this.#closes('}')) break;
    }
    if (depth === 1) this.topKeys = [...keys];
  }

  #array(depth: number): void {
    if (depth > jsonDepthMax) this.#fail(`more than ${jsonDepthMax} levels`, structureErrors.E_DEPTH);
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#skipSpace();
      this.#value(null, depth);
      if (this.#closes(']')) return;
    }
  }

  /** True at the closing mark, false after a comma. */
  #closes(mark: '}' | ']'): boolean {
    this.#skipSpace();
    const unit = this.#text[this.#at];
    if (unit !== mark && unit !== ',') this.#fail('neither a comma nor an end');
    this.#at++;
    return unit === mark;
  }

  #string(): string {
    let content = '';
    // Joined in between: a text of millions of escapes would take many times its length.
    const parts: string[] = [];
    this.#at++;
    for (;;) {
      if (parts.length >= partsJoined) content += parts.splice(0).join('');
      plainRun.lastIndex = this.#at;
      const run = plainRun.exec(this.#text)![0];
      parts.push(run);
      this.#at += run.length;
      const stop = this.#text[this.#at];
      if (stop === '"') {
        this.#at++;
        return parts.length === 1 && content === '' ? run : content + parts.join('');
      }
      if (stop !== '\\') this.#fail('a string is not closed or holds a control character');
      parts.push(this.#escape());
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter !== 'u') {
      if (!Object.hasOwn(escapes, letter)) this.#fail('unknown escape');
      this.#at += 2;
      return escapes[letter]!;
    }
    const unit = this.#hexUnit();
    if (unit === 0) this.#fail('an escaped NUL', structureErrors.E_CHARACTER);
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit > 0xdbff || this.#text[this.#at] !== '\\' || this.#text[this.#at + 1] !== 'u') this.#fail('half of a surrogate pair');
    const low = this.#hexUnit();
    if (low < 0xdc00 || low > 0xdfff) this.#fail('half of a surrogate pair');
    return String.fromCharCode(unit, low);
  }

  #hexUnit(): number {
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!hexForm.test(digits)) this.#fail('unknown escape');
    this.#at += 6;
    return Number.parseInt(digits, 16);
  }
}
