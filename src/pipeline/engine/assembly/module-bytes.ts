/**
 * Puts WebAssembly modules of one function together: names for the instructions that the engine's modules use, and the binary
 * form around them (WebAssembly core specification 2.0, section 5). Code is a list of bytes in stack order.
 */

export const opcode = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  return: 0x0f,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  loadI32: 0x28,
  loadI64: 0x29,
  load8I32: 0x2d,
  load16I32: 0x2f,
  storeI64: 0x37,
  constI32: 0x41,
  constI64: 0x42,
  eqzI32: 0x45,
  eqI32: 0x46,
  lessEqualI32: 0x4d,
  greaterI32: 0x4b,
  addI32: 0x6a,
  subI32: 0x6b,
  multiplyI32: 0x6c,
  remainderI32: 0x70,
  andI32: 0x71,
  shlI32: 0x74,
  addI64: 0x7c,
  subI64: 0x7d,
  andI64: 0x83,
  orI64: 0x84,
  xorI64: 0x85,
  shlI64: 0x86,
  rotlI64: 0x89,
  extendI32: 0xad,
} as const;

/** Instructions on vectors of 16 bytes; comparisons are unsigned and give all ones or zeros. */
export const vector = {
  load: [0xfd, 0x00],
  load64: [0xfd, 0x5d],
  splat8: [0xfd, 0x0f],
  lessEqual8: [0xfd, 0x2a],
  and: [0xfd, 0x4e],
  or: [0xfd, 0x50],
  bitSelect: [0xfd, 0x52],
  anyTrue: [0xfd, 0x53],
  sub8: [0xfd, 0x71],
  widenLow8: [0xfd, 0x89, 0x01],
  widenHigh8: [0xfd, 0x8a, 0x01],
  add32: [0xfd, 0xae, 0x01],
  /** Products of 16-bit lanes, added in pairs. */
  dot16: [0xfd, 0xba, 0x01],
  lane32: [0xfd, 0x1b],
} as const;

export const type = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
const noResult = 0x40;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export const get = (index: number): number[] => [opcode.localGet, index];
export const set = (index: number): number[] => [opcode.localSet, index];
export const int = (value: number): number[] => [opcode.constI32, ...signed(BigInt(value))];
export const long = (value: bigint): number[] => [opcode.constI64, ...signed(BigInt.asIntN(64, value))];
export const assign = (target: number, ...code: readonly (readonly number[])[]): number[] => [...code.flat(), ...set(target)];
export const advance = (index: number, by: number): number[] => assign(index, get(index), int(by), [opcode.addI32]);
/** The operands of a load from the address on the stack plus `at`. */
export const place = (at: number): number[] => [0, ...unsigned(at)];

/** Repeats the body until a `leaveIf` of its own level leaves it. */
export function repeat(body: readonly number[]): number[] {
  return [opcode.block, noResult, opcode.loop, noResult, ...body, opcode.branch, 0, opcode.end, opcode.end];
}

export const leaveIf = (condition: readonly number[]): number[] => [...condition, opcode.branchIf, 1];

/** Runs the body unless the condition holds. */
export function unless(condition: readonly number[], body: readonly number[]): number[] {
  return [opcode.block, noResult, ...condition, opcode.branchIf, 0, ...body, opcode.end];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, body: readonly number[]): number[] {
  return [id, ...unsigned(body.length), ...body];
}

export interface ModuleFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** How many of each type, in order, behind the parameters. */
  readonly locals: readonly (readonly [number, number])[];
  readonly code: readonly number[];
}

/** A module that imports `engine.memory` and exports the function. */
export function moduleBytes({ name, parameters, results, locals, code }: ModuleFunction): Uint8Array<ArrayBuffer> {
  const types = (of: readonly number[]) => list(of.map((each) => [each]));
  const body = [...list(locals.map(([count, of]) => [...unsigned(count), of])), ...code, opcode.end];
  const text = (value: string) => list([...Buffer.from(value)].map((byte) => [byte]));
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([[0x60, ...types(parameters), ...types(results)]])),
    ...section(2, list([[...text('engine'), ...text('memory'), 0x02, 0x00, 0x01]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text(name), 0x00, 0x00]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}
