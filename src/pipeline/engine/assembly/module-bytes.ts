/**
 * Puts WebAssembly modules together (WebAssembly core specification 2.0, section 5), and the pieces of code that assembled
 * functions are made of. Code is a list of bytes in stack order.
 */
import { control, opcode } from './opcodes.ts';

export function unsignedBytes(value: number): number[] {
  if (value < 0x80) return [value];
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

export function signedBytes(value: number): number[] {
  if (value >= -0x40 && value < 0x40) return [value & 0x7f];
  return signed(BigInt(value));
}

export function float64Bytes(value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [...bytes];
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
export const int = (value: number): number[] => [opcode.constI32, ...signedBytes(value)];
export const long = (value: bigint): number[] => [opcode.constI64, ...signed(BigInt.asIntN(64, value))];
export const assign = (target: number, ...code: readonly (readonly number[])[]): number[] => [...code.flat(), ...set(target)];
export const advance = (index: number, by: number): number[] => assign(index, get(index), int(by), [opcode.addI32]);
/** The operands of a load from the address on the stack plus `at`. */
export const place = (at: number): number[] => [0, ...unsignedBytes(at)];

/** Repeats the body until a `leaveIf` of its own level leaves it. */
export function repeat(body: readonly number[]): number[] {
  return [control.block, control.noResult, control.loop, control.noResult, ...body, control.branch, 0, control.end, control.end];
}

export const leaveIf = (condition: readonly number[]): number[] => [...condition, control.branchIf, 1];

/** Runs the body unless the condition holds. */
export function unless(condition: readonly number[], body: readonly number[]): number[] {
  return [control.block, control.noResult, ...condition, control.branchIf, 0, ...body, control.end];
}

function list(items: readonly (readonly number[])[]): number[] {
  return unsignedBytes(items.length).concat(...items);
}

function section(id: number, body: readonly number[]): number[] {
  return [id, ...unsignedBytes(body.length)].concat(body);
}

export interface FunctionType {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ModuleFunction extends FunctionType {
  /** How many of each type, in order, behind the parameters. */
  readonly locals: readonly (readonly [number, number])[];
  readonly code: readonly number[];
  readonly isExported: boolean;
}

export interface ModuleParts {
  /** Called by their position; the module's own functions follow. */
  readonly imports?: readonly FunctionType[];
  readonly functions: readonly ModuleFunction[];
}

/** A module that imports `engine.memory` and what else it calls from `engine`. */
export function moduleBytes({ imports = [], functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const types = (of: readonly number[]) => list(of.map((each) => [each]));
  const text = (value: string) => list([...Buffer.from(value)].map((byte) => [byte]));
  const bodies = functions.map(({ locals, code }) => {
    const body = list(locals.map(([count, of]) => [...unsignedBytes(count), of])).concat(code, control.end);
    return unsignedBytes(body.length).concat(body);
  });
  const imported = imports.map(({ name }, index) => [...text('engine'), ...text(name), 0x00, ...unsignedBytes(index)]);
  const exported = functions.flatMap(({ name, isExported }, index) =>
    isExported ? [[...text(name), 0x00, ...unsignedBytes(imports.length + index)]] : [],
  );
  return Uint8Array.from(
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].concat(
      section(1, list([...imports, ...functions].map(({ parameters, results }) => [0x60, ...types(parameters), ...types(results)]))),
      section(2, list([[...text('engine'), ...text('memory'), 0x02, 0x00, 0x01], ...imported])),
      section(3, list(functions.map((_, index) => unsignedBytes(imports.length + index)))),
      section(7, list(exported)),
      section(10, list(bodies)),
    ),
  );
}
