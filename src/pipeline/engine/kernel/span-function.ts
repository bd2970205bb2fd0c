/**
 * How far characters of a class go on, as a WebAssembly function that is assembled here: 16 bytes a step. `span(start)`: where
 * the first other one stands.
 */
import { advance, assign, get, int, type ModuleFunction, place, unless } from '../assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../assembly/opcodes.ts';
import { windowAt } from '../window-memory.ts';

export interface CharacterRange {
  readonly first: number;
  readonly last: number;
}

const local = { at: 0, others: 1, bytes: 2 } as const;

export function spanFunction(name: string, ranges: readonly CharacterRange[]): ModuleFunction {
  const fill = (byte: number): number[] => [...int(byte), ...vector.splat8];
  const members = ranges.flatMap(({ first, last }, index) => [
    ...[...get(local.bytes), ...fill(first), ...vector.sub8, ...fill(last - first), ...vector.lessEqual8],
    ...(index === 0 ? [] : vector.or),
  ]);
  return {
    name,
    parameters: [type.i32],
    results: [type.i32],
    locals: [
      [1, type.i32],
      [1, type.v128],
    ],
    code: [
      control.loop,
      control.noResult,
      ...assign(local.bytes, get(local.at), vector.load, place(windowAt)),
      ...assign(local.others, members, vector.bits8, int(0xffff), [opcode.xorI32]),
      ...unless(get(local.others), [...advance(local.at, 16), control.branch, 1]),
      ...[...get(local.at), ...get(local.others), opcode.trailingZerosI32, opcode.addI32, control.return],
      control.end,
      control.unreachable,
    ],
    isExported: false,
  };
}
