/** Definitions as the checker walks them: elements by number, types linked, roles of the business rules attached by path. */
import type { MessageDefinition } from '../definitions/messages.ts';
import { messages, messageTypes } from '../definitions/messages.ts';
import { codeOrProprietary, type TypeDefinition } from '../definitions/notation.ts';
import { placedFamilyOf } from '../flow/flow-places.ts';
import { codesOf } from '../values/text-values.ts';
import { type ValueType, valueType } from '../values/value-types.ts';

export interface CompiledElement {
  readonly tag: string;
  /** The number of `tag` in `knownTags`. */
  readonly number: number;
  readonly min: number;
  readonly max: number;
  readonly type: CompiledType;
  /** What the business rules do with it; 0: nothing. */
  readonly role: number;
  /** What it is to the lines of a flow (`flowPlaces`); 0: nothing. */
  readonly place: number;
}

export interface CompiledType {
  readonly children: readonly CompiledElement[];
  /** Children from `from` up to `to`, of which one is there; all of a choice, none of most sequences. */
  readonly oneOf: { readonly from: number; readonly to: number };
  /** Index in `children` by number of a tag; -1: no such child. Empty for values. */
  readonly indexes: Int16Array;
  /** By index: the first child at or after it that has to be there, those of `oneOf` left out; the length of `children`: none. */
  readonly nextRequired: Uint16Array;
  /** None of `oneOf` has to be there, as one of them may be left out. */
  readonly mayBeEmpty: boolean;
  readonly value: ValueType | null;
  /** Content of any namespace. */
  readonly isAny: boolean;
}

/** Paths under the message element, such as `PmtInf/CtrlSum`, with the role of each. */
export type Roles = ReadonlyMap<string, number>;

let tags: readonly string[] | null = null;

/** All element names of all definitions; the number of a tag is its place, from 1. */
export function knownTags(): readonly string[] {
  tags ??= [
    ...new Set([
      'Document',
      ...messages.map(({ tag }) => tag),
      'Cd',
      'Prtry',
      ...[...messageTypes().values()].flatMap((type) => (type.kind === 'codes' ? [] : type.children.map(({ tag }) => tag))),
    ]),
  ];
  return tags;
}

const compiled = new Map<string, CompiledElement>();

/** The element under `Document`. Made once for a message; `roles` are always those of the message. `isEachStatus`: for flows in which every status is a record. */
export function compileMessage(message: MessageDefinition, roles: Roles, isEachStatus = false): CompiledElement {
  const key = isEachStatus ? `${message.name} by status` : message.name;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const { places } = placedFamilyOf(message.name, isEachStatus);
  const numbers = new Map(knownTags().map((tag, index) => [tag, index + 1]));
  const shared = new Map<string, CompiledType>();
  const ownPaths = [...roles.keys(), ...places.keys()];
  const typeAt = (name: string, path: string): CompiledType => {
    // A type is shared by all its places but those that have roles, or fields of flows, within.
    const isShared = path !== '' && !ownPaths.some((each) => each.startsWith(`${path}/`));
    const ready = isShared ? shared.get(name) : undefined;
    if (ready !== undefined) return ready;
    const definition = messageTypes().get(name) ?? codeOrProprietary(name);
    const children = definition === null || definition.kind === 'codes' ? [] : definition.children;
    const elements = children.map(({ tag, min, max, type }): CompiledElement => {
      const inner = path === '' ? tag : `${path}/${tag}`;
      return {
        tag,
        number: numbers.get(tag)!,
        min,
        max,
        type: typeAt(type, inner),
        role: roles.get(inner) ?? 0,
        place: places.get(inner) ?? 0,
      };
    });
    const type = linkType(name, definition, elements, numbers.size);
    if (isShared) shared.set(name, type);
    return type;
  };
  const element = {
    tag: message.tag,
    number: numbers.get(message.tag)!,
    min: 1,
    max: 1,
    type: typeAt(message.type, ''),
    role: 0,
    place: 0,
  };
  compiled.set(key, element);
  return element;
}

function linkType(name: string, definition: TypeDefinition | null, children: readonly CompiledElement[], tagCount: number): CompiledType {
  const isAny = name === 'any';
  const isValue = !isAny && (definition === null || definition.kind === 'codes');
  const indexes = new Int16Array(isValue ? 0 : tagCount + 1).fill(-1);
  for (const [index, { number }] of children.entries()) indexes[number] = index;
  const nextRequired = new Uint16Array(children.length + 1).fill(children.length);
  const isSequence = definition?.kind === 'sequence';
  const [from, to] = definition?.kind === 'choice' ? [0, children.length] : (isSequence && definition.oneOf) || [0, 0];
  for (let index = children.length - 1; index >= 0; index--)
    nextRequired[index] = children[index]!.min > 0 && !(index >= from && index < to) ? index : nextRequired[index + 1]!;
  return {
    children,
    oneOf: { from, to },
    indexes,
    nextRequired,
    mayBeEmpty: from === to || children.slice(from, to).some(({ min }) => min === 0),
    value: !isValue
      ? null
      : definition?.kind === 'codes'
        ? { check: codesOf(definition.codes), currency: null, form: null }
        : valueType(name),
    isAny,
  };
}
