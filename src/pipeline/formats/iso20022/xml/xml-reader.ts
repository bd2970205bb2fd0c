/**
 * Reads XML 1.0 with namespaces from pieces of bytes and tells a handler of elements and text in the order of the document. Finds
 * what is not well-formed as a parser that does not validate has to, at its first place, and reads no further. A document type
 * declaration is refused, so there is nothing to expand or to fetch. What elements mean is left to the handler.
 */
import { cut, fault, limit, StartTag, type XmlAttribute } from './start-tag.ts';
import { isSpace, textKindOf, textKinds } from './xml-characters.ts';
import { checkDeclaration } from './xml-declaration.ts';
import { xmlErrors } from './xml-errors.ts';
import { type XmlName, XmlNames } from './xml-names.ts';
import { undeclared, XmlNamespaces } from './xml-namespaces.ts';
import { referencedText, referenceEnd } from './xml-references.ts';
import { isBlankRun, textBytesMax, XmlScanner } from './xml-scanner.ts';
import { XmlFault, type XmlPlace, XmlSource } from './xml-source.ts';

export const depthMax = 128;
export interface XmlHandler {
  /** `attributes` and what they point to are valid during the call. */
  startElement(name: XmlName, namespace: number, attributes: readonly XmlAttribute[]): void;
  endElement(): void;
  /** A start tag with content was read. True: the handler has moved the reader to the text of another element. */
  contentBegins?(): boolean;
  /** Text between two tags may come in several calls; `isBlank`: white space only. The bytes are valid during the call. */
  text(bytes: Buffer, from: number, to: number, isBlank: boolean): void;
  problem(problem: XmlProblem): void;
}

export interface XmlProblem extends XmlPlace {
  readonly code: string;
  readonly rule: string;
  readonly message: string;
}

export class XmlReader {
  readonly names: XmlNames;
  /** Where the token is of which the handler is told. */
  readonly source = new XmlSource();
  hasFailed = false;
  /** Whether the handler is told of text that is white space only; it changes this as it goes. */
  isBlankTold = true;
  readonly #handler: XmlHandler;
  readonly #scanner: XmlScanner;
  readonly #namespaces: XmlNamespaces;
  readonly #tag: StartTag;
  readonly #open: XmlName[] = [];
  #isPrologRead = false;
  #hasRoot = false;

  /** `knownNames`: local names that get the numbers from 1 on. */
  constructor(handler: XmlHandler, knownNames: readonly string[]) {
    this.#handler = handler;
    this.#scanner = new XmlScanner(this.source);
    this.names = new XmlNames(knownNames);
    this.#namespaces = new XmlNamespaces(this.names);
    this.#tag = new StartTag(this.source, this.names, this.#namespaces);
  }

  push(piece: Uint8Array): void {
    if (this.hasFailed) return;
    this.#guard(() => {
      if (this.source.append(piece)) this.#readTokens();
    });
  }

  end(): void {
    if (this.hasFailed) return;
    this.#guard(() => {
      this.source.finish();
      this.#readTokens();
      if (this.#open.length > 0) throw fault('xml-end', this.source.cursor, `the file ends within ${this.#open.length} open elements`);
      if (!this.#hasRoot) throw fault('xml-root', this.source.cursor, 'the file has no element');
    });
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      if (!(thrown instanceof XmlFault)) throw thrown;
      this.hasFailed = true;
      const { code, rule, message, at } = thrown;
      this.#handler.problem({ code, rule, message, ...this.source.placeOf(at) });
    }
  }

  #readTokens(): void {
    const { source } = this;
    while (source.cursor < source.length) {
      const isRead = source.bytes[source.cursor] === 0x3c ? this.#readMarkup() : this.#readText();
      if (!isRead) {
        source.awaitMore();
        return;
      }
      this.#isPrologRead = true;
    }
    source.awaitMore();
  }

  /** False: it is cut. */
  #readMarkup(): boolean {
    const { source } = this;
    const { bytes, cursor, length } = source;
    if (cursor + 1 >= length) return this.#scanner.isCut('a tag');
    const next = bytes[cursor + 1];
    if (next === 0x2f) return this.#readEndTag();
    if (next === 0x21) return this.#readDeclaration();
    if (next === 0x3f) return this.#readInstruction();
    return this.#readStartTag();
  }

  #readStartTag(): boolean {
    const { source } = this;
    const depth = this.#open.length;
    const end = this.#tag.read(depth);
    if (end === cut) return false;
    if (depth === 0 && this.#hasRoot) throw fault('xml-root', source.cursor, 'a second element beside the root');
    if (depth >= depthMax) throw limit(source.cursor, `elements nested deeper than ${depthMax}`);
    this.#hasRoot = true;
    const { attributes, isEmpty } = this.#tag;
    const name = this.#tag.name!;
    const namespace = this.#namespaces.resolve(name.prefix);
    if (namespace === undeclared) throw fault('xml-namespace', source.cursor + 1, 'the prefix of an element stands for no namespace');
    this.#handler.startElement(name, namespace, attributes);
    if (isEmpty) {
      this.#handler.endElement();
      this.#namespaces.leave(depth);
    } else this.#open.push(name);
    if (this.#tag.isPlain) source.consume(end, 0, -1);
    else source.consumeCounting(end);
    if (isEmpty) return true;
    const isMoved = this.#handler.contentBegins?.() ?? false;
    if (isMoved || this.#tag.isPlain) this.#readLeaf(this.#open[this.#open.length - 1]!);
    return true;
  }

  /** Names of the open elements from so many on. */
  openNames(from: number): readonly XmlName[] {
    return this.#open.slice(from);
  }

  get namespaces(): Pick<XmlNamespaces, 'count' | 'depth'> {
    return this.#namespaces;
  }

  /** The source has moved into an element with this name below `above` others, to which these lead. */
  reopen(above: number, path: readonly { readonly name: XmlName }[]): void {
    this.#open.length = above;
    for (const { name } of path) this.#open.push(name);
  }

  /** Text and end tag of an element without children, if both are there as a whole and plain; else they are read as all others. */
  #readLeaf(name: XmlName): void {
    const { source } = this;
    const { bytes, cursor } = source;
    const closing = name.bytes;
    const stop = Math.min(source.length - closing.length - 3, cursor + textBytesMax);
    // White space at the start is most often that before a child.
    if (cursor >= stop || bytes[cursor]! <= 0x20) return;
    let at = cursor;
    while (at < stop && textKindOf[bytes[at]!] === textKinds.plain) at++;
    if (at === cursor || bytes[at] !== 0x3c || bytes[at + 1] !== 0x2f) return;
    for (let index = 0; index < closing.length; index++) if (bytes[at + 2 + index] !== closing[index]) return;
    const end = at + 2 + closing.length;
    if (bytes[end] !== 0x3e) return;
    this.#handler.text(bytes, cursor, at, false);
    source.consume(at, 0, -1);
    this.#handler.endElement();
    this.#open.pop();
    source.consume(end + 1, 0, -1);
  }

  #readEndTag(): boolean {
    const { source } = this;
    const { bytes, length } = source;
    const from = source.cursor + 2;
    const name = this.#open[this.#open.length - 1];
    if (name === undefined) throw fault('xml-nesting', source.cursor, 'an end tag where no element is open');
    const expected = name.bytes;
    let at = from + expected.length;
    for (let index = 0; index < expected.length; index++) {
      if (from + index >= length) return this.#scanner.isCut('an end tag');
      if (bytes[from + index] !== expected[index]) throw mismatch(source.cursor, name);
    }
    if (bytes[at] !== 0x3e || at >= length) at = this.#tag.spacesEnd(at);
    if (at >= length) return this.#scanner.isCut('an end tag');
    if (bytes[at] !== 0x3e) throw mismatch(source.cursor, name);
    this.#handler.endElement();
    this.#open.pop();
    this.#namespaces.leave(this.#open.length);
    if (at === from + expected.length) source.consume(at + 1, 0, -1);
    else source.consumeCounting(at + 1);
    return true;
  }

  #readText(): boolean {
    if (this.#open.length === 0) return this.#readOutside();
    const { source } = this;
    const { bytes, cursor, length, isLast } = source;
    const stop = Math.min(length, cursor + textBytesMax);
    let at = cursor;
    let lines = 0;
    let lastFeed = -1;
    for (; at < stop; at++) {
      const byte = bytes[at]!;
      if (byte === 0x0a) {
        lines++;
        lastFeed = at;
      } else if (byte !== 0x20 && byte !== 0x09) break;
    }
    const isBlank = at >= stop || bytes[at] === 0x3c;
    if (isBlank && at < length && !this.isBlankTold) {
      source.consume(at, lines, lastFeed);
      return true;
    }
    let isPlain = true;
    while (at < stop) {
      const kind = textKindOf[bytes[at]!]!;
      if (kind === textKinds.plain) at++;
      else if (kind === textKinds.lessThan) break;
      else if (kind === textKinds.multibyte) {
        const size = this.#scanner.multibyte(at);
        if (size < 0) break;
        at += size;
      } else if (kind === textKinds.ampersand) {
        const end = referenceEnd(bytes, at, length, isLast);
        if (end < 0) return false;
        isPlain = false;
        at = end;
      } else {
        if (kind === textKinds.lineFeed) {
          lines++;
          lastFeed = at;
        } else if (kind === textKinds.carriageReturn) isPlain = false;
        else if (kind === textKinds.invalid) throw fault('xml-character', at, 'a character that XML does not have');
        else if (at - cursor >= 2 && bytes[at - 1] === 0x5d && bytes[at - 2] === 0x5d) throw fault('xml-text', at - 2, ']]> in text');
        at++;
      }
    }
    const isWhole = at < length && bytes[at] === 0x3c;
    if (!isWhole && at >= cursor + textBytesMax && at < length) throw limit(cursor, `text longer than ${textBytesMax} bytes`);
    if (!isWhole && !isLast) return false;
    if (isPlain) this.#handler.text(bytes, cursor, at, isBlank);
    else this.#tellText(cursor, at, true);
    source.consume(at, lines, lastFeed);
    return true;
  }

  /** Text with references or carriage returns, as it is after section 2.11 of XML 1.0. */
  #tellText(from: number, to: number, hasReferences: boolean): void {
    const { bytes } = this.source;
    let plainFrom = from;
    const tell = (source: Buffer, start: number, end: number): void => {
      if (end > start) this.#handler.text(source, start, end, isBlankRun(source, start, end));
    };
    for (let at = from; at < to; ) {
      const byte = bytes[at]!;
      const isReference = byte === 0x26 && hasReferences;
      if (byte !== 0x0d && !isReference) {
        at++;
        continue;
      }
      tell(bytes, plainFrom, at);
      const end = isReference ? referenceEnd(bytes, at, to, true) : at + 1;
      const isLineEnd = !isReference && bytes[at + 1] === 0x0a && at + 1 < to;
      const text = Buffer.from(isReference ? referencedText(bytes, at, end) : isLineEnd ? '' : '\n');
      tell(text, 0, text.length);
      at = end;
      plainFrom = end;
    }
    tell(bytes, plainFrom, to);
  }

  /** Between the markup before and after the root: white space only. */
  #readOutside(): boolean {
    const { source } = this;
    let at = source.cursor;
    while (at < source.length && isSpace(source.bytes[at]!)) at++;
    if (at < source.length && source.bytes[at] !== 0x3c) throw fault('xml-root', at, 'text outside the root element');
    source.consumeCounting(at);
    return true;
  }

  /** What begins with `<!`. */
  #readDeclaration(): boolean {
    if (this.#scanner.startsWith('<!--')) return this.#readComment();
    if (this.#scanner.startsWith('<![CDATA[')) return this.#readCdata();
    const { source } = this;
    if (this.#scanner.startsWith('<!DOCTYPE'))
      throw new XmlFault(xmlErrors.E_XML_DTD, 'xml-doctype', source.cursor, 'a document type declaration');
    if (['<!--', '<![CDATA[', '<!DOCTYPE'].some((opening) => this.#scanner.mayStartWith(opening)))
      return this.#scanner.isCut('a declaration');
    throw fault('xml-tag', source.cursor, '<! begins neither a comment nor a CDATA section');
  }

  #readComment(): boolean {
    const end = this.#scanner.endOf('-->', 4, 'a comment', '--');
    if (end < 0) return false;
    this.source.consumeCounting(end);
    return true;
  }

  #readCdata(): boolean {
    const { source } = this;
    if (this.#open.length === 0) throw fault('xml-root', source.cursor, 'a CDATA section outside the root element');
    const end = this.#scanner.endOf(']]>', 9, 'a CDATA section', null);
    if (end < 0) return false;
    this.#tellText(source.cursor + 9, end - 3, false);
    source.consumeCounting(end);
    return true;
  }

  #readInstruction(): boolean {
    const { source } = this;
    const nameTo = this.#tag.nameEnd(source.cursor + 2);
    if (nameTo === cut) return false;
    const target = source.bytes.toString('utf8', source.cursor + 2, nameTo);
    const isDeclaration = target === 'xml';
    const rule = isDeclaration ? 'xml-declaration' : 'xml-instruction';
    if (isDeclaration && this.#isPrologRead) throw fault(rule, source.cursor, 'an XML declaration that is not at the very start');
    if (!isDeclaration && /^xml$/i.test(target)) throw fault(rule, source.cursor, 'the name of the instruction is reserved');
    if (target.includes(':')) throw fault(rule, source.cursor, 'a colon in the name of an instruction');
    const after = source.bytes[nameTo]!;
    if (after !== 0x3f && !isSpace(after)) throw fault(rule, nameTo, 'no space after the name of an instruction');
    const end = this.#scanner.endOf('?>', nameTo - source.cursor, 'a processing instruction', null);
    if (end < 0) return false;
    if (after === 0x3f && end !== nameTo + 2) throw fault(rule, nameTo, 'no space after the name of an instruction');
    if (isDeclaration) {
      const text = source.bytes.toString('utf8', source.cursor, end);
      checkDeclaration(text, source.encoding === 'UTF-16' ? 'UTF-16' : 'UTF-8', source.cursor);
    }
    source.consumeCounting(end);
    return true;
  }
}

function mismatch(at: number, open: XmlName): XmlFault {
  return fault('xml-nesting', at, `an end tag that is not that of the open element, whose name has ${open.text.length} characters`);
}
