/**
 * The canonical form of a document and its hash (decisions 29): RFC 8785 over apiVersion, kind, name and spec, with values
 * equal to their defaults removed. Maps whose order means something (fields, record types, output fields, targets) are lists
 * of [name, value] there, because RFC 8785 sorts keys. Comments, spacing, quotes, labels, owner and version change nothing.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../pipeline/ledger/canonical-json.ts';
import { type RawValue, rawFromData } from './raw-value.ts';
import { readShape } from './read-shape.ts';
import type { ObjectShape, Shape } from './shape.ts';

/** Of a document that was read without mistakes. */
export function canonicalDocument(root: RawValue, shape: ObjectShape): Record<string, unknown> {
  const entries = (root as Extract<RawValue, { kind: 'map' }>).entries;
  const text = (raw: RawValue | undefined): string => (raw?.kind === 'scalar' ? raw.source : '');
  const metadata = entries.get('metadata') as Extract<RawValue, { kind: 'map' }>;
  return {
    apiVersion: text(entries.get('apiVersion')),
    kind: text(entries.get('kind')),
    name: text(metadata.entries.get('name')),
    spec: withoutDefaults(entries.get('spec')!, shape.keys['spec']!.shape),
  };
}

/** `sha256:` and 64 hex digits. */
export function documentHash(canonical: Record<string, unknown>): string {
  return `sha256:${createHash('sha256').update(canonicalJson(canonical)).digest('hex')}`;
}

function withoutDefaults(raw: RawValue, shape: Shape): unknown {
  switch (shape.kind) {
    case 'object':
      return objectWithoutDefaults(raw, shape);
    case 'variant': {
      const tag = (raw as Extract<RawValue, { kind: 'map' }>).entries.get(shape.tag) as Extract<RawValue, { kind: 'scalar' }>;
      return objectWithoutDefaults(raw, shape.variants[tag.source]!);
    }
    case 'map': {
      const entries = [...(raw as Extract<RawValue, { kind: 'map' }>).entries].map(
        ([key, value]) => [key, withoutDefaults(value, shape.of)] as const,
      );
      return shape.isOrdered ? entries.map(([key, value]) => [key, value]) : Object.fromEntries(entries);
    }
    case 'list':
      return (raw as Extract<RawValue, { kind: 'list' }>).items.map((item) => withoutDefaults(item, shape.of));
    case 'exact-text':
      return raw.kind === 'scalar' ? raw.source : null;
    default:
      return plain(raw);
  }
}

function objectWithoutDefaults(raw: RawValue, shape: ObjectShape): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  const { entries } = raw as Extract<RawValue, { kind: 'map' }>;
  for (const [key, value] of entries) {
    const description = shape.keys[key]!;
    const meant = description.sameAs === undefined ? undefined : (entries.get(description.sameAs) ?? null);
    const otherwise = meant === null ? shape.keys[description.sameAs!]!.default : description.default;
    const missing = meant ?? (otherwise === undefined ? null : rawFromData(otherwise));
    if (missing !== null && isSameMeaning(value, missing, description.shape)) continue;
    kept.push([key, withoutDefaults(value, description.shape)]);
  }
  return Object.fromEntries(kept);
}

/** Both are read: `5s` is `5000ms`, and a left out key is its default. */
export function isSameMeaning(left: RawValue, right: RawValue, shape: Shape): boolean {
  const ignore = (): void => {};
  const [a, b] = [readShape(left, shape, [], ignore), readShape(right, shape, [], ignore)];
  return canonicalJson(defined(a)) === canonicalJson(defined(b));
}

/** Keys that are absent are no part of JSON. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, defined(inner)]),
  );
}

function plain(raw: RawValue): unknown {
  switch (raw.kind) {
    case 'scalar':
      return raw.value;
    case 'list':
      return raw.items.map(plain);
    case 'map':
      return Object.fromEntries([...raw.entries].map(([key, value]) => [key, plain(value)]));
  }
}
