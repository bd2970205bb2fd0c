import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonDocument } from '../../engine/reference/json-document.ts';
import { DocumentStream, type JsonValue, type PartKey, type PartTaker, pointerTo } from './document-stream.ts';
import { WholeDocument } from './whole-document.ts';

/** Takes objects and lists part by part down to a depth, and says what came where. */
class Recorder implements PartTaker {
  readonly #said: string[];
  readonly #here: string;
  readonly #depth: number;

  constructor(said: string[], here: string, depth: number) {
    this.#said = said;
    this.#here = here;
    this.#depth = depth;
  }

  open(key: PartKey, kind: string): PartTaker | null {
    if (this.#depth === 0) return null;
    this.#said.push(`${pointerTo(this.#here, key)} ${kind}`);
    return new Recorder(this.#said, pointerTo(this.#here, key), this.#depth - 1);
  }

  take(key: PartKey, value: JsonValue): void {
    this.#said.push(`${pointerTo(this.#here, key)} ${textOf(value)}`);
  }

  close(): void {
    this.#said.push(`${this.#here} end`);
  }
}

function textOf(value: JsonValue): string {
  return JSON.stringify(value, (_, each) => (each instanceof Map ? [...each] : each));
}

function read(bytes: Uint8Array, { depth = 2, sizes = [bytes.length || 1] }: { depth?: number; sizes?: readonly number[] } = {}): string[] {
  const said: string[] = [];
  const stream = new DocumentStream(new Recorder(said, '', depth));
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const pushed = Uint8Array.from(bytes.subarray(at, at + sizes[piece % sizes.length]!));
    at += pushed.length;
    stream.push(pushed);
    pushed.fill(0);
  }
  stream.end();
  return said;
}

function refusal(text: string | Uint8Array, depth = 2, sizes?: readonly number[]): string {
  try {
    read(Buffer.from(text), { depth, ...(sizes === undefined ? {} : { sizes }) });
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
  return 'nothing';
}

describe('a document in parts', () => {
  it('comes part by part where that is wanted, and whole below', () => {
    expect(read(Buffer.from(' {"a/b" : [1.50, {"x":[2]}, "é"] , "c":{}, "d":null}\n'))).toEqual([
      '/ object',
      '//a~1b list',
      '//a~1b/0 {"kind":"number","text":"1.50"}',
      '//a~1b/1 {"kind":"object","members":[["x",{"kind":"array","items":[{"kind":"number","text":"2"}]}]]}',
      '//a~1b/2 {"kind":"string","value":"é"}',
      '//a~1b end',
      '//c object',
      '//c end',
      '//d {"kind":"null"}',
      '/ end',
    ]);
  });

  it('is the same, in whatever pieces and however much of it comes whole', () => {
    fc.assert(
      fc.property(
        fc.json({ depthSize: 'small' }),
        fc.nat(3),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (text, depth, sizes) => {
          fc.pre(!/"(?:__proto__|[^"]*\\u0000[^"]*)"/.test(text));
          const bytes = Buffer.from(text);
          expect(read(bytes, { depth, sizes })).toEqual(read(bytes, { depth }));
          expect(read(bytes, { depth: 0, sizes })).toEqual([`/ ${textOf(readJsonDocument(text))}`]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['{"a":[1,]}', 'E_DOCUMENT_JSON /a/1: what stands there is no JSON, at byte 8'],
    ['{"a":[1}', 'E_DOCUMENT_JSON /a/0: neither a comma nor an end follows a value, at byte 7'],
    ['{"a":1,"a":2}', 'E_DOCUMENT_JSON /a: a key appears twice, at byte 7'],
    ['{"a":[{"x":1,"x":2}]}', 'E_DOCUMENT_JSON /a/0: a key appears twice, at byte 6'],
    ['{"a":[01]}', 'E_DOCUMENT_JSON /a/0: what stands there is no JSON, at byte 6'],
    ['{"a" 1}', 'E_DOCUMENT_JSON /a: no colon follows a name, at byte 5'],
    ['{a:1}', 'E_DOCUMENT_JSON the document: a name does not begin with a quote, at byte 1'],
    ['{"a":1,}', 'E_DOCUMENT_JSON /a: a name does not begin with a quote, at byte 7'],
    ['{"a":1} x', 'E_DOCUMENT_JSON the document: text follows the document, at byte 8'],
    ['{"a":"', 'E_DOCUMENT_JSON /a: the document ends before it is complete, at byte 5'],
    ['', 'E_DOCUMENT_JSON the document: the document ends before it is complete, at byte 0'],
    ['tru', 'E_DOCUMENT_JSON the document: what stands there is no JSON, at byte 0'],
    ['\ufeff{}', 'E_DOCUMENT_JSON the document: what stands there is no JSON, at byte 0'],
    [Buffer.from([0x22, 0xff, 0x22]), 'E_DOCUMENT_JSON the document: a text is not UTF-8, at byte 0'],
  ])('%j is refused, in whatever pieces it comes', (text, message) => {
    expect(refusal(text)).toBe(message);
    for (const size of [1, 2, 3, 5]) expect([size, refusal(text, 2, [size])]).toEqual([size, message]);
  });

  it('is refused where it is nested deeper than can be held, part by part or whole', () => {
    const deep = '['.repeat(100);
    expect(refusal(deep, 1_000)).toMatch(/^E_DOCUMENT_SIZE .*more than 64 levels$/);
    expect(refusal(`${deep}${']'.repeat(100)}`, 0)).toMatch(/^E_DOCUMENT_SIZE .*more than 64 levels$/);
  });

  it('is refused where an object has more names than are held', () => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
    expect(refusal(members(1_000))).toBe('nothing');
    expect(refusal(members(1_001))).toBe('E_DOCUMENT_SIZE /999: more than 1000 keys');
  });
});

describe('a whole document', () => {
  it('is held up to its bound, and refused as soon as it is longer', () => {
    const whole = new WholeDocument(10);
    for (const piece of ['["a', 'bc', 'def', '"]']) whole.push(Buffer.from(piece));
    expect(whole.end()).toEqual({ kind: 'array', items: [{ kind: 'string', value: 'abcdef' }] });
    const longer = new WholeDocument(10);
    longer.push(Buffer.from('["abcdefg'));
    expect(() => longer.push(Buffer.from('hij'))).toThrow('the document: more than 10 bytes');
  });
});
