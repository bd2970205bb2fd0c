/**
 * Looks at the values of a JSON document that is to be written: each has the kind that is wanted at its place, or is refused
 * with its JSON pointer. Values themselves never enter a message.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type JsonValue, pointerTo } from '../documents/document-stream.ts';

export type JsonMembers = ReadonlyMap<string, JsonValue>;

/** Keys that are shown in pointers; others may be content. */
const shownKey = /^[@#A-Za-z0-9_:.{}/-]{1,64}$/;

/** `pointer`: a JSON pointer (RFC 6901); the document as a whole is the empty one. */
export function refusalAt(code: string, pointer: string, message: string): HeadgateError {
  return new HeadgateError(code, `${pointer === '' ? 'the document' : pointer}: ${message}`);
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

  object(value: JsonValue, pointer: string): JsonMembers {
    if (value.kind !== 'object') throw this.refuse(pointer, `an object is wanted, not ${nameOf(value)}`);
    return value.members;
  }

  list(value: JsonValue, pointer: string): readonly JsonValue[] {
    if (value.kind !== 'array') throw this.refuse(pointer, `a list is wanted, not ${nameOf(value)}`);
    return value.items;
  }

  text(value: JsonValue, pointer: string): string {
    if (value.kind !== 'string') throw this.refuse(pointer, `a text is wanted, not ${nameOf(value)}`);
    return value.value;
  }

  /** An integer from 0 on that a number holds exactly. */
  count(value: JsonValue, pointer: string): number {
    if (value.kind !== 'number' || !/^\d{1,15}$/.test(value.text))
      throw this.refuse(pointer, `a whole number from 0 on, of at most 15 digits, is wanted, not ${nameOf(value)}`);
    return Number(value.text);
  }

  /** Null: the key is absent or null. */
  optionalText(object: JsonMembers, key: string, pointer: string): string | null {
    const value = givenAt(object, key);
    return value === null ? null : this.text(value, pointerTo(pointer, key));
  }

  /** Null: the key is absent or null. */
  optionalCount(object: JsonMembers, key: string, pointer: string): number | null {
    const value = givenAt(object, key);
    return value === null ? null : this.count(value, pointerTo(pointer, key));
  }

  /** An absent or null list is empty. */
  optionalList(object: JsonMembers, key: string, pointer: string): readonly JsonValue[] {
    const value = givenAt(object, key);
    return value === null ? [] : this.list(value, pointerTo(pointer, key));
  }

  /** Null: the key is absent or null. */
  optionalObject(object: JsonMembers, key: string, pointer: string): JsonMembers | null {
    const value = givenAt(object, key);
    return value === null ? null : this.object(value, pointerTo(pointer, key));
  }

  /** Refuses keys that nothing would be written of. */
  onlyKeys(object: JsonMembers, known: (key: string) => boolean, pointer: string): void {
    for (const key of object.keys()) if (!known(key)) throw this.unknownKey(key, pointer);
  }

  unknownKey(key: string | number, pointer: string): HeadgateError {
    const isShown = typeof key === 'number' || shownKey.test(key);
    return this.refuse(isShown ? pointerTo(pointer, key) : pointer, 'there is no such key here');
  }
}

/** Null: the key is absent or null. */
export function givenAt(object: JsonMembers, key: string): JsonValue | null {
  const value = object.get(key);
  return value === undefined || value.kind === 'null' ? null : value;
}

const names: Readonly<Record<JsonValue['kind'], string>> = {
  null: 'null',
  boolean: 'true or false',
  string: 'a text',
  number: 'a number',
  array: 'a list',
  object: 'an object',
};

function nameOf({ kind }: JsonValue): string {
  return names[kind];
}
