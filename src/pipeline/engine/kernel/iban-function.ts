/**
 * IBANs in a window, as a WebAssembly function that is assembled here: structure by country and mod 97 over 40 bytes at once,
 * without a branch that depends on the country. Accepts exactly the IBANs of countries with one structure.
 *
 * `iban(start, tables)`: the length of the IBAN that starts at `start`, or 0. `tables`: where the bytes of `ibanTables` are.
 * Memory goes on for 40 bytes behind `start`.
 */
import { assign, get, int, leaveIf, type ModuleFunction, place, repeat, unless } from '../assembly/module-bytes.ts';
import { control, opcode, type, vector } from '../assembly/opcodes.ts';
import { kind, power, powersAt, row } from './iban-tables.ts';

const local = { start: 0, tables: 1, row: 2, sum: 3, at: 4, exponent: 5, value: 6, found: 7, bytes: 8, letters: 11 } as const;
const digit = 0x30;
const letter = 0x41;
/** What a letter is less than its byte minus '0', so that A is 10. */
const letterGap = 7;
/** Of 16 bytes each, the last one half. */
const parts = [0, 1, 2] as const;

const byteAt = (at: number): number[] => [...get(local.start), opcode.load8I32, ...place(at)];
const fill = (byte: number): number[] => [...int(byte), ...vector.splat8];
const refuse = (condition: number[]): number[] => unless([...condition, opcode.eqzI32], [...int(0), control.return]);
const isBelow = (code: number[], lowest: number, count: number): number[] => [
  ...[...code, ...fill(lowest), ...vector.sub8],
  ...[...fill(count - 1), ...vector.lessEqual8],
];

function loadPart(address: number, at: number, part: number): number[] {
  return [...get(address), ...(part === 2 ? vector.load64 : vector.load), ...place(at + 16 * part)];
}

/** Finds the country's row; refuses where there is none. */
function findRow(): number[] {
  const letterAt = (at: number): number[] => [...byteAt(at), ...int(letter), opcode.subI32];
  const pair = [...letterAt(0), ...int(26), opcode.multiplyI32, ...letterAt(1), opcode.addI32];
  return [
    ...refuse([...letterAt(0), ...int(25), opcode.greaterI32]),
    ...refuse([...letterAt(1), ...int(25), opcode.greaterI32]),
    ...assign(local.row, pair, int(1), [opcode.shlI32], get(local.tables), [opcode.addI32, opcode.load16I32, ...place(0)]),
    ...refuse([...get(local.row), opcode.eqzI32]),
    ...assign(local.row, get(local.row), get(local.tables), [opcode.addI32]),
  ];
}

/** Leaves what is forbidden or free in `found`; refuses what is forbidden. */
function checkKinds(): number[] {
  const checks = parts.map((part) => {
    const bytes = get(local.bytes + part);
    const letters = get(local.letters + part);
    const digits = isBelow(bytes, digit, 10);
    const ofLetter = [...fill(kind.letter | kind.freeLetter), ...fill(kind.other), ...letters, ...vector.bitSelect];
    const kinds = [...fill(kind.digit), ...ofLetter, ...digits, ...vector.bitSelect];
    return [
      ...assign(local.bytes + part, loadPart(local.start, 0, part)),
      ...assign(local.letters + part, isBelow(bytes, letter, 26)),
      ...assign(local.found, get(local.found), kinds, loadPart(local.row, row.forbidden, part), vector.and, vector.or),
    ];
  });
  const none = fill(0);
  return [
    ...[...assign(local.found, none), ...checks.flat()],
    ...refuse([...get(local.found), ...fill(kind.digit | kind.letter | kind.other), ...vector.and, ...vector.anyTrue]),
  ];
}

/** Leaves the check digits in `value`. 00, 01 and 99 would pass the remainder but are never issued. */
function checkDigits(): number[] {
  const digitAt = (at: number): number[] => [...byteAt(at), ...int(digit), opcode.subI32];
  return [
    ...assign(local.value, digitAt(2), int(10), [opcode.multiplyI32], digitAt(3), [opcode.addI32]),
    ...refuse([...get(local.value), ...int(2), opcode.subI32, ...int(96), opcode.greaterI32]),
  ];
}

const result = (): number[] => [
  ...[...get(local.row), opcode.load8I32, ...place(row.length)],
  ...[...int(0), ...get(local.sum), ...int(97), opcode.remainderI32, ...int(1), opcode.eqI32, opcode.select],
];

/** Letters only where the structure has them: every place has its weight. */
function weigh(): number[] {
  const products = parts.flatMap((part) => {
    const gaps = [...get(local.letters + part), ...fill(letterGap), ...vector.and];
    const values = [...get(local.bytes + part), ...fill(digit), ...vector.sub8, ...gaps, ...vector.sub8];
    const half = (widen: readonly number[], at: number) => [
      ...[...values, ...widen, ...get(local.row), ...vector.load, ...place(row.weights + 2 * (16 * part + at))],
      ...vector.dot16,
    ];
    return part === 2 ? [half(vector.widenLow8, 0)] : [half(vector.widenLow8, 0), half(vector.widenHigh8, 8)];
  });
  const total = products.flatMap((product, index) => [...product, ...(index === 0 ? [] : vector.add32)]);
  const lanes = [0, 1, 2, 3].flatMap((lane) => [...get(local.found), ...vector.lane32, lane, ...(lane === 0 ? [] : [opcode.addI32])]);
  return [...assign(local.found, total), ...assign(local.sum, lanes)];
}

/** Place by place from the last one, with the weight that the letters behind it leave. */
function weighOneByOne(): number[] {
  const { start, at, exponent, value, sum, tables } = local;
  const country = (place: number) => [...byteAt(place), ...int(digit + letterGap), opcode.subI32];
  const isLetter = [...int(letter), ...get(value), opcode.lessEqualI32];
  return [
    ...assign(sum, country(0), int(power(4)), [opcode.multiplyI32], country(1), int(power(2)), [opcode.multiplyI32, opcode.addI32]),
    ...assign(sum, get(sum), get(value), [opcode.addI32]),
    ...assign(exponent, int(6)),
    ...assign(at, get(start), get(local.row), [opcode.load8I32, ...place(row.length), opcode.addI32]),
    ...repeat([
      ...leaveIf([...get(at), ...get(start), ...int(4), opcode.addI32, opcode.eqI32]),
      ...assign(at, get(at), int(1), [opcode.subI32]),
      ...assign(value, get(at), [opcode.load8I32, ...place(0)]),
      ...[...get(sum), ...get(value), ...int(digit), opcode.subI32, ...isLetter, ...int(letterGap), opcode.multiplyI32, opcode.subI32],
      ...[...get(tables), ...get(exponent), opcode.addI32, opcode.load8I32, ...place(powersAt), opcode.multiplyI32],
      ...assign(sum, [opcode.addI32]),
      ...assign(exponent, get(exponent), int(1), isLetter, [opcode.addI32, opcode.addI32]),
    ]),
  ];
}

/** The function, without an export. */
export function ibanFunction(): ModuleFunction {
  const fixed = unless([...get(local.found), ...vector.anyTrue], [...weigh(), ...result(), control.return]);
  return {
    name: 'iban',
    parameters: [type.i32, type.i32],
    results: [type.i32],
    locals: [
      [5, type.i32],
      [7, type.v128],
    ],
    code: [...findRow(), ...checkKinds(), ...checkDigits(), ...fixed, ...weighOneByOne(), ...result()],
    isExported: false,
  };
}
