/**
 * What differs in meaning between two versions of a document: a list of changes with paths that name ids instead of
 * positions. Works on canonical forms, so that comments, spacing and written-out defaults are no changes. Pure.
 */
import { isSameMeaning } from '../documents/canonical.ts';
import { type DocumentKind, documentKinds } from '../documents/other-shapes.ts';
import { rawFromData } from '../documents/raw-value.ts';
import type { ListShape, ObjectShape, Shape } from '../documents/shape.ts';

export interface DocumentChange {
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  /** `spec.validate[amount-positive].assert`. */
  readonly path: string;
  /** As written in the canonical form. Of `moved`: positions from 1. */
  readonly before?: unknown;
  readonly after?: unknown;
}

type Canonical = Readonly<Record<string, unknown>>;

/** In order of the document; empty when both mean the same. `before` null: everything is new. A left out value is its default. */
export function documentChanges(before: Canonical | null, after: Canonical): DocumentChange[] {
  const kind = after['kind'] as DocumentKind;
  if (before === null) return [{ change: 'added', path: 'spec', after: after['spec'] }];
  const changes: DocumentChange[] = [];
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
  const { before, after, shape, path } = pair;
  if (before === undefined || after === undefined) compareValues(pair, changes);
  else if (shape.kind === 'object') compareKeys(pair as Pair<ObjectShape>, changes);
  else if (shape.kind === 'map') {
    compareEntries(
      { before: entriesOf(before), after: entriesOf(after), of: shape.of, path, isOrdered: shape.isOrdered ?? false },
      changes,
    );
  } else if (shape.kind === 'list' && shape.id !== undefined) compareItems(pair as Pair<ListShape>, changes);
  else if (shape.kind === 'variant') {
    const [was, is] = [before, after].map((side) => (side as Canonical)[shape.tag]);
    const variant = shape.variants[String(is)];
    if (was === is && variant !== undefined) compareKeys({ ...pair, shape: variant }, changes);
    else compareValues(pair, changes);
  } else compareValues(pair, changes);
}

function compareValues({ before, after, shape, path }: Pair, changes: DocumentChange[]): void {
  if (before === undefined && after === undefined) return;
  if (before === undefined) changes.push({ change: 'added', path, after });
  else if (after === undefined) changes.push({ change: 'removed', path, before });
  else if (!isSameMeaning(rawFromData(before), rawFromData(after), shape)) changes.push({ change: 'changed', path, before, after });
}

function compareKeys({ before, after, shape, path }: Pair<ObjectShape>, changes: DocumentChange[]): void {
  for (const [key, { shape: inner, default: missing }] of Object.entries(shape.keys)) {
    const [was, is] = [before, after].map((side) => (side as Canonical)[key] ?? missing);
    compare({ before: was, after: is, shape: inner, path: `${path}.${key}` }, changes);
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
  for (const [name, value] of after)
    if (!before.has(name)) compareValues({ before: undefined, after: value, shape: of, path: pathOf(name) }, changes);
  if (!pair.isOrdered) return;
  const kept = {
    before: [...before.keys()].filter((name) => after.has(name)),
    after: [...after.keys()].filter((name) => before.has(name)),
  };
  const moved = kept.after.find((name, index) => kept.before[index] !== name);
  if (moved !== undefined) {
    const position = (names: Iterable<string>): number => [...names].indexOf(moved) + 1;
    changes.push({ change: 'moved', path: pathOf(moved), before: position(before.keys()), after: position(after.keys()) });
  }
}
