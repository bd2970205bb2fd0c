/**
 * The decimal digits of a number below 10^8, as a WebAssembly function that is assembled here: all eight at once, without a
 * branch. `digits8(address, value, least)`: writes at least `least` (1 to 8) digits, eight bytes in all; returns how many count.
 */
import { assign, get, int, long, type ModuleFunction, place, set } from '../assembly/module-bytes.ts';
import { opcode, type } from '../assembly/opcodes.ts';

const local = { address: 0, value: 1, least: 2, quotient: 3, zeros: 4, digits: 5, part: 6 } as const;

/** In each lane of `bits` bits: splits a number into quotient and remainder by `divisor`, side by side in lanes of half the size. */
function split(divisor: bigint, inverse: bigint, shift: bigint, mask: bigint, bits: bigint): number[] {
  const { digits, part } = local;
  const remainder = [...get(digits), ...get(part), ...long(divisor), opcode.multiplyI64, opcode.subI64];
  return [
    ...assign(part, get(digits), long(inverse), [opcode.multiplyI64], long(shift), [opcode.shiftRightI64], long(mask), [opcode.andI64]),
    ...assign(digits, get(part), remainder, long(bits / 2n), [opcode.shlI64, opcode.orI64]),
  ];
}

export function digitsFunction(): ModuleFunction {
  const { address, value, least, quotient, zeros, digits } = local;
  const mostZeros = [...int(8), ...get(least), opcode.subI32];
  return {
    name: 'digits8',
    parameters: [type.i32, type.i32, type.i32],
    results: [type.i32],
    locals: [
      [2, type.i32],
      [2, type.i64],
    ],
    code: [
      ...assign(quotient, get(value), int(10_000), [opcode.divideI32]),
      ...[...get(value), ...get(quotient), ...int(10_000), opcode.multiplyI32, opcode.subI32, opcode.extendI32],
      ...[...long(32n), opcode.shlI64, ...get(quotient), opcode.extendI32, opcode.orI64, ...set(digits)],
      // 10486 / 2^20 is a hundredth and 103 / 2^10 a tenth, near enough for what is below 10,000 and below 100.
      ...split(100n, 10_486n, 20n, 0x0000007f0000007fn, 32n),
      ...split(10n, 103n, 10n, 0x000f000f000f000fn, 16n),
      ...assign(zeros, get(digits), [opcode.trailingZerosI64, opcode.wrapI64], int(3), [opcode.shiftRightI32]),
      ...assign(zeros, get(zeros), mostZeros, get(zeros), mostZeros, [opcode.lessSignedI32, opcode.select]),
      ...[...get(address), ...get(digits), ...long(0x3030303030303030n), opcode.orI64],
      ...[...get(zeros), ...int(3), opcode.shlI32, opcode.extendI32, opcode.shiftRightI64, opcode.storeI64, ...place(0)],
      ...[...int(8), ...get(zeros), opcode.subI32],
    ],
    isExported: false,
  };
}
