/**
 * A message as XML, from the document that `--parse` prints: UTF-8, an element a line, two spaces for each level, in the order
 * of the definition whatever order the keys have. What is wrong with it by the definition or by the rules is for the reader to
 * find that reads it back; only what cannot be written as XML is refused here.
 */
import type { PackFinding } from '../../pack.ts';
import type { WrittenText } from '../../writing/checked-writing.ts';
import { DocumentValues, type JsonObject, pointerTo, valueAt } from '../../writing/document-values.ts';
import { type MessageDefinition, messages, namespacePrefix } from '../definitions/messages.ts';
import { iso20022Errors } from '../iso20022-errors.ts';
import { familyOf } from '../rules/families.ts';
import { type CompiledElement, compileMessage } from '../schema/compiled-types.ts';
import { ForeignContent } from './foreign-content.ts';
import { computedText, TransferTotals } from './transfer-totals.ts';
import { escapeAttribute, escapeText, isXmlText } from './xml-escapes.ts';

const pieceLength = 64 * 1024;
const indentation = '  ';

export class MessageText implements WrittenText {
  readonly #values = new DocumentValues(iso20022Errors.E_ISO20022_DOCUMENT);
  readonly #message: MessageDefinition;
  readonly #root: CompiledElement;
  readonly #content: JsonObject;
  readonly #totals: TransferTotals;
  readonly #foreign: ForeignContent;
  #text = '';

  /** Refuses a document that is none of a message that is written. */
  constructor(document: unknown) {
    const values = this.#values;
    const whole = values.object(document, '');
    values.onlyKeys(whole, (key) => key === 'message' || key === 'Document', '');
    this.#content = values.object(valueAt(whole, 'Document'), '/Document');
    this.#message = this.#messageOf(whole);
    this.#root = compileMessage(this.#message, familyOf(this.#message.name).roles);
    values.onlyKeys(this.#content, (key) => key === '@xmlns' || key === this.#root.tag, '/Document');
    this.#totals = new TransferTotals(this.#message.name, valueAt(this.#content, this.#root.tag));
    this.#foreign = new ForeignContent(values);
  }

  *pieces(): Generator<string> {
    this.#text = `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${namespacePrefix}${this.#message.name}">\n`;
    const content = valueAt(this.#content, this.#root.tag);
    if (content !== null) yield* this.#element(this.#root, content, pointerTo('/Document', this.#root.tag), indentation);
    this.#text += '</Document>\n';
    yield this.#text;
    this.#text = '';
  }

  /** Elements that may be repeated have their number in the path of a finding, and are lists in the document. */
  pointerOf({ path }: PackFinding): string {
    return (path ?? '').replaceAll(/\[(\d+)\]/g, (_, position: string) => `/${Number(position) - 1}`);
  }

  #messageOf(whole: JsonObject): MessageDefinition {
    const values = this.#values;
    const name = values.optionalText(whole, 'message', '');
    const namespace = values.optionalText(this.#content, '@xmlns', '/Document');
    const found = messages.find((each) => (name === null ? namespacePrefix + each.name === namespace : each.name === name));
    const pointer = name === null ? '/Document/@xmlns' : '/message';
    if (found === undefined)
      throw values.refuse(pointer, `no message that is written; there are ${messages.map((each) => each.name).join(', ')}`);
    if (namespace !== null && namespace !== namespacePrefix + found.name)
      throw values.refuse('/Document/@xmlns', `not the namespace of ${found.name}, which is ${namespacePrefix}${found.name}`);
    return found;
  }

  *#element(element: CompiledElement, value: unknown, pointer: string, lead: string): Generator<string> {
    if (element.type.value !== null) this.#writeValue(element, value, pointer, lead);
    else if (element.type.isAny) {
      const list = this.#values.list(value, pointer);
      this.#text += `${lead}<${element.tag}>${this.#foreign.text(list, pointer)}</${element.tag}>\n`;
    } else {
      const object = this.#values.object(value, pointer);
      this.#values.onlyKeys(object, (key) => element.type.children.some(({ tag }) => tag === key), pointer);
      const before = this.#text.length;
      this.#text += `${lead}<${element.tag}>\n`;
      const opened = this.#text;
      yield* this.#children(element, object, pointer, lead + indentation);
      if (this.#text === opened) this.#text = `${opened.slice(0, before)}${lead}<${element.tag}/>\n`;
      else this.#text += `${lead}</${element.tag}>\n`;
      if (this.#text.length > pieceLength) {
        yield this.#text;
        this.#text = '';
      }
    }
  }

  *#children(element: CompiledElement, object: JsonObject, pointer: string, lead: string): Generator<string> {
    for (const child of element.type.children) {
      const place = pointerTo(pointer, child.tag);
      const given = Object.hasOwn(object, child.tag) ? object[child.tag] : undefined;
      if (given === undefined && child.min === 0) continue;
      const value = given === undefined || given === null ? computedText(child.role, this.#totals, object) : given;
      // What has to be there and is not is told by the reader, beside what follows it.
      if (value === null && given === undefined) continue;
      if (child.max === 1) yield* this.#element(child, value, place, lead);
      else {
        let position = 0;
        for (const item of this.#values.list(value, place)) yield* this.#element(child, item, pointerTo(place, position++), lead);
      }
    }
  }

  #writeValue(element: CompiledElement, value: unknown, pointer: string, lead: string): void {
    const { tag } = element;
    if (element.type.value!.currency === null) {
      this.#text += `${lead}<${tag}>${escapeText(this.#xmlText(value, pointer))}</${tag}>\n`;
      return;
    }
    const amount = this.#values.object(value, pointer);
    this.#values.onlyKeys(amount, (key) => key === '@Ccy' || key === '#text', pointer);
    const currency = this.#xmlText(valueAt(amount, '@Ccy'), pointerTo(pointer, '@Ccy'));
    const given = valueAt(amount, '#text') ?? computedText(element.role, this.#totals, amount);
    const text = this.#xmlText(given, pointerTo(pointer, '#text'));
    this.#text += `${lead}<${tag} Ccy="${escapeAttribute(currency)}">${escapeText(text)}</${tag}>\n`;
  }

  #xmlText(value: unknown, pointer: string): string {
    const text = this.#values.text(value, pointer);
    if (!isXmlText(text)) throw this.#values.refuse(pointer, 'the text holds a character that XML does not have');
    return text;
  }
}
