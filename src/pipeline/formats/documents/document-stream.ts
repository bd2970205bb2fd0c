/**
 * Reads one JSON document (RFC 8259) from bytes in pieces of any size. What takes its parts says of each object and list
 * whether it comes part by part or whole, so that of a document of any size no more is held than its largest whole part.
 * Strict: UTF-8, no key twice, numbers as their exact text.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type JsonLimits, JsonProblem, type JsonValue, readJsonDocument } from '../../engine/reference/json-document.ts';
import { documentErrors } from './document-errors.ts';

export type { JsonValue } from '../../engine/reference/json-document.ts';

/** Of an object by its name, of a list by its index from 0. */
export type PartKey = string | number;

/** Takes a document, whose key is empty, or what is part of one. */
export interface ValueTaker {
  /** What takes the parts of an object or a list; null: it comes whole. */
  open(key: PartKey, kind: 'object' | 'list'): PartTaker | null;
  take(key: PartKey, value: JsonValue): void;
}

/** Takes the parts of an object or of a list, in the order of the document. */
export interface PartTaker extends ValueTaker {
  close(): void;
}

export interface DocumentLimits {
  /** Longest part that comes whole, in bytes. */
  readonly wholeBytesMax: number;
}

export const wholeBytesDefault = 16 * 1024 * 1024;
const jsonLimits: JsonLimits = { depthMax: 64, allowNul: true };
/** Of an object that comes part by part: its names are held, so that none comes twice. */
const membersMax = 1_000;
const depthMax = 64;

/** `here` and what is below it by `key`, as a JSON pointer (RFC 6901). */
export function pointerTo(here: string, key: PartKey): string {
  return `${here}/${typeof key === 'number' ? key : key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

type Expected = 'value' | 'item-or-end' | 'name-or-end' | 'name' | 'colon' | 'comma-or-end' | 'nothing';

interface Level {
  readonly taker: PartTaker;
  /** `document`: what is around it all. */
  readonly kind: 'document' | 'object' | 'list';
  readonly names: Set<string> | null;
  key: PartKey;
  /** A part was begun. */
  hasKey: boolean;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [listStart, listEnd, objectStart, objectEnd] = [0x5b, 0x5d, 0x7b, 0x7d];

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

export class DocumentStream {
  readonly #wholeBytesMax: number;
  readonly #levels: Level[];
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #expected: Expected = 'value';
  /** Of the next byte. */
  #offset = 0;
  /** The start of a part that comes whole, as far as it lies in pieces before. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isWhole = false;
  #wholeOffset = 0;
  #wholeDepth = 0;
  #isInText = false;
  #isEscaped = false;

  constructor(document: ValueTaker, limits: DocumentLimits = { wholeBytesMax: wholeBytesDefault }) {
    const taker = { open: document.open.bind(document), take: document.take.bind(document), close: () => {} };
    this.#levels = [{ taker, kind: 'document', names: null, key: '', hasKey: false }];
    this.#wholeBytesMax = limits.wholeBytesMax;
  }

  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const next = this.#isWhole ? this.#readWhole(bytes, at) : this.#readByte(bytes[at]!) ? at + 1 : at;
      this.#offset += next - at;
      at = next;
    }
  }

  /** Fails if the document is not complete. */
  end(): void {
    if (this.#isWhole) this.#endScalar();
    if (this.#expected !== 'nothing') throw this.#problem('the document ends before it is complete');
  }

  /** Where the document is being read. */
  get pointer(): string {
    return this.#levels.slice(1).reduce((path, { key, hasKey }) => (hasKey ? pointerTo(path, key) : path), '');
  }

  /** False: the byte is the first of a part that comes whole. */
  #readByte(byte: number): boolean {
    if (isSpace(byte)) return true;
    const level = this.#levels.at(-1)!;
    switch (this.#expected) {
      case 'item-or-end':
        if (byte === listEnd) return this.#close();
        return this.#beginValue(byte);
      case 'value':
        return this.#beginValue(byte);
      case 'name-or-end':
        if (byte === objectEnd) return this.#close();
        return this.#beginName(byte);
      case 'name':
        return this.#beginName(byte);
      case 'colon':
        if (byte !== colon) throw this.#problem('no colon follows a name');
        this.#expected = 'value';
        return true;
      case 'comma-or-end':
        if (byte === (level.kind === 'object' ? objectEnd : listEnd)) return this.#close();
        if (byte !== comma) throw this.#problem('neither a comma nor an end follows a value');
        this.#expected = level.kind === 'object' ? 'name' : 'value';
        return true;
      case 'nothing':
        throw this.#problem('text follows the document');
    }
  }

  #beginName(byte: number): boolean {
    if (byte !== quote) throw this.#problem('a name does not begin with a quote');
    return this.#beginWhole();
  }

  #beginValue(byte: number): boolean {
    const level = this.#levels.at(-1)!;
    if (level.kind === 'list') {
      level.key = (level.key as number) + 1;
      level.hasKey = true;
    }
    if (byte !== objectStart && byte !== listStart) return this.#beginWhole();
    const kind = byte === objectStart ? 'object' : 'list';
    const taker = level.taker.open(level.key, kind);
    if (taker === null) return this.#beginWhole();
    if (this.#levels.length > depthMax) throw this.#tooBig(`more than ${depthMax} levels`);
    this.#levels.push({ taker, kind, names: kind === 'object' ? new Set() : null, key: kind === 'object' ? '' : -1, hasKey: false });
    this.#expected = kind === 'object' ? 'name-or-end' : 'item-or-end';
    return true;
  }

  #beginWhole(): boolean {
    this.#isWhole = true;
    this.#wholeOffset = this.#offset;
    this.#wholeDepth = 0;
    this.#isInText = false;
    this.#isEscaped = false;
    return false;
  }

  #close(): boolean {
    this.#levels.at(-1)!.taker.close();
    this.#levels.pop();
    this.#afterValue();
    return true;
  }

  #afterValue(): void {
    this.#expected = this.#levels.length === 1 ? 'nothing' : 'comma-or-end';
  }

  /** Only the end of the document says that a number is complete. */
  #endScalar(): void {
    if (this.#isInText || this.#wholeDepth > 0 || this.#levels.length > 1) return;
    this.#takeWhole(Buffer.concat(this.#held));
  }

  /** Where the part ends, or the piece; what is left of it is held. */
  #readWhole(bytes: Buffer, from: number): number {
    const end = this.#endOfWhole(bytes, from);
    const stop = end < 0 ? bytes.length : end;
    if (this.#heldBytes + stop - from > this.#wholeBytesMax) throw this.#tooBig(`more than ${this.#wholeBytesMax} bytes`);
    if (end < 0) {
      this.#held.push(Buffer.from(bytes.subarray(from)));
      this.#heldBytes += bytes.length - from;
    } else this.#takeWhole(this.#heldBytes === 0 ? bytes.subarray(from, end) : Buffer.concat([...this.#held, bytes.subarray(from, end)]));
    return stop;
  }

  /** -1: it does not end in this piece. */
  #endOfWhole(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#isInText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) {
          this.#isInText = false;
          if (this.#wholeDepth === 0) return at + 1;
        }
      } else if (byte === quote) this.#isInText = true;
      else if (byte === objectStart || byte === listStart) this.#wholeDepth++;
      else if (this.#wholeDepth > 0) {
        if ((byte === objectEnd || byte === listEnd) && --this.#wholeDepth === 0) return at + 1;
      } else if (byte === comma || byte === objectEnd || byte === listEnd || byte === colon || isSpace(byte)) return at;
    }
    return -1;
  }

  #takeWhole(bytes: Buffer): void {
    const value = this.#parse(bytes);
    this.#isWhole = false;
    this.#held = [];
    this.#heldBytes = 0;
    const level = this.#levels.at(-1)!;
    if (this.#expected === 'name' || this.#expected === 'name-or-end') this.#takeName(level, value);
    else {
      level.taker.take(level.key, value);
      this.#afterValue();
    }
  }

  #takeName(level: Level, value: JsonValue): void {
    const name = (value as Extract<JsonValue, { kind: 'string' }>).value;
    if (level.names!.has(name)) throw this.#problem('a key appears twice', this.#wholeOffset);
    if (level.names!.size === membersMax) throw this.#tooBig(`more than ${membersMax} keys`);
    level.names!.add(name);
    level.key = name;
    level.hasKey = true;
    this.#expected = 'colon';
  }

  #parse(bytes: Buffer): JsonValue {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      throw this.#problem('a text is not UTF-8');
    }
    try {
      return readJsonDocument(text, jsonLimits);
    } catch (error) {
      if (!(error instanceof JsonProblem)) throw error;
      if (error.code === 'E_DEPTH') throw this.#tooBig(`more than ${jsonLimits.depthMax} levels`);
      throw this.#problem(error.code === 'E_DUPKEY' ? 'a key appears twice' : 'what stands there is no JSON');
    }
  }

  #problem(message: string, offset = this.#isWhole ? this.#wholeOffset : this.#offset): HeadgateError {
    const { pointer } = this;
    const place = pointer === '' ? 'the document' : pointer;
    return new HeadgateError(documentErrors.E_DOCUMENT_JSON, `${place}: ${message}, at byte ${offset}`);
  }

  #tooBig(message: string): HeadgateError {
    const { pointer } = this;
    return new HeadgateError(documentErrors.E_DOCUMENT_SIZE, `${pointer === '' ? 'the document' : pointer}: ${message}`);
  }
}
