/** What differs between two canonical documents, by path: lists of things with an `id` are compared by it, not by place. */
export interface SemanticChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

const changesMax = 1_000;

/** In order of the paths; at most 1,000. */
export function semanticChanges(before: unknown, after: unknown): SemanticChange[] {
  const changes: SemanticChange[] = [];
  walk('', before ?? {}, after ?? {}, changes);
  return changes;
}

function walk(path: string, before: unknown, after: unknown, changes: SemanticChange[]): void {
  if (changes.length >= changesMax) return;
  const left = entriesOf(before);
  const right = entriesOf(after);
  if (left === null || right === null) {
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ path, change: 'changed', before, after });
    return;
  }
  for (const key of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const inner = path === '' ? key : key.startsWith('[') ? path + key : `${path}.${key}`;
    if (!right.has(key)) changes.push({ path: inner, change: 'removed', before: left.get(key) });
    else if (!left.has(key)) changes.push({ path: inner, change: 'added', after: right.get(key) });
    else walk(inner, left.get(key), right.get(key), changes);
  }
}

/** Null for what is compared whole: scalars, and lists whose items have no ids. */
function entriesOf(value: unknown): Map<string, unknown> | null {
  if (Array.isArray(value)) {
    if (value.length === 0 || !value.every((item) => item !== null && typeof item === 'object' && typeof item.id === 'string')) return null;
    return new Map(value.map((item) => [`[${item.id}]`, item]));
  }
  return value !== null && typeof value === 'object' ? new Map(Object.entries(value)) : null;
}
