/** References in text and attribute values: `&lt;` and its kind, `&#9;`, `&#x9;`. Every other entity is refused. */
import { isXmlCharacter, nameKindOf, nameKinds } from './xml-characters.ts';
import { xmlErrors } from './xml-errors.ts';
import { XmlFault } from './xml-source.ts';

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['apos', "'"],
  ['quot', '"'],
]);

/** The longest that can stand for a character, with leading zeros that some writers put. */
const referenceBytesMax = 64;

/** Where the reference at `at` ends; -1: `end` cuts it, and more may come. */
export function referenceEnd(bytes: Buffer, at: number, end: number, isLast: boolean): number {
  const stop = Math.min(end, at + referenceBytesMax);
  for (let index = at + 1; index < stop; index++) {
    const byte = bytes[index]!;
    if (byte === 0x3b) {
      checkReference(bytes.toString('latin1', at + 1, index), at);
      return index + 1;
    }
    const isFirst = index === at + 1;
    const kind = nameKindOf[byte]!;
    if (byte === 0x23 ? !isFirst : kind === nameKinds.none || (isFirst && kind === nameKinds.inside)) throw unfinished(at);
  }
  if (isLast || stop < end || stop === at + referenceBytesMax) throw unfinished(at);
  return -1;
}

/** The character of a reference that `referenceEnd` has passed. */
export function referencedText(bytes: Buffer, at: number, end: number): string {
  const name = bytes.toString('latin1', at + 1, end - 1);
  return name[0] === '#' ? String.fromCodePoint(codeOf(name)) : entities.get(name)!;
}

function checkReference(name: string, at: number): void {
  if (name[0] !== '#') {
    if (name === '') throw unfinished(at);
    if (!entities.has(name))
      throw new XmlFault(xmlErrors.E_XML_ENTITY, 'xml-entity', at, 'an entity that is not one of lt, gt, amp, apos and quot');
    return;
  }
  if (!/^#(?:[0-9]+|x[0-9a-fA-F]+)$/.test(name)) throw unfinished(at);
  if (!isXmlCharacter(codeOf(name)))
    throw new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-character', at, 'a character reference to what is no character of XML');
}

function codeOf(name: string): number {
  return name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
}

function unfinished(at: number): XmlFault {
  return new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-reference', at, '& begins no reference; written as text it is &amp;');
}
