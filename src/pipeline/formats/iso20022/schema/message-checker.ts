/**
 * Checks the content of `Document` against the definition of its message, element by element: names, order, how often, texts,
 * currencies. What a finding is made of is gathered only when there is one. After a mistake it goes on with what follows: an
 * element that cannot be there is skipped with all that is in it.
 */
import type { DocumentWriter } from '../document-writer.ts';
import type { FlowLines } from '../flow/flow-lines.ts';
import type { Place } from '../paths/path-tree.ts';
import type { PathWalker } from '../paths/path-walker.ts';
import { currencyText, isCurrencyForm, minorUnitsOf, packedCurrency, unknownCurrency } from '../values/code-values.ts';
import { decimalsOf } from '../values/number-values.ts';
import { ValueProblem } from '../values/value-problem.ts';
import { limit, type XmlAttribute } from '../xml/start-tag.ts';
import type { XmlName, XmlNames } from '../xml/xml-names.ts';
import { depthMax } from '../xml/xml-reader.ts';
import { textBytesMax } from '../xml/xml-scanner.ts';
import type { XmlSource } from '../xml/xml-source.ts';
import type { CompiledElement } from './compiled-types.ts';
import { ElementFrame, pathOf } from './element-frame.ts';
import type { RoleListener } from './role-listener.ts';

export type Level = 'schema' | 'business';

export interface CheckerFinding {
  readonly level: Level;
  readonly rule: string;
  readonly message: string;
  readonly line: number;
  readonly columns: readonly [number, number] | null;
  readonly offset: number;
  readonly field: string | null;
  readonly path: string;
}

const xsiNamespace = 'http://www.w3.org/2001/XMLSchema-instance';
/** Hints where a schema lies, which are not followed. */
const schemaHints: ReadonlySet<string> = new Set(['schemaLocation', 'noNamespaceSchemaLocation']);

/** True for the attributes that any element may have. */
export function isSchemaHint({ name, namespace }: XmlAttribute, names: XmlNames): boolean {
  return names.textOf(namespace) === xsiNamespace && schemaHints.has(names.textOf(name.local));
}

const wrong = (rule: string, message: string): ValueProblem => new ValueProblem('schema', rule, message);
const noCurrency = wrong('schema-attribute', 'the amount has no currency');
const currencyForm = wrong('schema-pattern', 'the currency is not three upper-case letters');

export interface CheckerParts {
  readonly root: CompiledElement;
  /** Number of the namespace of the message. */
  readonly namespace: number;
  /** What paths begin with. */
  readonly path: string;
  readonly source: XmlSource;
  readonly names: XmlNames;
  /** Told when text of white space matters. */
  readonly blanks: { isBlankTold: boolean };
  readonly writer: DocumentWriter | null;
  readonly flow: FlowLines | null;
  readonly listener: RoleListener;
  readonly report: (finding: CheckerFinding) => void;
  /** Looks at each valid text; null: it is as the settings want it. */
  readonly checkText: ((bytes: Buffer, length: number) => ValueProblem | null) | null;
}

export class MessageChecker {
  /** Findings so far. */
  findings = 0;
  readonly frames: ElementFrame[] = Array.from({ length: depthMax + 1 }, () => new ElementFrame());
  #depth = -1;
  /** Depth within an element that is not looked at, or is of a foreign schema. */
  #skipped = 0;
  #isForeign = false;
  #hasRoot = false;
  #value = Buffer.allocUnsafe(4_096);
  #length = 0;
  #currency = -1;
  #walker: PathWalker | null = null;
  readonly #parts: CheckerParts;

  constructor(parts: CheckerParts) {
    this.#parts = parts;
  }

  /** An element within `Document`. */
  start(name: XmlName, namespace: number, attributes: readonly XmlAttribute[]): void {
    if (this.#skipped > 0 || (this.#depth >= 0 && this.frames[this.#depth]!.type.isAny)) {
      this.#startSkipped(name, namespace, attributes);
      return;
    }
    const element =
      namespace === this.#parts.namespace ? this.#admit(name) : this.#refuse('schema-element', 'an element of another namespace');
    if (element === null) {
      this.#skipped = 1;
      this.#isForeign = false;
      return;
    }
    const frame = this.#open(element, name);
    this.#currency = -1;
    if (attributes.length > 0 || (element.type.value !== null && element.type.value.currency !== null))
      this.#checkAttributes(attributes, frame);
    if (element.type.isAny) this.#parts.writer?.startForeign(element);
    else if (element.type.value === null) this.#parts.writer?.startObject(element);
    if (element.place !== 0) this.#parts.flow?.started(element.place, frame);
    if (element.role !== 0) this.#parts.listener.started(element.role, frame);
  }

  text(bytes: Buffer, from: number, to: number, isBlank: boolean): void {
    if (this.#skipped > 0) {
      if (this.#isForeign) this.#parts.writer?.foreignText(bytes.toString('utf8', from, to));
      return;
    }
    if (this.#depth < 0) {
      if (!isBlank) this.#refuse('schema-text', 'text where only elements are');
      return;
    }
    const frame = this.frames[this.#depth]!;
    if (frame.type.value === null) {
      if (isBlank || frame.hasWrongText) return;
      frame.hasWrongText = true;
      this.#refuse('schema-text', 'text where only elements are');
      return;
    }
    if (this.#length === 0) {
      const { source } = this.#parts;
      frame.textLine = source.line;
      frame.textColumn = source.column;
      frame.textOffset = source.offset;
    }
    this.#keep(bytes, from, to);
  }

  end(): void {
    if (this.#skipped > 0) {
      this.#skipped--;
      if (this.#isForeign) this.#parts.writer?.endForeignElement();
      this.#parts.blanks.isBlankTold = this.#skipped > 0 && this.#isForeign;
      return;
    }
    const frame = this.frames[this.#depth]!;
    const { element } = frame;
    if (frame.type.value === null) this.#endObject(frame);
    else this.#endValue(frame);
    if (element.role !== 0) this.#parts.listener.ended(element.role, frame);
    if (element.place !== 0) this.#parts.flow?.ended(element.place);
    this.#depth--;
    this.#walker?.closed(this.#depth);
    this.#parts.blanks.isBlankTold = false;
  }

  /** Whether the element at `depth` is the open one, and nothing is skipped. */
  isAt(depth: number): boolean {
    return this.#skipped === 0 && this.#depth === depth;
  }

  /** Learns from here on; `names` are those of the open elements, the message's own first. */
  walkWith(walker: PathWalker, names: readonly XmlName[]): void {
    this.#walker = walker;
    for (const [depth, name] of names.entries()) this.#placeIn(walker, depth, name);
  }

  #placeIn(walker: PathWalker, depth: number, name: XmlName): void {
    const above = depth === 0 ? null : this.frames[depth - 1]!.place;
    const frame = this.frames[depth]!;
    frame.place = above === null && depth > 0 ? null : walker.tree.child(above, frame.element, name);
    walker.entered(frame);
  }

  /** At what is in an element whose start tag was read. The text where the reading goes on; null: here. */
  walk(): Place | null {
    if (this.#walker === null || this.#skipped > 0 || this.#depth < 0 || this.frames[this.#depth]!.type.value === null) return null;
    const place = this.#walker.atText(this.#depth, this.#currency, this.findings);
    if (place === null) return null;
    this.#depth = place.depth;
    this.#currency = this.#walker.currency;
    this.#length = 0;
    this.#parts.blanks.isBlankTold = true;
    return place;
  }

  /** XPath of the open element. */
  get path(): string {
    return pathOf(this.#parts.path, this.frames, this.#depth);
  }

  /** Says what is missing when `Document` ends. */
  finish(): void {
    if (!this.#hasRoot) this.#refuse('schema-missing', `${this.#parts.root.tag} is missing`);
  }

  reportAt(frame: ElementFrame, problem: ValueProblem): void {
    const depth = this.frames.indexOf(frame);
    const hasText = frame.type.value !== null && frame.textLength > 0;
    this.#parts.report({
      level: problem.level,
      rule: problem.rule,
      message: problem.message,
      line: hasText ? frame.textLine : frame.line,
      columns: hasText ? [frame.textColumn, frame.textColumn + frame.textLength - 1] : null,
      offset: hasText ? frame.textOffset : frame.offset,
      field: frame.element.tag,
      path: pathOf(this.#parts.path, this.frames, depth),
    });
  }

  /** The child that `name` is in the open element; null: it cannot be there, which is said. */
  #admit(name: XmlName): CompiledElement | null {
    if (this.#depth < 0) return this.#admitRoot(name);
    const frame = this.frames[this.#depth]!;
    const { type } = frame;
    if (type.value !== null) return this.#refuse('schema-element', 'an element where only text is');
    const index = name.local < type.indexes.length ? type.indexes[name.local]! : -1;
    if (index < 0) return this.#refuse('schema-element', `an element that ${frame.element.tag} does not have`);
    const child = type.children[index]!;
    if (index === frame.cursor) {
      if (++frame.count > child.max) return this.#refuse('schema-repeated', `${child.tag} more than ${child.max} times`);
      return child;
    }
    const { from, to } = type.oneOf;
    if (index >= from && index < to && frame.cursor >= from && frame.cursor < to)
      return this.#refuse('schema-choice', `${child.tag} beside ${type.children[frame.cursor]!.tag}, of which only one may be there`);
    if (index < frame.cursor)
      return this.#refuse('schema-order', `${child.tag} after ${type.children[frame.cursor]!.tag}, which follows it`);
    this.#tellMissing(frame, index);
    frame.cursor = index;
    frame.count = 1;
    return child;
  }

  #admitRoot(name: XmlName): CompiledElement | null {
    const { root } = this.#parts;
    if (name.local !== root.number) return this.#refuse('schema-element', `an element that is not ${root.tag}`);
    if (this.#hasRoot) return this.#refuse('schema-repeated', `${root.tag} more than once`);
    this.#hasRoot = true;
    return root;
  }

  #open(element: CompiledElement, name: XmlName): ElementFrame {
    const frame = this.frames[++this.#depth]!;
    const { source } = this.#parts;
    frame.element = element;
    frame.type = element.type;
    frame.cursor = -1;
    frame.count = 0;
    frame.line = source.line;
    frame.column = source.column;
    frame.offset = source.offset;
    frame.textLength = 0;
    frame.hasWrongText = false;
    this.#length = 0;
    if (this.#walker !== null) this.#placeIn(this.#walker, this.#depth, name);
    this.#parts.blanks.isBlankTold = element.type.value !== null;
    return frame;
  }

  #endObject(frame: ElementFrame): void {
    const { type, element } = frame;
    const { writer } = this.#parts;
    if (type.isAny) {
      if (frame.cursor < 0) this.#refuse('schema-missing', `${element.tag} has no element`);
      writer?.endForeign();
      return;
    }
    this.#tellMissing(frame, type.children.length);
    writer?.endObject();
  }

  /** What had to come after the last child and before the one at `index`, which is the number of children at the end. */
  #tellMissing({ type, element, cursor }: ElementFrame, index: number): void {
    const { children, oneOf, mayBeEmpty } = type;
    const place = index < children.length ? `before ${children[index]!.tag}` : `in ${element.tag}`;
    const required = type.nextRequired[cursor + 1]!;
    if (required < index) this.#refuse('schema-missing', `${children[required]!.tag} is missing ${place}`);
    else if (cursor < oneOf.from && index >= oneOf.to && !mayBeEmpty)
      this.#refuse(
        'schema-missing',
        oneOf.to === children.length && oneOf.from === 0
          ? `${element.tag} has none of its elements`
          : `${children[oneOf.from]!.tag}, or another that may stand for it, is missing ${place}`,
      );
  }

  #endValue(frame: ElementFrame): void {
    this.#walker?.left(frame.place, this.findings);
    const bytes = this.#value;
    const length = this.#length;
    const currency = this.#currency;
    const { value } = frame.type;
    let problem = value!.check(bytes, 0, length);
    if (problem === null && currency >= 0) problem = this.#checkDecimals(currency, value!.currency === 'historic', length);
    if (problem === null && this.#parts.checkText !== null) problem = this.#parts.checkText(bytes, length);
    if (problem !== null) {
      frame.textLength = bytes.subarray(0, length).includes(0x0a) ? 0 : length;
      this.reportAt(frame, problem);
    }
    const { element } = frame;
    this.#parts.writer?.value(
      element,
      bytes.toString('utf8', 0, length),
      value!.currency === null ? undefined : currency < 0 ? null : currencyText(currency),
    );
    if (element.role !== 0 || (element.place !== 0 && this.#parts.flow !== null)) {
      frame.textLength = length;
      const checked = { bytes, length, currency, isValid: problem === null || problem.level === 'business' };
      if (element.place > 0) this.#parts.flow?.valued(element.place, checked);
      if (element.role !== 0) this.#parts.listener.valued(element.role, checked, frame);
    }
    this.#length = 0;
  }

  #checkDecimals(currency: number, isHistoricAllowed: boolean, length: number): ValueProblem | null {
    const units = minorUnitsOf(currency, isHistoricAllowed);
    if (units < 0) return unknownCurrency;
    const decimals = decimalsOf(this.#value, 0, length);
    if (decimals <= units) return null;
    return new ValueProblem('business', 'currency-decimals', `${decimals} decimals, where ${currencyText(currency)} has ${units}`);
  }

  #checkAttributes(attributes: readonly XmlAttribute[], frame: ElementFrame): void {
    const takesCurrency = frame.type.value?.currency != null;
    let hasCurrency = false;
    for (const attribute of attributes) {
      const { name, namespace, source, from, to } = attribute;
      if (namespace === 0 && takesCurrency && name.text === 'Ccy') {
        hasCurrency = true;
        if (isCurrencyForm(source, from, to)) this.#currency = packedCurrency(source, from);
        else this.reportAt(frame, currencyForm);
      } else if (!isSchemaHint(attribute, this.#parts.names)) {
        this.reportAt(frame, wrong('schema-attribute', `an attribute that ${frame.element.tag} does not have`));
      }
    }
    if (takesCurrency && !hasCurrency) this.reportAt(frame, noCurrency);
  }

  /** Where nothing of the element itself is kept: at the place that is read. */
  #refuse(rule: string, message: string): null {
    const { source, report } = this.#parts;
    report({
      level: 'schema',
      rule,
      message,
      line: source.line,
      columns: null,
      offset: source.offset,
      field: this.#depth < 0 ? null : this.frames[this.#depth]!.element.tag,
      path: this.path,
    });
    return null;
  }

  #startSkipped(name: XmlName, namespace: number, attributes: readonly XmlAttribute[]): void {
    const { names, writer } = this.#parts;
    if (this.#skipped++ === 0) {
      const envelope = this.frames[this.#depth]!;
      this.#isForeign = envelope.cursor < 0;
      if (envelope.cursor === 0) this.#refuse('schema-repeated', `more than one element in ${envelope.element.tag}`);
      envelope.cursor = 0;
    }
    this.#parts.blanks.isBlankTold = this.#isForeign;
    if (!this.#isForeign || writer === null) return;
    // A prefix says nothing outside the tag; the namespace does.
    const written = attributes.map(({ name: key, namespace: own, source, from, to }) => {
      const space = own === 0 ? '' : `{${names.textOf(own)}}`;
      return [space + names.textOf(key.local), source.toString('utf8', from, to)] as const;
    });
    writer.foreignElement(names.textOf(name.local), names.textOf(namespace), written);
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    // Comments and CDATA sections cut a text into pieces, each of which is within the limit.
    if (length > textBytesMax)
      throw limit(this.#parts.source.cursor, `with what comes before it, the text of an element longer than ${textBytesMax} bytes`);
    if (length > this.#value.length)
      this.#value = Buffer.concat([this.#value.subarray(0, this.#length)], Math.max(length, this.#value.length * 2));
    const value = this.#value;
    if (to - from > 48) bytes.copy(value, this.#length, from, to);
    else for (let at = from, into = this.#length; at < to; at++, into++) value[into] = bytes[at]!;
    this.#length = length;
  }
}
