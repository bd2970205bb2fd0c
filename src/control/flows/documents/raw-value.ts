/** A document's values with the exact text of each scalar, so that numbers stay as their author wrote them. */
import { isMap, isScalar, isSeq, type Scalar } from 'yaml';

export type RawValue =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly source: string }
  | { readonly kind: 'list'; readonly items: readonly RawValue[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, RawValue> };

/** Of a tree that `readYaml` has accepted. */
export function rawFromNode(node: unknown): RawValue {
  if (isMap(node))
    return { kind: 'map', entries: new Map(node.items.map((pair) => [String((pair.key as Scalar).value), rawFromNode(pair.value)])) };
  if (isSeq(node)) return { kind: 'list', items: node.items.map(rawFromNode) };
  if (!isScalar(node)) return { kind: 'scalar', value: null, source: '' };
  const value = node.value as string | number | boolean | null;
  return { kind: 'scalar', value, source: typeof value === 'string' ? value : (node.source ?? String(value)) };
}

/** Of plain data, such as a default or a document kept as JSON. */
export function rawFromData(data: unknown): RawValue {
  if (Array.isArray(data)) return { kind: 'list', items: data.map(rawFromData) };
  if (typeof data === 'object' && data !== null) {
    return { kind: 'map', entries: new Map(Object.entries(data).map(([key, value]) => [key, rawFromData(value)])) };
  }
  const value = (data ?? null) as string | number | boolean | null;
  return { kind: 'scalar', value, source: String(value) };
}
