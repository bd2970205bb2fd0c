/** Cursor paging, the same on every list: newest first, `cursor` opaque, `limit` 1 to 200. */
import { Type } from 'typebox';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';

export const limitMax = 200;

export const pageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: 200, description: 'From `nextCursor` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: 50 })),
};

const cursorPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id that the next page starts after. Fails with E_CURSOR. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!cursorPattern.test(id)) throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return id;
}

/** `rows` holds one more than `limit` where there is a next page. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  idOf: (row: Row) => string,
): { items: readonly Row[]; nextCursor: string | null } {
  if (rows.length <= limit) return { items: rows, nextCursor: null };
  const items = rows.slice(0, limit);
  return { items, nextCursor: Buffer.from(idOf(items[items.length - 1]), 'latin1').toString('base64url') };
}

/** For lists that go by numbers: those that the next page starts after. Fails with E_CURSOR. */
export function readNumberCursor(cursor: string | undefined, size: number): readonly number[] | undefined {
  if (cursor === undefined) return undefined;
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  if (parts.length !== size || !parts.every((part) => /^\d{1,15}$/.test(part)))
    throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return parts.map(Number);
}

export function writeNumberCursor(...numbers: readonly number[]): string {
  return Buffer.from(numbers.join('.'), 'latin1').toString('base64url');
}

/** For lists that go by name: the name that the next page starts after. Fails with E_CURSOR. */
export function readNameCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const name = Buffer.from(cursor, 'base64url').toString('utf8');
  if (name.length === 0 || name.includes('\u0000') || name.includes('\ufffd'))
    throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return name;
}

export function writeNameCursor(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

export function namePageOf<Row>(
  rows: readonly Row[],
  limit: number,
  nameOf: (row: Row) => string,
): { items: readonly Row[]; nextCursor: string | null } {
  if (rows.length <= limit) return { items: rows, nextCursor: null };
  const items = rows.slice(0, limit);
  return { items, nextCursor: writeNameCursor(nameOf(items[items.length - 1])) };
}
