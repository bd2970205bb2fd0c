/** Values of a document by their place, and refusals that name it. */
import { actorOf, HeadgateError } from '../../../../platform/base/errors.ts';
import { type JsonValue, pointerTo } from '../../documents/document-stream.ts';
import { nachaErrors } from '../nacha-errors.ts';

export type Members = Extract<JsonValue, { kind: 'object' }>['members'];

/** An object of the document; the pointer is made only where something is refused. */
export interface Place {
  pointer(): string;
}

export class Below implements Place {
  readonly #above: Place;
  readonly #keys: readonly (string | number)[];

  constructor(above: Place, ...keys: readonly (string | number)[]) {
    this.#above = above;
    this.#keys = keys;
  }

  pointer(): string {
    return this.#keys.reduce<string>(pointerTo, this.#above.pointer());
  }
}

export const documentRoot: Place = { pointer: () => '' };

/** Of what the reader finds in the file that is written: its page speaks to who sent it. */
const asWritten = {
  actor: 'caller',
  next: 'Correct the document at the JSON pointer that the message begins with, and write it again; `--option findings=keep` writes it as it is.',
} as const;

export function refuse(place: Place, holds: string, code: string = nachaErrors.E_NACHA_DOCUMENT): HeadgateError {
  const pointer = place.pointer();
  const isFound = actorOf(code) === 'sender';
  return new HeadgateError(code, `${pointer === '' ? 'the document' : pointer}: ${holds}`, isFound ? asWritten : {});
}

export function membersOf(value: JsonValue, place: Place): Members {
  if (value.kind !== 'object') throw refuse(place, 'it is no object');
  return value.members;
}

export function itemsOf(value: JsonValue, place: Place): readonly JsonValue[] {
  if (value.kind !== 'array') throw refuse(place, 'it is no list');
  return value.items;
}

/** Undefined where there is none. */
export function textMember(members: Members, name: string, place: Place): string | undefined {
  const value = members.get(name);
  if (value === undefined) return undefined;
  if (value.kind !== 'string') throw refuse(new Below(place, name), 'it is no text');
  return value.value;
}

/** A whole number from zero; undefined where there is none. */
export function countMember(members: Members, name: string, place: Place): number | undefined {
  const value = members.get(name);
  return value === undefined ? undefined : countOf(value, new Below(place, name));
}

export function countOf(value: JsonValue, place: Place): number {
  if (value.kind !== 'number' || !/^(?:0|[1-9][0-9]{0,14})$/.test(value.text)) throw refuse(place, 'it is no whole number from zero');
  return Number(value.text);
}
