/**
 * What the headers of a message say beside its type: its variant, and the countries of its sender and receiver. Source: FIN,
 * basic header, application header and user header.
 */
import type { MessageHeaders } from './message-blocks.ts';

const variant = /\{119:([^{}]*)\}/;
/** Two logical terminals: the one of the basic header, and the other party of the application header. */
const basicTerminal = /^[AFL]\d\d[A-Z]{4}([A-Z]{2})/;
const otherTerminal = /^(?:I\d{3}|O\d{3}\d{4}\d{6})[A-Z]{4}([A-Z]{2})/;

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
