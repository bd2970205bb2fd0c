/**
 * Elements of a message as XML: one a line, two spaces for each level, in the order of the definition whatever order the keys
 * have. What is wrong by the definition or by the rules is for the reader to find that reads it back; only what cannot be
 * written as XML is refused here.
 */
import { type JsonValue, pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { roles } from '../rules/roles.ts';
import type { CompiledElement } from '../schema/compiled-types.ts';
import { ForeignContent } from './foreign-content.ts';
import type { HeldText } from './held-text.ts';
import { isComputed, type TransferTotals } from './transfer-totals.ts';
import { escapeAttribute, escapeText, isXmlText } from './xml-escapes.ts';

export const indentation = '  ';

export interface ElementTextParts {
  readonly values: DocumentValues;
  readonly text: HeldText;
  readonly totals: TransferTotals;
}

export class ElementText {
  readonly #values: DocumentValues;
  readonly #text: HeldText;
  readonly #totals: TransferTotals;
  readonly #foreign: ForeignContent;

  constructor({ values, text, totals }: ElementTextParts) {
    this.#values = values;
    this.#text = text;
    this.#totals = totals;
    this.#foreign = new ForeignContent(values);
  }

  /** Of a value that stands under the tag of the element: a list where it may be repeated. */
  write(element: CompiledElement, value: JsonValue, pointer: string, lead: string): void {
    if (element.max === 1) this.writeOne(element, value, pointer, lead);
    else
      for (const [position, item] of this.#values.list(value, pointer).entries())
        this.writeOne(element, item, pointerTo(pointer, position), lead);
  }

  writeOne(element: CompiledElement, value: JsonValue, pointer: string, lead: string): void {
    const { tag, type, role } = element;
    if (role === roles.record) this.#totals.addTransaction();
    if (type.value !== null) this.#writeValue(element, value, pointer, lead);
    else if (type.isAny) this.#text.write(`${lead}<${tag}>${this.#foreign.text(this.#values.list(value, pointer), pointer)}</${tag}>\n`);
    else this.#writeObject(element, this.#values.object(value, pointer), pointer, lead);
  }

  /** Of a mandatory element that is absent: left open where it is computed. Else the reader tells that it is missing. */
  writeAbsent(element: CompiledElement, pointer: string, lead: string): void {
    if (isComputed(element.role) && element.min > 0) this.#writeValue(element, { kind: 'null' }, pointer, lead);
  }

  #writeObject({ tag, type }: CompiledElement, object: JsonMembers, pointer: string, lead: string): void {
    this.#values.onlyKeys(object, (key) => type.children.some((child) => child.tag === key), pointer);
    const isEmpty = object.values().every((value) => value.kind === 'array' && value.items.length === 0);
    if (isEmpty && !type.children.some(({ role, min }) => isComputed(role) && min > 0)) {
      this.#text.write(`${lead}<${tag}/>\n`);
      return;
    }
    this.#text.write(`${lead}<${tag}>\n`);
    for (const child of type.children) {
      const value = object.get(child.tag);
      const place = pointerTo(pointer, child.tag);
      if (value === undefined) this.writeAbsent(child, place, lead + indentation);
      else this.write(child, value, place, lead + indentation);
    }
    this.#text.write(`${lead}</${tag}>\n`);
  }

  #writeValue(element: CompiledElement, value: JsonValue, pointer: string, lead: string): void {
    const { tag, role, type } = element;
    if (type.value!.currency === null) {
      this.#text.write(`${lead}<${tag}>`);
      this.#writeText(role, value, { currency: null, pointer });
    } else {
      const amount = this.#values.object(value, pointer);
      this.#values.onlyKeys(amount, (key) => key === '@Ccy' || key === '#text', pointer);
      const currency = this.#xmlText(amount.get('@Ccy') ?? { kind: 'null' }, pointerTo(pointer, '@Ccy'));
      this.#text.write(`${lead}<${tag} Ccy="${escapeAttribute(currency)}">`);
      this.#writeText(role, givenAt(amount, '#text') ?? { kind: 'null' }, { currency, pointer: pointerTo(pointer, '#text') });
    }
    this.#text.write(`</${tag}>\n`);
  }

  #writeText(role: number, value: JsonValue, { currency, pointer }: { readonly currency: string | null; readonly pointer: string }): void {
    if (value.kind === 'null' && isComputed(role)) {
      this.#totals.leaveOpen(role, currency, pointer);
      return;
    }
    const text = this.#xmlText(value, pointer);
    if (role === roles.amount) this.#totals.addAmount(text);
    else if (role === roles.groupReturn && /^\s*(?:true|1)\s*$/.test(text)) this.#totals.returnGroup();
    this.#text.write(escapeText(text));
  }

  #xmlText(value: JsonValue, pointer: string): string {
    const text = this.#values.text(value, pointer);
    if (!isXmlText(text)) throw this.#values.refuse(pointer, 'the text holds a character that XML does not have');
    return text;
  }
}
