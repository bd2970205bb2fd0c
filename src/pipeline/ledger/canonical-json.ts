/**
 * Canonical JSON (RFC 8785): one sequence of bytes for one value, so that a hash or a signature of it means the value.
 * Only what JSON can hold is accepted: nothing is left out or converted in passing.
 */
import canonicalize from 'canonicalize';
import { HeadgateError } from '../../platform/base/errors.ts';
import { ledgerErrors } from './ledger-errors.ts';

/** Fails with E_CANONICAL_JSON for what is no JSON value; properties that are undefined are refused too. */
export function canonicalJson(value: unknown): string {
  assertJson(value);
  try {
    return canonicalize(value) as string;
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_CANONICAL_JSON, 'a value has no canonical JSON form', { cause });
  }
}

function assertJson(value: unknown): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return;
  if (Array.isArray(value)) {
    value.forEach(assertJson);
    return;
  }
  if (typeof value !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    throw new HeadgateError(ledgerErrors.E_CANONICAL_JSON, `a value of type ${typeof value} has no canonical JSON form`);
  }
  Object.values(value).forEach(assertJson);
}
