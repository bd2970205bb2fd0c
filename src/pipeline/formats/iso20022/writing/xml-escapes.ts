/** Text as XML writes it: what would be read as markup or be changed by a reader is a reference (XML 1.0, 2.4, 2.11, 3.3.3). */

import { Buffer } from 'node:buffer';
import { nameBytesMax } from '../xml/start-tag.ts';
import { isNameCharacter } from '../xml/xml-characters.ts';

/** Characters that XML 1.0 has (2.2, Char); a surrogate that is alone is none. */
const foreign = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const inText = /[&<>\r]/;
const inAttribute = /[&<>"\t\n\r]/;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

export function isXmlText(text: string): boolean {
  return !foreign.test(text);
}

/** Line feeds and tabs stay, a carriage return would be read as a line feed. */
export function escapeText(text: string): string {
  return inText.test(text) ? text.replaceAll(/[&<>\r]/g, (character) => references[character]!) : text;
}

/** For a value in double quotes. */
export function escapeAttribute(text: string): string {
  return inAttribute.test(text) ? text.replaceAll(/[&<>"\t\n\r]/g, (character) => references[character]!) : text;
}

/** A name without a colon, no longer than the reader takes (Namespaces in XML 1.0, 3, NCName). */
export function isXmlName(text: string): boolean {
  if (text === '' || Buffer.byteLength(text) > nameBytesMax) return false;
  for (const [index, character] of [...text].entries()) {
    const code = character.codePointAt(0)!;
    const isName = code < 0x80 ? (index === 0 ? /[A-Za-z_]/ : /[-.0-9A-Za-z_]/).test(character) : isNameCharacter(code, index === 0);
    if (!isName) return false;
  }
  return true;
}
