/**
 * What differs in meaning between two versions of a document: a list of changes with paths that name ids instead of
 * positions. Works on canonical forms, so that comments, spacing and written-out defaults are no changes. Pure.
 */
import { canonicalJson } from '../../pipeline/ledger/canonical-json.ts';
import { type DocumentKind, documentKinds } from './other-shapes.ts';
import type { ListShape, MapShape, ObjectShape, Shape } from './shape.ts';

export interface DocumentChange {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  /** `spec.validate[amount-positive].assert`. */
  readonly path: string;
  /** As written in the canonical form; null where there was or is nothing. Of `moved`: positions from 1. */
  readonly before: unknown;
  readonly after: unknown;
}

type Canonical = Readonly<Record<string, unknown>>;

/** In order of the document; empty when both mean the same. `before` null: everything is new. */
export function compareDocuments(before: Canonical | null, after: Canonical): DocumentChange[] {
  const kind = after['kind'] as DocumentKind;
  if (before === null) return [{ kind: 'added', path: `${kind} ${String(after['name'])}`, before: null, after: null }];
  const changes: DocumentChange[] = [];
  for (const key of ['apiVersion', 'kind', 'name']) compareValues(before[key], after[key], key, changes);
  if (before['kind'] === kind)
    compare({ before: before['spec'], after: after['spec'], shape: documentKinds[kind]['spec']!.shape, path: 'spec' }, changes);
  return changes;
}

interface Pair<Of extends Shape = Shape> {
  readonly before: unknown;
  readonly after: unknown;
  readonly shape: Of;
  readonly path: string;
}

function compare(pair: Pair, changes: DocumentChange[]): void {
  const { before, after, shape } = pair;
  if (before === undefined || after === undefined || isSame(before, after)) compareValues(before, after, pair.path, changes);
  else if (shape.kind === 'object') compareKeys(pair as Pair<ObjectShape>, changes);
  else if (shape.kind === 'map')
    compareEntries(
      { ...pair, before: entriesOf(before), after: entriesOf(after), of: shape.of, isOrdered: (shape as MapShape).isOrdered ?? false },
      changes,
    );
  else if (shape.kind === 'list' && shape.id !== undefined) compareItems(pair as Pair<ListShape>, changes);
  else if (shape.kind === 'variant') {
    const [was, is] = [before, after].map((side) => (side as Canonical)[shape.tag]);
    const variant = shape.variants[String(is)];
    if (was === is && variant !== undefined) compareKeys({ ...pair, shape: variant }, changes);
    else compareValues(before, after, pair.path, changes);
  } else compareValues(before, after, pair.path, changes);
}

function isSame(before: unknown, after: unknown): boolean {
  return canonicalJson(before) === canonicalJson(after);
}

function compareValues(before: unknown, after: unknown, path: string, changes: DocumentChange[]): void {
  if (before === undefined && after === undefined) return;
  if (before === undefined) changes.push({ kind: 'added', path, before: null, after });
  else if (after === undefined) changes.push({ kind: 'removed', path, before, after: null });
  else if (!isSame(before, after)) changes.push({ kind: 'changed', path, before, after });
}

function compareKeys({ before, after, shape, path }: Pair<ObjectShape>, changes: DocumentChange[]): void {
  for (const [key, { shape: inner }] of Object.entries(shape.keys)) {
    compare({ before: (before as Canonical)[key], after: (after as Canonical)[key], shape: inner, path: `${path}.${key}` }, changes);
  }
}

type Entries = ReadonlyMap<string, unknown>;

/** Ordered maps are lists of [name, value] in the canonical form. */
function entriesOf(value: unknown): Entries {
  return new Map(Array.isArray(value) ? (value as [string, unknown][]) : Object.entries(value as Canonical));
}

function compareItems({ before, after, shape, path }: Pair<ListShape>, changes: DocumentChange[]): void {
  const byId = (items: unknown): Entries => new Map((items as Canonical[]).map((item) => [String(item[shape.id!]), item]));
  compareEntries({ before: byId(before), after: byId(after), of: shape.of, path, isOrdered: true, inBrackets: true }, changes);
}

interface EntriesPair {
  readonly before: Entries;
  readonly after: Entries;
  readonly of: Shape;
  readonly path: string;
  readonly isOrdered: boolean;
  readonly inBrackets?: boolean;
}

function compareEntries(pair: EntriesPair, changes: DocumentChange[]): void {
  const { before, after, of, path } = pair;
  const pathOf = (name: string): string => (pair.inBrackets ? `${path}[${name}]` : `${path}.${name}`);
  for (const [name, value] of before) compare({ before: value, after: after.get(name), shape: of, path: pathOf(name) }, changes);
  for (const [name, value] of after) if (!before.has(name)) compareValues(undefined, value, pathOf(name), changes);
  if (!pair.isOrdered) return;
  const kept = {
    before: [...before.keys()].filter((name) => after.has(name)),
    after: [...after.keys()].filter((name) => before.has(name)),
  };
  const moved = kept.after.find((name, index) => kept.before[index] !== name);
  if (moved !== undefined) {
    const position = (names: Iterable<string>): number => [...names].indexOf(moved) + 1;
    changes.push({ kind: 'moved', path: pathOf(moved), before: position(before.keys()), after: position(after.keys()) });
  }
}
