/**
 * Takes the content of a message from the document part by part: each transaction, entry or status is written and let go, so
 * that a message of any number of them is written. Above them the keys that come before such a list are held until it begins,
 * and may have any order; a key that has to be written before a list and comes after it is refused.
 */
import type { JsonValue, PartKey, PartTaker } from '../../documents/document-stream.ts';
import { pointerTo } from '../../documents/document-stream.ts';
import type { DocumentValues } from '../../writing/document-values.ts';
import { roles } from '../rules/roles.ts';
import type { CompiledElement, CompiledType } from '../schema/compiled-types.ts';
import { type ElementText, indentation } from './element-text.ts';
import type { HeldText } from './held-text.ts';
import type { TransferTotals } from './transfer-totals.ts';

export interface MessageParts {
  readonly values: DocumentValues;
  readonly text: HeldText;
  readonly totals: TransferTotals;
  readonly elements: ElementText;
}

const inParts = new WeakMap<CompiledType, boolean>();

/** Whether there are lists of transactions, entries or statuses below it. */
function hasLists(type: CompiledType): boolean {
  let known = inParts.get(type);
  if (known === undefined) inParts.set(type, (known = type.children.some(isListInParts)));
  return known;
}

function isListInParts({ max, role, type }: CompiledElement): boolean {
  return max > 1 && (role === roles.record || hasLists(type));
}

/** Takes an element that has such lists, such as that of the message or a payment information. */
export class ElementParts implements PartTaker {
  readonly #parts: MessageParts;
  readonly #element: CompiledElement;
  readonly #pointer: string;
  readonly #lead: string;
  /** By index of the child; not yet written. */
  readonly #held = new Map<number, JsonValue>();
  /** Index of the first child that may still be written. */
  #next = 0;
  /** Tag of the list that came last. */
  #list = '';

  constructor(parts: MessageParts, element: CompiledElement, pointer: string, lead: string) {
    this.#parts = parts;
    this.#element = element;
    this.#pointer = pointer;
    this.#lead = lead;
    if (element.role === roles.payment) parts.totals.openPayment();
    parts.text.write(`${lead}<${element.tag}>\n`);
  }

  open(key: PartKey, kind: 'object' | 'list'): PartTaker | null {
    const index = this.#indexOf(key);
    const child = this.#element.type.children[index]!;
    if (kind !== 'list' || !isListInParts(child)) return null;
    this.#writeUpTo(index);
    this.#list = child.tag;
    return new ListParts(this.#parts, child, pointerTo(this.#pointer, key), this.#lead + indentation);
  }

  take(key: PartKey, value: JsonValue): void {
    this.#held.set(this.#indexOf(key), value);
  }

  close(): void {
    const { element, text, totals } = { element: this.#element, ...this.#parts };
    this.#writeUpTo(element.type.children.length);
    text.write(`${this.#lead}</${element.tag}>\n`);
    if (element.role === roles.payment) totals.closePayment();
  }

  #indexOf(key: PartKey): number {
    const { children } = this.#element.type;
    const index = children.findIndex(({ tag }) => tag === key);
    if (index < 0) throw this.#parts.values.unknownKey(key, this.#pointer);
    if (index < this.#next)
      throw this.#parts.values.refuse(pointerTo(this.#pointer, key), `it comes after ${this.#list}, before which it is written`);
    return index;
  }

  #writeUpTo(index: number): void {
    const { children } = this.#element.type;
    for (; this.#next < index; this.#next++) {
      const child = children[this.#next]!;
      const value = this.#held.get(this.#next);
      const pointer = pointerTo(this.#pointer, child.tag);
      if (value === undefined) this.#parts.elements.writeAbsent(child, pointer, this.#lead + indentation);
      else this.#parts.elements.write(child, value, pointer, this.#lead + indentation);
      this.#held.delete(this.#next);
    }
  }
}

class ListParts implements PartTaker {
  readonly #parts: MessageParts;
  readonly #element: CompiledElement;
  readonly #pointer: string;
  readonly #lead: string;

  constructor(parts: MessageParts, element: CompiledElement, pointer: string, lead: string) {
    this.#parts = parts;
    this.#element = element;
    this.#pointer = pointer;
    this.#lead = lead;
  }

  open(key: PartKey, kind: 'object' | 'list'): PartTaker | null {
    if (kind !== 'object' || this.#element.role === roles.record || !hasLists(this.#element.type)) return null;
    return new ElementParts(this.#parts, this.#element, pointerTo(this.#pointer, key), this.#lead);
  }

  take(key: PartKey, value: JsonValue): void {
    this.#parts.elements.writeOne(this.#element, value, pointerTo(this.#pointer, key), this.#lead);
  }

  close(): void {}
}
