/** Reads an XML Schema, as far as those of ISO 20022 go, so that tests can hold the definitions against it. */
import { readFileSync } from 'node:fs';
import { XmlReader } from '../xml/xml-reader.ts';

interface SchemaNode {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: SchemaNode[];
}

export interface SchemaElement {
  readonly tag: string;
  readonly min: number;
  readonly max: number;
  readonly type: string;
}

export type SchemaType =
  | {
      readonly kind: 'sequence' | 'choice';
      readonly children: readonly SchemaElement[];
      readonly oneOf?: readonly [from: number, to: number];
    }
  /** `facets`: sorted, in words of the schema. */
  | { readonly kind: 'value'; readonly facets: string };

export interface MessageSchema {
  readonly root: SchemaElement;
  typeOf(name: string): SchemaType;
}

const withoutPrefix = (name: string): string => name.replace(/^.*:/, '');

function readTree(path: string): SchemaNode {
  const top: SchemaNode = { tag: '', attributes: {}, children: [] };
  const open = [top];
  const reader = new XmlReader(
    {
      startElement: (name, _, attributes) => {
        const entries = attributes.map(({ name: key, source, from, to }) => [key.text, source.toString('utf8', from, to)]);
        const node = { tag: reader.names.textOf(name.local), attributes: Object.fromEntries(entries), children: [] };
        open.at(-1)!.children.push(node);
        open.push(node);
      },
      endElement: () => void open.pop(),
      text: () => {},
      problem: ({ message }) => {
        throw new Error(`${path}: ${message}`);
      },
    },
    [],
  );
  reader.push(readFileSync(path));
  reader.end();
  return top.children[0]!;
}

function elementOf({ attributes }: SchemaNode): SchemaElement {
  const { name, minOccurs = '1', maxOccurs = '1', type } = attributes;
  return {
    tag: name!,
    min: Number(minOccurs),
    max: maxOccurs === 'unbounded' ? Number.POSITIVE_INFINITY : Number(maxOccurs),
    type: withoutPrefix(type!),
  };
}

const childOf = (node: SchemaNode, tag: string): SchemaNode | undefined => node.children.find((child) => child.tag === tag);

function facetsOf(node: SchemaNode): string {
  const restriction = childOf(node, 'restriction')!;
  const facets = restriction.children.map(({ tag, attributes }) => `${tag}=${attributes['value']}`).sort();
  return [withoutPrefix(restriction.attributes['base']!), ...facets].join(' ');
}

export function readMessageSchema(path: string): MessageSchema {
  const types = new Map(readTree(path).children.map((node) => [`${node.attributes['name']}`, node]));
  const typeOf = (name: string): SchemaType => {
    const node = types.get(name)!;
    if (node.tag === 'simpleType') return { kind: 'value', facets: facetsOf(node) };
    const extension = childOf(node, 'simpleContent')?.children[0];
    if (extension !== undefined) {
      const { name: attribute, type } = extension.children[0]!.attributes;
      return {
        kind: 'value',
        facets: `${attribute}(${facetsOf(types.get(withoutPrefix(type!))!)}) ${facetsOf(types.get(withoutPrefix(extension.attributes['base']!))!)}`,
      };
    }
    let group = childOf(node, 'sequence') ?? childOf(node, 'choice')!;
    // Older schemas have a choice in a sequence of its own.
    while (group.children.length === 1 && group.children[0]!.tag === 'choice') group = group.children[0]!;
    if (group.children[0]!.tag === 'any') return { kind: 'value', facets: 'any' };
    const from = group.children.findIndex(({ tag }) => tag === 'choice');
    if (from < 0) return { kind: group.tag as 'sequence' | 'choice', children: group.children.map(elementOf) };
    const inner = group.children[from]!.children;
    const children = [...group.children.slice(0, from), ...inner, ...group.children.slice(from + 1)];
    return { kind: 'sequence', children: children.map(elementOf), oneOf: [from, from + inner.length] };
  };
  return { root: elementOf(childOf(types.get('Document')!, 'sequence')!.children[0]!), typeOf };
}
