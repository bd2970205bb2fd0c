/** Small parts that the resources share: ids, "not found", and how a route is declared. */
import { type TSchema, Type } from 'typebox';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';

export const idParameter = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }) },
  { additionalProperties: false },
);

export const nameParameter = Type.Object({ name: Type.String({ minLength: 1, maxLength: 120 }) }, { additionalProperties: false });

/** Answers of a list. The items are described loosely: their shape is that of the views. */
export const pageAnswer = Type.Object({ items: Type.Array(Type.Unknown()), nextCursor: Type.Union([Type.String(), Type.Null()]) });

export function query<Properties extends Record<string, TSchema>>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

/** The same answer for what never was and for what belongs to another tenant. */
export function found<Thing>(thing: Thing | undefined | null): Thing {
  if (thing === undefined || thing === null) throw new HeadgateError(apiErrors.E_NOT_FOUND, 'there is nothing of that id');
  return thing;
}
