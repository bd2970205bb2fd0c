/**
 * Looks at the values of a JSON document that is to be written: each has the kind that is wanted at its place, or is refused
 * with its JSON pointer. Values themselves never enter a message.
 */
import type { HeadgateError } from '../../../platform/base/errors.ts';
import { refusalAt } from './checked-writing.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Keys that are shown in messages and pointers; others may be content. */
const shownKey = /^[@#A-Za-z0-9_:.{}/-]{1,64}$/;

/** RFC 6901. */
export function pointerTo(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export class DocumentValues {
  readonly #code: string;

  /** `code` is that of refusals. */
  constructor(code: string) {
    this.#code = code;
  }

  refuse(pointer: string, message: string): HeadgateError {
    return refusalAt(this.#code, pointer, message);
  }

  object(value: unknown, pointer: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.refuse(pointer, `an object is wanted, not ${kindOf(value)}`);
    return value as JsonObject;
  }

  list(value: unknown, pointer: string): readonly unknown[] {
    if (!Array.isArray(value)) throw this.refuse(pointer, `a list is wanted, not ${kindOf(value)}`);
    return value;
  }

  text(value: unknown, pointer: string): string {
    if (typeof value === 'string') return value;
    throw this.refuse(pointer, `a text is wanted, not ${kindOf(value)}`);
  }

  /** Null: the key is absent or null. */
  optionalText(object: JsonObject, key: string, pointer: string): string | null {
    const value = valueAt(object, key);
    return value === null ? null : this.text(value, pointerTo(pointer, key));
  }

  /** An integer from 0 on; null: the key is absent or null. */
  optionalCount(object: JsonObject, key: string, pointer: string): number | null {
    const value = valueAt(object, key);
    if (value === null) return null;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw this.refuse(pointerTo(pointer, key), `a whole number from 0 on is wanted, not ${kindOf(value)}`);
    return value;
  }

  /** An absent or null list is empty. */
  optionalList(object: JsonObject, key: string, pointer: string): readonly unknown[] {
    const value = valueAt(object, key);
    return value === null ? [] : this.list(value, pointerTo(pointer, key));
  }

  /** Null: the key is absent or null. */
  optionalObject(object: JsonObject, key: string, pointer: string): JsonObject | null {
    const value = valueAt(object, key);
    return value === null ? null : this.object(value, pointerTo(pointer, key));
  }

  /** Refuses keys that nothing would be written of. */
  onlyKeys(object: JsonObject, known: (key: string) => boolean, pointer: string): void {
    for (const key of Object.keys(object)) {
      if (known(key)) continue;
      const isShown = shownKey.test(key);
      throw this.refuse(
        isShown ? pointerTo(pointer, key) : pointer,
        isShown ? 'there is no such key here' : 'a key that is not known here',
      );
    }
  }
}

export function valueAt(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'a number' : 'a number with decimals';
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'true or false' : 'an object';
}
