/**
 * Names of files as senders give them. They are data and never a path of ours, but they are shown, logged by people and
 * used again in other systems: a name that could mislead or break one of those is refused (ASVS 5.3.2).
 */
import { isUtf8 } from 'node:buffer';

export const nameBytesMax = 255;

/** C0, DEL, C1, line and paragraph separators, and what changes the direction of text or is invisible. */
const unsafeCharacters =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const separators = /[/\\]/;
/** Separators, dots and NUL as percent escapes, however often they were escaped. */
const escapedSeparators = /%(?:25)*(?:2f|5c|00|0a|0d|2e(?:%(?:25)*2e|\.))/i;
const reservedNames = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** What is wrong with the name, in words that do not repeat it; null for a name that is taken. */
export function problemOfName(name: string): string | null {
  if (name === '') return 'the name is empty';
  if (!name.isWellFormed()) return 'the name is not valid Unicode';
  if (Buffer.byteLength(name) > nameBytesMax) return `the name is longer than ${nameBytesMax} bytes`;
  if (unsafeCharacters.test(name)) return 'the name holds control, invisible or text-direction characters';
  if (separators.test(name) || escapedSeparators.test(name) || name === '.' || name === '..') return 'the name is a path';
  if (/^\s|[\s.]$/.test(name)) return 'the name begins with a space, or ends with a space or dot';
  if (reservedNames.test(name)) return 'the name is reserved on some systems';
  return null;
}

/** What a file is called that came out of one of this name: without the endings that say how that was packed. */
export function nameOfUnpacked(name: string): string {
  const plain = name.replace(/(?:\.(?:pgp|gpg|asc|gz|zst))+$/i, '');
  return plain === '' || problemOfName(plain) !== null ? name : plain;
}

/** A name from a folder, as text that can be stored: exact when it is UTF-8, else with `\xHH` for each byte that is none. */
export function textOfName(bytes: Buffer): { readonly text: string; readonly isExact: boolean } {
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), isExact: true };
  return { text: bytes.toString('latin1').replace(/[\u0080-\u00ff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`), isExact: false };
}

/** Matches whole names with `*` (any run) and `?` (one character), in time linear in pattern times name. A leading dot is matched by a dot only. */
export function createNameMatcher(pattern: string): (name: string) => boolean {
  const wanted = [...pattern];
  return (name) => {
    if (name.startsWith('.') && !pattern.startsWith('.')) return false;
    return matches(wanted, [...name]);
  };
}

/** Whether there is a name that both patterns match, hidden ones of two patterns that have no leading dot included. */
export function canMatchOneName(one: string, other: string): boolean {
  if (one.startsWith('.') !== other.startsWith('.')) return false;
  // Most that differ do so here: many sources of one folder are each compared with all others.
  if (differBeforeStar(one, other, 'first') || differBeforeStar(one, other, 'last')) return false;
  const [left, right] = [[...one], [...other]];
  /** By the part of the right one: whether it and the part of the left one up to here match one text. */
  let row = [true, ...right.map((_, index) => right.slice(0, index + 1).every((each) => each === '*'))];
  for (const each of left) {
    const next = [row[0]! && each === '*'];
    for (const [index, wanted] of right.entries()) {
      const isEither = each === '*' || wanted === '*';
      const isSame = each === '?' || wanted === '?' || each === wanted;
      next.push(isEither ? row[index + 1]! || next[index]! : isSame && row[index]!);
    }
    row = next;
  }
  return row.at(-1)!;
}

const [anyRun, anyOne] = ['*'.charCodeAt(0), '?'.charCodeAt(0)];

/** From one end up to the first star of either: a character that one wants and the other does not. */
function differBeforeStar(one: string, other: string, end: 'first' | 'last'): boolean {
  for (let at = 0; at < one.length && at < other.length; at++) {
    const a = one.charCodeAt(end === 'first' ? at : one.length - 1 - at);
    const b = other.charCodeAt(end === 'first' ? at : other.length - 1 - at);
    if (a === anyRun || b === anyRun) return false;
    if (a === b) continue;
    if (a !== anyOne && b !== anyOne) return true;
    // A character may be two units long.
    if (isSurrogate(a) || isSurrogate(b)) return false;
  }
  return false;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let position = 0; position < name.length; ) {
    if (pattern[at] === '*') {
      star = at++;
      retry = position;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      position = ++retry;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
