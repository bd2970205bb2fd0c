/**
 * SipHash-2-4 over many short keys at once, as a WebAssembly module of 64-bit arithmetic that is assembled here: four times
 * as fast as 32-bit halves in JavaScript. `key-hash.ts` is the same function for single keys; a test holds the two equal.
 *
 * `hash(count, entries, results, key0, key1)`: each entry is `entryBytes` long, a u32 length, four bytes unused, the key;
 * each result is a u64. Up to seven bytes behind a key are read and masked out.
 */
import { advance, assign, get, int, leaveIf, long, moduleBytes, repeat } from '../assembly/module-bytes.ts';
import { opcode, type } from '../assembly/opcodes.ts';
import { type WebAssemblyMemory, webAssembly } from '../assembly/web-assembly.ts';

export const entryBytes = 72;
/** Behind the last entry, for what is read beyond a key. */
export const entrySlackBytes = 16;
export const entryKeyAt = 8;
/** Longest key that fits an entry. */
export const entryKeyMax = entryBytes - entryKeyAt;

/** Parameters, then locals. */
const local = {
  count: 0,
  entries: 1,
  results: 2,
  key0: 3,
  key1: 4,
  at: 5,
  end: 6,
  v0: 7,
  v1: 8,
  v2: 9,
  v3: 10,
  word: 11,
  length: 12,
} as const;

const rotate = (index: number, bits: bigint): number[] => [...get(index), ...long(bits), opcode.rotlI64];
const exclusive = (left: number[], right: number[]): number[] => [...left, ...right, opcode.xorI64];

/** `a += b; b = rotl(b, bits) ^ a`. */
function mix(a: number, b: number, bits: bigint): number[] {
  return [...assign(a, get(a), get(b), [opcode.addI64]), ...assign(b, exclusive(rotate(b, bits), get(a)))];
}

function round(): number[] {
  const { v0, v1, v2, v3 } = local;
  return [
    ...mix(v0, v1, 13n),
    ...assign(v0, rotate(v0, 32n)),
    ...mix(v2, v3, 16n),
    ...mix(v0, v3, 21n),
    ...mix(v2, v1, 17n),
    ...assign(v2, rotate(v2, 32n)),
  ];
}

function takeWord(): number[] {
  const { v0, v3, word } = local;
  return [...assign(v3, exclusive(get(v3), get(word))), ...round(), ...round(), ...assign(v0, exclusive(get(v0), get(word)))];
}

const loadWord = (index: number): number[] => [...get(index), opcode.loadI64, 3, 0];

function start(): number[] {
  const { key0, key1, v0, v1, v2, v3 } = local;
  return [
    ...assign(v0, exclusive(get(key0), long(0x736f6d6570736575n))),
    ...assign(v1, exclusive(get(key1), long(0x646f72616e646f6dn))),
    ...assign(v2, exclusive(get(key0), long(0x6c7967656e657261n))),
    ...assign(v3, exclusive(get(key1), long(0x7465646279746573n))),
  ];
}

/** The last word: what is left of the key, and its length in the top byte. */
function lastWord(): number[] {
  const bits = [...get(local.length), ...int(7), opcode.andI32, ...int(3), opcode.shlI32, opcode.extendI32];
  const mask = [...long(1n), ...bits, opcode.shlI64, ...long(1n), opcode.subI64];
  const top = [...get(local.length), opcode.extendI32, ...long(56n), opcode.shlI64];
  return assign(local.word, loadWord(local.at), mask, [opcode.andI64], top, [opcode.orI64]);
}

function hashEntry(): number[] {
  const { at, end, entries, length, results, v0, v1, v2, v3 } = local;
  const whole = repeat([
    ...leaveIf([...get(at), ...get(end), opcode.eqI32]),
    ...assign(local.word, loadWord(at)),
    ...takeWord(),
    ...advance(at, 8),
  ]);
  const result = exclusive(exclusive(get(v0), get(v1)), exclusive(get(v2), get(v3)));
  return [
    ...assign(length, get(entries), [opcode.loadI32, 2, 0]),
    ...[...get(entries), ...int(entryKeyAt), opcode.addI32, opcode.localTee, at],
    ...assign(end, get(length), int(-8), [opcode.andI32, opcode.addI32]),
    ...start(),
    ...whole,
    ...lastWord(),
    ...takeWord(),
    ...assign(v2, exclusive(get(v2), long(0xffn))),
    ...round(),
    ...round(),
    ...round(),
    ...round(),
    ...[...get(results), ...result, opcode.storeI64, 3, 0],
  ];
}

function hashAll(): number[] {
  const { count, entries, results } = local;
  return repeat([
    ...leaveIf([...get(count), opcode.eqzI32]),
    ...hashEntry(),
    ...advance(results, 8),
    ...advance(entries, entryBytes),
    ...assign(count, get(count), int(1), [opcode.subI32]),
  ]);
}

function assemble(): Uint8Array<ArrayBuffer> {
  const hash = {
    name: 'hash',
    parameters: [type.i32, type.i32, type.i32, type.i64, type.i64],
    results: [],
    locals: [
      [2, type.i32],
      [5, type.i64],
      [1, type.i32],
    ] as const,
    code: hashAll(),
    isExported: true,
  };
  return moduleBytes({ functions: [hash] });
}

export type HashEntries = (count: number, entries: number, results: number, key0: bigint, key1: bigint) => void;

let compiled: object | null = null;

/** The function over this memory. The module is compiled once per thread, in a fraction of a millisecond. */
export function hashFunction(memory: WebAssemblyMemory): HashEntries {
  compiled ??= new webAssembly.Module(assemble());
  return new webAssembly.Instance(compiled, { engine: { memory } }).exports['hash'] as HashEntries;
}
