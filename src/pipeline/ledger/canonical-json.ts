/**
 * Canonical JSON (RFC 8785): one sequence of bytes for one value, so that a hash or a signature of it means the value.
 * Only what JSON can hold is accepted: nothing is left out or converted in passing.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { ledgerErrors } from './ledger-errors.ts';

/** Nested deeper, a value is no document of ours, and may hold itself. */
const depthMax = 1_000;

/** Fails with E_CANONICAL_JSON for what is no JSON value; properties that are undefined are refused too. */
export function canonicalJson(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      // Numbers are printed as ECMAScript prints them, which is what the RFC says.
      if (!Number.isFinite(value)) throw refused('a number that is not finite');
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth === depthMax) throw refused('a value that is nested too deep');
      return Array.isArray(value) ? arrayText(value, depth) : objectText(value, depth);
    default:
      throw refused(`a value of type ${typeof value}`);
  }
}

function arrayText(values: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < values.length; index++) text += (index === 0 ? '' : ',') + canonicalJson(values[index], depth + 1);
  return `${text}]`;
}

/** Keys in the order of their UTF-16 units. */
function objectText(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused('an object of a class');
  let text = '{';
  for (const key of sortedInPlace(Object.keys(value))) {
    text += `${text.length === 1 ? '' : ','}${quoted(key)}:${canonicalJson((value as Record<string, unknown>)[key], depth + 1)}`;
  }
  return `${text}}`;
}

/** Few keys, in order for the most part, are sooner sorted by insertion. */
function sortedInPlace(keys: string[]): string[] {
  if (keys.length > 32) return keys.sort();
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index]!;
    let place = index;
    for (; place > 0 && keys[place - 1]! > key; place--) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
  return keys;
}

/** What JSON writes as it is. */
const plainText = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw refused('a text with half a surrogate pair');
  return JSON.stringify(text);
}

function refused(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_CANONICAL_JSON, `${what} has no canonical JSON form`);
}
