/**
 * What the headers of a message say beside its type: its variant, and the countries of its sender and receiver. Source: FIN,
 * basic header, application header and user header.
 */
import type { MessageHeaders } from './message-blocks.ts';

const variant = /\{119:([^{}]*)\}/;
/** Two logical terminals: the one of the basic header, and the other party of the application header. */
const basicTerminal = /^[AFL]\d\d[A-Z]{4}([A-Z]{2})/;
const otherTerminal = /^(?:I\d{3}|O\d{3}\d{4}\d{6})[A-Z]{4}([A-Z]{2})/;

/** Fields of block 3 whose form is checked: message user reference, validation flag, unique end-to-end transaction reference. */
const userFields: ReadonlyMap<string, RegExp> = new Map([
  ['108', /^[^{}]{1,16}$/],
  ['119', /^[A-Z0-9]{1,8}$/],
  ['121', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
]);
const userField = /\{(\d{3}):([^{}]*)\}/g;

/** The first field of block 3 that does not have its form; null: none. */
export function malformedUserField({ userHeader }: MessageHeaders): string | null {
  for (const [, tag, value] of (userHeader ?? '').matchAll(userField)) if (userFields.get(tag!)?.test(value!) === false) return tag!;
  return null;
}

/** Field 119 of block 3, the validation flag; null where there is none. */
export function variantOf({ userHeader }: MessageHeaders): string | null {
  return userHeader === null ? null : (variant.exec(userHeader)?.[1] ?? null);
}

/** Null where a header is missing or does not have its form. */
export function partyCountries({ basicHeader, applicationHeader }: MessageHeaders): readonly [string, string] | null {
  const own = basicTerminal.exec(basicHeader ?? '')?.[1];
  const other = otherTerminal.exec(applicationHeader ?? '')?.[1];
  return own === undefined || other === undefined ? null : [own, other];
}
