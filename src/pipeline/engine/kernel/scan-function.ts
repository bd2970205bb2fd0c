/**
 * The end of a text, as a WebAssembly function that is assembled here: 16 bytes a step until one of them is in the scan's
 * table. `scan(start)`: the end times four, plus the flags of what was run over.
 */
import { advance, assign, get, int, leaveIf, type ModuleFunction, place, repeat, unless } from '../assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../assembly/opcodes.ts';
import { windowAt } from '../window-memory.ts';
import { byteBits } from './record-layout.ts';

const local = { at: 0, flags: 1, found: 2, bytes: 3 } as const;
const firstPrintable = 0x20;

/** `table` is at `tableAt`; all bytes below 0x20 and from 0x80 on are in it. */
export function scanFunction(name: string, table: Uint8Array, tableAt: number): ModuleFunction {
  const others = [...table.keys()].filter((byte) => byte >= firstPrintable && byte < 0x80 && table[byte] !== 0);
  const fill = (byte: number): number[] => [...int(byte), ...vector.splat8];
  // Bytes from 0x80 on are negative.
  const outside = [...get(local.bytes), ...fill(firstPrintable), ...vector.lessSigned8];
  const special = others.flatMap((byte) => [...get(local.bytes), ...fill(byte), ...vector.equal8, ...vector.or]);
  const look = assign(local.found, get(local.at), [opcode.load8I32, ...place(windowAt)], [opcode.load8I32, ...place(tableAt)]);
  const result = [...get(local.at), ...int(2), opcode.shlI32, ...get(local.flags), opcode.addI32, control.return];
  return {
    name,
    parameters: [type.i32],
    results: [type.i32],
    locals: [
      [2, type.i32],
      [1, type.v128],
    ],
    code: [
      control.loop,
      control.noResult,
      ...assign(local.bytes, get(local.at), vector.load, place(windowAt)),
      ...assign(local.found, outside, special, vector.bits8),
      // None of the 16.
      ...unless([...get(local.found)], [...advance(local.at, 16), control.branch, 1]),
      ...assign(local.at, get(local.at), get(local.found), [opcode.trailingZerosI32, opcode.addI32]),
      ...look,
      ...repeat([
        ...leaveIf([...get(local.found), opcode.eqzI32]),
        ...unless([...get(local.found), ...int(byteBits.stops), opcode.lessSignedI32], result),
        ...assign(local.flags, get(local.flags), get(local.found), [opcode.orI32]),
        ...advance(local.at, 1),
        ...look,
      ]),
      ...advance(local.at, 1),
      control.branch,
      0,
      control.end,
      control.unreachable,
    ],
    isExported: false,
  };
}
