/** Cursor paging, the same on every list: newest first, `cursor` opaque, `limit` 1 to 200. */
import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';

export const limitMax = 200;

export const pageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: 200, description: 'From `nextCursor` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: 50 })),
};

/** What a list is known by: its route, and what is named in the address; what it is filtered by may change from page to page. */
export interface AskedList {
  readonly routeOptions: { readonly url?: string };
  readonly params: unknown;
}

const tagCharacters = 8;

/** So that a cursor of one list is none of another. */
function tagOf({ routeOptions, params }: AskedList): string {
  return createHash('sha256')
    .update(JSON.stringify([routeOptions.url, params ?? {}]))
    .digest('base64url')
    .slice(0, tagCharacters);
}

/** Fails with E_CURSOR. */
function placeOf(list: AskedList, cursor: string, isPlace: (text: string) => boolean): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const place = text.slice(tagCharacters);
  if (text.slice(0, tagCharacters) !== tagOf(list) || !isPlace(place))
    throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return place;
}

export function writeCursor(list: AskedList, place: string): string {
  return Buffer.from(tagOf(list) + place, 'utf8').toString('base64url');
}

const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id that the next page starts after. Fails with E_CURSOR. */
export function readCursor(list: AskedList, cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : placeOf(list, cursor, (text) => idForm.test(text));
}

/** `rows` holds one more than `limit` where there is a next page. */
export function pageOf<Row>(
  list: AskedList,
  rows: readonly Row[],
  limit: number,
  placeOfRow: (row: Row) => string,
): { items: readonly Row[]; nextCursor: string | null } {
  if (rows.length <= limit) return { items: rows, nextCursor: null };
  const items = rows.slice(0, limit);
  return { items, nextCursor: writeCursor(list, placeOfRow(items[items.length - 1])) };
}

/** For lists that go by numbers: those that the next page starts after. Fails with E_CURSOR. */
export function readNumberCursor(list: AskedList, cursor: string | undefined, size: number): readonly number[] | undefined {
  if (cursor === undefined) return undefined;
  const isPlace = (text: string) => text.split('.').length === size && text.split('.').every((part) => /^\d{1,15}$/.test(part));
  return placeOf(list, cursor, isPlace).split('.').map(Number);
}

export function writeNumberCursor(list: AskedList, ...numbers: readonly number[]): string {
  return writeCursor(list, numbers.join('.'));
}

/** For lists that go by name: the name that the next page starts after. Fails with E_CURSOR. */
export function readNameCursor(list: AskedList, cursor: string | undefined): string | undefined {
  return cursor === undefined
    ? undefined
    : placeOf(list, cursor, (name) => name.length > 0 && !name.includes('\u0000') && !name.includes('\ufffd'));
}
