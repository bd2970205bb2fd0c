/**
 * The notation of the definitions. A line is a type:
 *
 *     Name > Tag:Type Tag?:Type Tag*:Type Tag+:Type Tag{0,3}:Type     elements in this order
 *     Name | Tag:Type Tag:Type                                        one of these elements
 *     Name > Tag:Type ( Tag:Type Tag:Type ) Tag?:Type                 in this order, one of those in parentheses
 *     Name = AAAA BBBB                                                one of these codes
 *     Name < Base Tag:Type Tag?:Type -Tag Before>Tag?:Type            another type with changes
 *
 * In a change `Tag:Type` gives another type and keeps how often it may occur, `-Tag` takes an element away, and `Before>Tag:Type`
 * adds one after `Before` (`^`: first). `cdN` is a choice of a code of up to N characters (`Cd`) and a proprietary text (`Prtry`).
 * An indented line goes on with the one before. What is no name of a line is a simple type (`value-types.ts`).
 */
export interface ElementDefinition {
  readonly tag: string;
  readonly min: number;
  /** Infinity: any number. */
  readonly max: number;
  readonly type: string;
}

export type TypeDefinition =
  | {
      readonly kind: 'sequence' | 'choice';
      readonly children: readonly ElementDefinition[];
      /** Of a sequence: its children from the first up to the second of these, of which one is there. */
      readonly oneOf?: readonly [from: number, to: number];
    }
  | { readonly kind: 'codes'; readonly codes: readonly string[] };

export type TypeDefinitions = ReadonlyMap<string, TypeDefinition>;

const occurrences: Readonly<Record<string, readonly [number, number]>> = {
  '': [1, 1],
  '?': [0, 1],
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
};

/** Throws on a line that is not in the notation: the definitions are part of the product. */
export function readDefinitions(texts: readonly string[]): TypeDefinitions {
  const lines = texts.flatMap((text) => text.replaceAll('\n  ', ' ').split('\n')).filter((line) => line !== '');
  const types = new Map<string, TypeDefinition>();
  const sources = new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line]));
  const define = (name: string): TypeDefinition => {
    const known = types.get(name);
    if (known !== undefined) return known;
    const line = sources.get(name);
    if (line === undefined) throw new Error(`type ${name} is not defined`);
    const [, sign, ...parts] = line.split(' ');
    const type = readLine(sign!, parts, define);
    types.set(name, type);
    return type;
  };
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(' '));
    if (sources.get(name) !== line) throw new Error(`type ${name} is defined twice`);
    define(name);
  }
  return types;
}

/** The two elements of a `cdN` type; null: `name` is no such type. */
export function codeOrProprietary(name: string): TypeDefinition | null {
  const size = /^cd([0-9]+)$/.exec(name)?.[1];
  return size === undefined ? null : { kind: 'choice', children: [readElement(`Cd:x${size}`), readElement('Prtry:x35')] };
}

function readLine(sign: string, parts: string[], define: (name: string) => TypeDefinition): TypeDefinition {
  if (sign === '=') return { kind: 'codes', codes: parts };
  if (sign === '<') return change(define(parts[0]!), parts.slice(1));
  if (sign !== '>' && sign !== '|') throw new Error(`no sign of the notation: ${sign}`);
  const from = parts.indexOf('(');
  if (sign === '|' || from < 0) return { kind: sign === '>' ? 'sequence' : 'choice', children: parts.map(readElement) };
  const to = parts.indexOf(')') - 1;
  const children = parts.filter((part) => part !== '(' && part !== ')').map(readElement);
  return { kind: 'sequence', children, oneOf: [from, to] };
}

function change(base: TypeDefinition, changes: readonly string[]): TypeDefinition {
  if (base.kind === 'codes') return { kind: 'codes', codes: [...base.codes, ...changes] };
  if (base.oneOf !== undefined) throw new Error('a change of a type with elements in parentheses');
  const children = [...base.children];
  const indexOf = (tag: string): number => {
    const index = children.findIndex((child) => child.tag === tag);
    if (index < 0) throw new Error(`a change of ${tag}, which the type does not have`);
    return index;
  };
  for (const text of changes) {
    const added = /^([A-Za-z0-9]+|\^)>(.*)$/.exec(text);
    if (added !== null) children.splice(added[1] === '^' ? 0 : indexOf(added[1]!) + 1, 0, readElement(added[2]!));
    else if (text.startsWith('-')) children.splice(indexOf(text.slice(1)), 1);
    else {
      const element = readElement(text.replace('!:', ':'));
      const index = indexOf(element.tag);
      const keeps = /^[A-Za-z0-9]+:/.test(text);
      children[index] = keeps ? { ...children[index]!, type: element.type } : element;
    }
  }
  return { kind: base.kind, children };
}

function readElement(text: string): ElementDefinition {
  const parts = /^([A-Za-z][A-Za-z0-9]*)([?*+]|\{([0-9]+),([0-9]+)\})?:([A-Za-z][A-Za-z0-9]*)$/.exec(text);
  if (parts === null) throw new Error(`no element of the notation: ${text}`);
  const [, tag, sign = '', least, most, type] = parts;
  const [min, max] = least === undefined ? occurrences[sign]! : [Number(least), Number(most)];
  return { tag: tag!, min, max, type: type! };
}
