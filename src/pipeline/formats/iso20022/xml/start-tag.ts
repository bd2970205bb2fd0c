/**
 * Start tags: name, attributes, declarations of namespaces. A tag is read when it is there as a whole, so that everything found
 * is a range of bytes; only values with references or line ends are copied.
 */
import { codePointAt, isNameCharacter, isSpace, multibyteLength, nameKindOf, nameKinds, textKindOf, textKinds } from './xml-characters.ts';
import { xmlErrors } from './xml-errors.ts';
import type { XmlName, XmlNames } from './xml-names.ts';
import { undeclared, type XmlNamespaces } from './xml-namespaces.ts';
import { referencedText, referenceEnd } from './xml-references.ts';
import { XmlFault, type XmlSource } from './xml-source.ts';

export const nameBytesMax = 256;
export const attributesMax = 64;
export const attributeBytesMax = 16 * 1024;
export const tagBytesMax = 256 * 1024;

/** FNV-1a. */
const hashStart = 0x811c9dc5;
const hashPrime = 0x01000193;

/** Returned in place of an index where what is there ends too early. */
export const cut = -1;

/** The attributes of one tag without declarations of namespaces; valid until the next tag is read. */
export interface XmlAttribute {
  readonly name: XmlName;
  /** 0: none. */
  namespace: number;
  readonly source: Buffer;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export class StartTag {
  /** Of the tag that was read last. */
  name: XmlName | null = null;
  attributes: XmlAttribute[] = [];
  isEmpty = false;
  /** Nothing but a name. */
  isPlain = false;
  readonly #source: XmlSource;
  readonly #names: XmlNames;
  readonly #namespaces: XmlNamespaces;
  readonly #xmlns: number;
  #colon = -1;
  #hash = 0;

  constructor(source: XmlSource, names: XmlNames, namespaces: XmlNamespaces) {
    this.#source = source;
    this.#names = names;
    this.#namespaces = namespaces;
    this.#xmlns = names.numberOf('xmlns');
  }

  /** Reads the tag at the cursor as an element of `depth`. Where it ends, or `cut`. */
  read(depth: number): number {
    const from = this.#source.cursor + 1;
    const last = this.name;
    if (last !== null && last.follower !== null && this.#isPlainTag(last.follower, from)) {
      if (this.attributes.length > 0) this.attributes = [];
      this.name = last.follower;
      this.isEmpty = false;
      this.isPlain = true;
      return from + this.name.bytes.length + 1;
    }
    const end = this.#readUnknown(from, depth);
    if (end !== cut && last !== null) last.follower = this.name;
    return end;
  }

  /** Elements follow each other as they did before, mostly: then nothing has to be looked up. */
  #isPlainTag({ bytes: name }: XmlName, from: number): boolean {
    const { bytes, length } = this.#source;
    const to = from + name.length;
    if (to >= length || bytes[to] !== 0x3e) return false;
    for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return false;
    return true;
  }

  #readUnknown(from: number, depth: number): number {
    const { bytes, length } = this.#source;
    let at = this.nameEnd(from);
    if (at === cut) return cut;
    if (bytes[at] === 0x3e) {
      if (this.attributes.length > 0) this.attributes = [];
      this.name = this.#intern(from, at, this.#hash, this.#colon);
      this.isEmpty = false;
      this.isPlain = true;
      return at + 1;
    }
    this.isPlain = false;
    // Attributes are read before the name is kept: the tag may yet be cut.
    const hash = this.#hash;
    const colon = this.#colon;
    const nameTo = at;
    if (this.attributes.length > 0) this.attributes = [];
    let declarations = 0;
    for (;;) {
      const before = at;
      at = this.spacesEnd(at);
      if (at >= length) return this.#cutAt(at);
      const byte = bytes[at]!;
      if (byte === 0x3e) {
        this.isEmpty = false;
        at++;
        break;
      }
      if (byte === 0x2f) {
        if (at + 1 >= length) return this.#cutAt(at);
        if (bytes[at + 1] !== 0x3e) throw fault('xml-tag', at, '/ in a start tag without > after it');
        this.isEmpty = true;
        at += 2;
        break;
      }
      if (before === at) throw fault('xml-tag', at, 'a character that no name has, or no space before an attribute');
      if (this.attributes.length >= attributesMax) throw limit(at, `more than ${attributesMax} attributes`);
      at = this.#attribute(at);
      if (at === cut) return cut;
      if (this.#isDeclaration(this.attributes.at(-1)!.name)) declarations++;
    }
    this.name = this.#intern(from, nameTo, hash, colon);
    if (this.attributes.length > 0) this.#settle(declarations, depth);
    return at;
  }

  /** Where the name that begins at `from` ends; `hash` and `colon` are kept for `#intern`. */
  nameEnd(from: number): number {
    const { bytes, length } = this.#source;
    let hash = hashStart;
    let colon = -1;
    let at = from;
    // Most names are ASCII without a colon; what is left after this loop is looked at with more care.
    const stop = Math.min(length, from + nameBytesMax);
    for (; at < stop; at++) {
      const byte = bytes[at]!;
      const kind = nameKindOf[byte]!;
      if (kind !== nameKinds.start && (kind !== nameKinds.inside || at === from)) break;
      hash = Math.imul(hash ^ byte, hashPrime);
    }
    for (; at < length; at++) {
      const byte = bytes[at]!;
      const kind = nameKindOf[byte]!;
      if (kind === nameKinds.none) break;
      const isFirst = at === from || at === colon + 1;
      if (kind === nameKinds.colon) {
        if (isFirst || colon >= 0) throw fault('xml-tag', at, 'a colon where no name has one');
        colon = at;
      } else if (kind === nameKinds.multibyte) {
        const size = multibyteLength(bytes, at, length);
        if (size < 0 && !this.#source.isLast) return cut;
        if (size <= 0 || !isNameCharacter(codePointAt(bytes, at, size), isFirst))
          throw fault('xml-tag', at, 'a character that no name has');
        for (let index = 1; index < size; index++) hash = Math.imul(hash ^ bytes[at++]!, hashPrime);
      } else if (kind === nameKinds.inside && isFirst) throw fault('xml-tag', at, 'a character that begins no name');
      hash = Math.imul(hash ^ bytes[at]!, hashPrime);
      if (at - from >= nameBytesMax) throw limit(from, `a name longer than ${nameBytesMax} bytes`);
    }
    if (at >= length) return this.#cutAt(at);
    if (at === from || at === colon + 1) throw fault('xml-tag', at, 'a character that begins no name');
    // Thirty bits, so that it stays a small integer.
    this.#hash = (hash ^ (hash >>> 15)) & 0x3fff_ffff;
    this.#colon = colon;
    return at;
  }

  /** Where the white space at `at` ends, which may be none. */
  spacesEnd(at: number): number {
    const { bytes, length, cursor } = this.#source;
    while (at < length && isSpace(bytes[at]!)) at++;
    if (at - cursor > tagBytesMax) throw limit(cursor, `a tag longer than ${tagBytesMax} bytes`);
    return at;
  }

  #attribute(from: number): number {
    const { bytes, length } = this.#source;
    let at = this.nameEnd(from);
    if (at === cut) return cut;
    const name = this.#intern(from, at, this.#hash, this.#colon);
    at = this.spacesEnd(at);
    if (at >= length) return this.#cutAt(at);
    if (bytes[at] !== 0x3d) throw fault('xml-attribute', at, 'an attribute without =');
    at++;
    at = this.spacesEnd(at);
    if (at >= length) return this.#cutAt(at);
    const quote = bytes[at]!;
    if (quote !== 0x22 && quote !== 0x27) throw fault('xml-attribute', at, 'the value of an attribute without quotes');
    const to = this.#valueEnd(at + 1, quote);
    if (to === cut) return cut;
    this.attributes.push({ name, namespace: 0, ...this.#value(at + 1, to), at: from });
    return to + 1;
  }

  /** Where the closing quote is. */
  #valueEnd(from: number, quote: number): number {
    const { bytes, length, isLast } = this.#source;
    let at = from;
    while (at < length) {
      const byte = bytes[at]!;
      if (byte === quote) return at;
      const kind = textKindOf[byte]!;
      if (at - from >= attributeBytesMax) throw limit(from, `the value of an attribute longer than ${attributeBytesMax} bytes`);
      if (kind === textKinds.lessThan) throw fault('xml-attribute', at, '< in the value of an attribute');
      if (kind === textKinds.invalid) throw fault('xml-character', at, 'a character that XML does not have');
      if (kind === textKinds.ampersand) {
        const end = referenceEnd(bytes, at, length, isLast);
        if (end < 0) return cut;
        at = end;
      } else if (kind === textKinds.multibyte) {
        const size = multibyteLength(bytes, at, length);
        if (size < 0 && !isLast) return cut;
        if (size <= 0) throw fault('xml-character', at, 'bytes that are no character of XML in the encoding of the file');
        at += size;
      } else at++;
    }
    return this.#cutAt(at);
  }

  /** The value after normalisation (section 3.3.3 of XML 1.0). */
  #value(from: number, to: number): { source: Buffer; from: number; to: number } {
    const { bytes } = this.#source;
    let isPlain = true;
    for (let at = from; at < to && isPlain; at++) isPlain = bytes[at]! >= 0x20 && bytes[at] !== 0x26;
    if (isPlain) return { source: bytes, from, to };
    let text = '';
    let plainFrom = from;
    for (let at = from; at < to; ) {
      const byte = bytes[at]!;
      if (byte !== 0x26 && byte >= 0x20) {
        at++;
        continue;
      }
      text += bytes.toString('utf8', plainFrom, at);
      const end = byte === 0x26 ? referenceEnd(bytes, at, to, true) : at + 1;
      if (byte === 0x26) text += referencedText(bytes, at, end);
      else if (byte !== 0x0d || bytes[at + 1] !== 0x0a) text += ' ';
      at = end;
      plainFrom = end;
    }
    const source = Buffer.from(text + bytes.toString('utf8', plainFrom, to));
    return { source, from: 0, to: source.length };
  }

  /** Declarations first, as they hold for the whole tag; then no two attributes may have one name. */
  #settle(declarations: number, depth: number): void {
    const all = this.attributes;
    this.#refuseTwice(all, ({ name }) => name.text);
    if (declarations > 0) {
      for (const { name, source, from, to, at } of all) {
        if (!this.#isDeclaration(name)) continue;
        this.#namespaces.declare({ prefix: name.prefix === 0 ? 0 : name.local, value: source.toString('utf8', from, to), depth, at });
      }
      this.attributes = all.filter(({ name }) => !this.#isDeclaration(name));
    }
    for (const attribute of this.attributes) {
      if (attribute.name.prefix === 0) continue;
      attribute.namespace = this.#namespaces.resolve(attribute.name.prefix);
      if (attribute.namespace === undeclared)
        throw fault('xml-namespace', attribute.at, 'the prefix of an attribute stands for no namespace');
    }
    this.#refuseTwice(this.attributes, ({ name, namespace }) => `${namespace} ${name.local}`);
  }

  #refuseTwice(attributes: readonly XmlAttribute[], keyOf: (attribute: XmlAttribute) => string): void {
    if (attributes.length < 2) return;
    const seen = new Set<string>();
    for (const attribute of attributes) {
      const key = keyOf(attribute);
      if (seen.has(key)) throw fault('xml-attribute', attribute.at, 'an attribute stands twice in one tag');
      seen.add(key);
    }
  }

  #isDeclaration(name: XmlName): boolean {
    return name.prefix === 0 ? name.local === this.#xmlns : name.prefix === this.#xmlns;
  }

  #intern(from: number, to: number, hash: number, colon: number): XmlName {
    const { bytes } = this.#source;
    const name = this.#names.find(bytes, from, to, hash) ?? this.#names.add(bytes, { from, to, hash, colon });
    if (name === null) throw limit(from, 'too many different names');
    return name;
  }

  #cutAt(at: number): number {
    if (this.#source.isLast) throw fault('xml-end', at, 'the file ends within a tag');
    return cut;
  }
}

export function fault(rule: string, at: number, message: string): XmlFault {
  return new XmlFault(xmlErrors.E_XML_SYNTAX, rule, at, message);
}

export function limit(at: number, message: string): XmlFault {
  return new XmlFault(xmlErrors.E_XML_LIMIT, 'xml-limit', at, message);
}
