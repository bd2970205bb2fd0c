/**
 * Canonical JSON (RFC 8785): one sequence of bytes for one value, so that a hash or a signature of it means the value.
 * Only what JSON can hold is accepted: nothing is left out or converted in passing.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { ledgerErrors } from './ledger-errors.ts';

/** Nested deeper, a value is no document of ours, and may hold itself. */
const depthMax = 1_000;

/** Fails with E_CANONICAL_JSON for what is no JSON value; properties that are undefined are refused too. */
export function canonicalJson(value: unknown): string {
  const ordered = inOrder(value, 0);
  const text = ordered === noOrder ? textOf(value) : JSON.stringify(ordered);
  // Half a surrogate pair is the only one that is written like that; a backslash may stand before the same letters.
  if (text.includes('\\ud')) assertWellFormed(value);
  return text;
}

/** Whether it is a text that has a canonical form: half a surrogate pair has none. */
export function isCanonicalText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

/** An object can not keep its keys in the order of the RFC. */
const noOrder = Symbol('no order');

/** The value with the keys of every object in the order of their UTF-16 units: itself, where they are. */
function inOrder(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // Numbers are printed as ECMAScript prints them, which is what the RFC says.
      if (!Number.isFinite(value)) throw refused('a number that is not finite');
      return value;
    case 'object':
      if (value === null) return null;
      if (depth === depthMax) throw refused('a value that is nested too deep');
      return Array.isArray(value) ? arrayInOrder(value, depth) : objectInOrder(value as JsonObject, depth);
    default:
      throw refused(`a value of type ${typeof value}`);
  }
}

function arrayInOrder(values: readonly unknown[], depth: number): unknown {
  let copy: unknown[] | undefined;
  let isOrderable = true;
  for (let index = 0; index < values.length; index++) {
    const ordered = inOrder(values[index], depth + 1);
    if (ordered === noOrder) isOrderable = false;
    else if (copy === undefined && ordered !== values[index]) copy = values.slice(0, index);
    copy?.push(ordered);
  }
  return isOrderable ? (copy ?? values) : noOrder;
}

type JsonObject = Record<string, unknown>;

function objectInOrder(value: JsonObject, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused('an object of a class');
  const keys = Object.keys(value);
  let isOrderable = true;
  let copy: JsonObject | undefined = sortedInPlace(keys) ? undefined : {};
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const own = value[key];
    const ordered = inOrder(own, depth + 1);
    if (ordered === noOrder || !isKeptInOrder(key)) isOrderable = false;
    else if (copy === undefined && ordered !== own) copy = firstOf(value, keys, index);
    if (copy !== undefined && isOrderable) copy[key] = ordered;
  }
  return isOrderable ? (copy ?? value) : noOrder;
}

function firstOf(value: JsonObject, keys: readonly string[], count: number): JsonObject {
  const copy: JsonObject = {};
  for (let index = 0; index < count; index++) copy[keys[index]!] = value[keys[index]!];
  return copy;
}

/** Keys that are whole numbers come first in an object, whenever they were set; `__proto__` is none of its keys. */
function isKeptInOrder(key: string): boolean {
  const first = key.charCodeAt(0);
  return !(first >= 48 && first <= 57) && key !== '__proto__';
}

/** Whether they were sorted. Few keys, in order for the most part, are sooner sorted by insertion. */
function sortedInPlace(keys: string[]): boolean {
  let wasSorted = true;
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index]!;
    if (keys[index - 1]! <= key) continue;
    wasSorted = false;
    if (keys.length > 32) {
      keys.sort();
      break;
    }
    let place = index;
    for (; place > 0 && keys[place - 1]! > key; place--) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
  return wasSorted;
}

/** Of what `inOrder` has looked at, as are the rest. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  const keys = Object.keys(value);
  sortedInPlace(keys);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${textOf((value as JsonObject)[key])}`).join(',')}}`;
}

function assertWellFormed(value: unknown): void {
  if (typeof value === 'string' && !isCanonicalText(value)) throw refused('a text with half a surrogate pair');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, own] of Object.entries(value)) {
    assertWellFormed(key);
    assertWellFormed(own);
  }
}

function refused(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_CANONICAL_JSON, `${what} has no canonical JSON form`);
}
