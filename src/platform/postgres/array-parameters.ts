/**
 * Parameters of statements that write or ask for many rows at once, such as `$2::uuid[]`, in the binary form that the
 * server's `array_recv` reads: nothing is quoted by one side and parsed by the other. The types are those of the casts in
 * the statement's text.
 */
import { Buffer } from 'node:buffer';

/** Writes one element behind its length; undefined when the value is none of the type, and the driver's form is sent. */
type ElementWriter = (value: unknown, at: number) => number | undefined;

interface ElementType {
  readonly oid: number;
  readonly write: ElementWriter;
}

const firstBytes = 64 * 1024;
/** A bigger buffer is not kept. */
const keptBytesMax = 1024 * 1024;
let room = Buffer.allocUnsafeSlow(firstBytes);

const integer = (bytes: 2 | 4): ElementWriter => {
  const limit = 2 ** (bytes * 8 - 1);
  return (value, at) => {
    if (!Number.isInteger(value) || (value as number) >= limit || (value as number) < -limit) return undefined;
    room.writeInt32BE(bytes, at);
    return room.writeIntBE(value as number, at + 4, bytes);
  };
};

/** pg_type.dat of PostgreSQL. */
const elementTypes: Readonly<Record<string, ElementType>> = {
  boolean: { oid: 16, write: writeBoolean },
  bigint: { oid: 20, write: writeBigint },
  smallint: { oid: 21, write: integer(2) },
  int: { oid: 23, write: integer(4) },
  text: { oid: 25, write: writeText },
  timestamptz: { oid: 1184, write: writeTime },
  uuid: { oid: 2950, write: writeUuid },
};

const arrayCast = /\$(\d+)::(boolean|bigint|smallint|int|text|timestamptz|uuid)\[\]/g;

/** By the index of the parameter. */
export type ArrayTypes = ReadonlyMap<number, ElementType>;

export function arrayTypesOf(sql: string): ArrayTypes {
  return new Map([...sql.matchAll(arrayCast)].map(([, number, type]) => [Number(number) - 1, elementTypes[type!]!]));
}

/** The parameters with arrays of the types known encoded; what cannot be encoded stays as it is. */
export function encodeArrays(types: ArrayTypes, params: readonly unknown[]): unknown[] {
  return params.map((value, index) => {
    const type = types.get(index);
    return type !== undefined && Array.isArray(value) ? (encodeArray(value, type) ?? value) : value;
  });
}

const headBytes = 12;
const dimensionBytes = 8;
/** Length and content of an element that is no text. */
const elementBytesMax = 20;

function encodeArray(values: readonly unknown[], { oid, write }: ElementType): Buffer | undefined {
  let at = values.length === 0 ? headBytes : headBytes + dimensionBytes;
  let hasNull = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    makeRoom(at, elementBytesMax);
    if (value === null || value === undefined) {
      hasNull = 1;
      at = room.writeInt32BE(-1, at);
      continue;
    }
    const end = write(value, at);
    if (end === undefined) return undefined;
    at = end;
  }
  room.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  room.writeInt32BE(hasNull, 4);
  room.writeInt32BE(oid, 8);
  if (values.length > 0) {
    room.writeInt32BE(values.length, 12);
    room.writeInt32BE(1, 16);
  }
  const encoded = Buffer.from(room.subarray(0, at));
  if (room.length > keptBytesMax) room = Buffer.allocUnsafeSlow(firstBytes);
  return encoded;
}

function makeRoom(at: number, bytes: number): void {
  if (at + bytes <= room.length) return;
  const bigger = Buffer.allocUnsafeSlow(Math.max(room.length * 2, at + bytes));
  room.copy(bigger, 0, 0, at);
  room = bigger;
}

function writeText(value: unknown, at: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  // A UTF-16 unit takes at most three bytes.
  makeRoom(at, 4 + value.length * 3);
  const bytes = room.write(value, at + 4, 'utf8');
  room.writeInt32BE(bytes, at);
  return at + 4 + bytes;
}

function writeBoolean(value: unknown, at: number): number | undefined {
  if (typeof value !== 'boolean') return undefined;
  room.writeInt32BE(1, at);
  return room.writeUInt8(value ? 1 : 0, at + 4);
}

function writeBigint(value: unknown, at: number): number | undefined {
  if (!Number.isSafeInteger(value)) return undefined;
  return writeLong(value as number, at);
}

function writeLong(value: number, at: number): number {
  room.writeInt32BE(8, at);
  room.writeInt32BE(Math.floor(value / 2 ** 32), at + 4);
  return room.writeUInt32BE(value >>> 0, at + 8);
}

const epochMs = Date.UTC(2000, 0, 1);

/** Microseconds since 2000. */
function writeTime(value: unknown, at: number): number | undefined {
  if (!(value instanceof Date)) return undefined;
  const micros = (value.getTime() - epochMs) * 1000;
  return Number.isSafeInteger(micros) ? writeLong(micros, at) : undefined;
}

const uuidBytes = 16;
/** Where the digits of each group begin in the text. */
const uuidGroups = [0, 9, 14, 19, 24, 36];

function writeUuid(value: unknown, at: number): number | undefined {
  if (typeof value !== 'string' || value.length !== 36) return undefined;
  let place = at + 4;
  for (let group = 0; group < 5; group++) {
    const end = uuidGroups[group + 1]! - (group === 4 ? 0 : 1);
    for (let index = uuidGroups[group]!; index < end; index += 2) {
      const byte = (digitOf(value.charCodeAt(index)) << 4) | digitOf(value.charCodeAt(index + 1));
      if (byte < 0) return undefined;
      room[place++] = byte;
    }
    if (group < 4 && value.charCodeAt(end) !== 45) return undefined;
  }
  room.writeInt32BE(uuidBytes, at);
  return place;
}

/** Negative for what is no hexadecimal digit. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
