/**
 * Documents described as data: which keys there are, of what kind, with which bounds, defaults and meaning. The reader,
 * the JSON Schema, the canonical hash, the formatter and the documentation all derive from the same description.
 */
export type Shape =
  | TextShape
  | { readonly kind: 'choice'; readonly choices: readonly string[] /** Choices of later versions. */; readonly later?: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'ratio' }
  /** `30s`; read as milliseconds. */
  | { readonly kind: 'duration'; readonly minMs: number; readonly maxMs: number }
  /** `2GiB`; read as bytes. */
  | { readonly kind: 'size'; readonly minBytes: number; readonly maxBytes: number }
  /** `200/s`; read as a number a second. */
  | { readonly kind: 'rate'; readonly max: number }
  /** A number or text, read as the exact text that the author wrote. */
  | { readonly kind: 'exact-text' }
  /** One ASCII character or `\t`, or empty for none; read as text. */
  | { readonly kind: 'byte'; readonly canBeEmpty: boolean }
  | { readonly kind: 'secret' }
  | { readonly kind: 'expression'; readonly result: 'bool' | 'value' }
  | ListShape
  /** `[start, length]`, both from 1. */
  | { readonly kind: 'range' }
  | MapShape
  | ObjectShape
  | VariantShape
  /** A value that may be written in either way. */
  | { readonly kind: 'either'; readonly shapes: readonly [Shape, Shape] };

export interface TextShape {
  readonly kind: 'text';
  readonly pattern?: string;
  /** How a text that does not match is told what to be: "must be …". */
  readonly expected?: string;
  readonly maxLength?: number;
}

export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  readonly min: number;
  readonly max: number;
  /** Items are told apart by this key. */
  readonly id?: string;
}

export interface MapShape {
  readonly kind: 'map';
  readonly keyPattern: string;
  readonly keyExpected: string;
  readonly of: Shape;
  readonly min: number;
  readonly max: number;
  /** The order of the entries means something, so it is part of the canonical form. */
  readonly isOrdered?: boolean;
}

export interface Key {
  readonly shape: Shape;
  readonly description: string;
  readonly required?: boolean;
  /** As it is written; what a missing key means. Without one a missing key is absent. */
  readonly default?: unknown;
  /** In place of a default: the key of the same object whose value a missing one has. */
  readonly sameAs?: string;
}

export interface ObjectShape {
  readonly kind: 'object';
  readonly keys: Readonly<Record<string, Key>>;
  /** Keys of later versions: refused by name. */
  readonly later?: readonly string[];
  /** What their answer says besides, by key. */
  readonly laterNotes?: Readonly<Record<string, string>>;
}

/** An object whose `tag` key says which other keys it has. */
export interface VariantShape {
  readonly kind: 'variant';
  readonly tag: string;
  readonly variants: Readonly<Record<string, ObjectShape>>;
  /** Variants and keys of later versions. */
  readonly laterVariants: readonly string[];
  readonly later: readonly string[];
  /** What the answer to such a key says besides, by key. */
  readonly laterNotes?: Readonly<Record<string, string>>;
}

export function text(expected?: string, pattern?: string, maxLength = 200): TextShape {
  return { kind: 'text', expected, pattern, maxLength };
}

export function choice(choices: readonly string[], later: readonly string[] = []): Shape {
  return { kind: 'choice', choices, later };
}

export function integer(min: number, max: number): Shape {
  return { kind: 'integer', min, max };
}

export function list(of: Shape, bounds: { min?: number; max: number; id?: string }): ListShape {
  return { kind: 'list', of, min: bounds.min ?? 0, max: bounds.max, id: bounds.id };
}

export function object(
  keys: Readonly<Record<string, Key>>,
  later: readonly string[] = [],
  laterNotes: Readonly<Record<string, string>> = {},
): ObjectShape {
  return { kind: 'object', keys, later, laterNotes };
}

export const namePattern = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';
/** Names of tenants, services, flows, targets, connections and ids of rules. */
export const name = text('lower case letters, digits and single hyphens, such as eft-credit-inbound', namePattern, 63);
export const fieldNamePattern = '^[A-Za-z][A-Za-z0-9_]{0,63}$';
export const fieldName = text('a letter, then letters, digits and underscores, at most 64', fieldNamePattern, 64);
export const sentence = text('one line of text', '^[^\\u0000-\\u001f\\u007f]*$', 300);
/** Below a connection's root; `.` is the root itself. */
export const relativePath = text(
  'a path of plain folders, without .. and without a leading /',
  '^(\\.|(?!/)(?!.*(^|/)\\.\\.?(/|$))[^\\u0000-\\u001f\\\\]+)$',
  500,
);
