/**
 * The fields of a payment message (MT 101, 103, 202) from the document, in its order. Of a field with an amount or a date either
 * the text is given, or what it is made of; where both are, they have to say the same.
 */
import { pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { FieldTexts, swiftAmount } from './field-texts.ts';
import type { WrittenField } from './statement-fields.ts';

const fieldKeys: ReadonlySet<string> = new Set(['tag', 'value', 'date', 'currency', 'amount']);
/** Tags of what a field is made of. */
const dated: ReadonlySet<string> = new Set(['32A', '30']);
const amounted: ReadonlySet<string> = new Set(['32A', '32B', '33B', '71F', '71G']);

export class PaymentFields {
  readonly #values: DocumentValues;
  readonly #texts: FieldTexts;

  constructor(values: DocumentValues) {
    this.#values = values;
    this.#texts = new FieldTexts(values);
  }

  of(message: JsonMembers, pointer: string): readonly WrittenField[] {
    const list = pointerTo(pointer, 'fields');
    return this.#values.optionalList(message, 'fields', pointer).map((item, index) => {
      const place = pointerTo(list, index);
      const field = this.#values.object(item, place);
      this.#values.onlyKeys(field, (key) => fieldKeys.has(key), place);
      const tag = this.#values.optionalText(field, 'tag', place) ?? '';
      if (!/^\d\d[A-Z]?$/.test(tag))
        throw this.#values.refuse(pointerTo(place, 'tag'), 'a tag is two digits and a letter where it has one');
      const at = pointerTo(place, 'value');
      return { tag, value: this.#texts.lines(this.#value(field, tag, place), at), pointer: at };
    });
  }

  #value(field: JsonMembers, tag: string, pointer: string): string {
    const text = this.#values.optionalText(field, 'value', pointer);
    const parts = ['date', 'currency', 'amount'].filter((key) => givenAt(field, key) !== null);
    if (parts.length === 0) {
      if (text === null) throw this.#values.refuse(pointerTo(pointer, 'value'), 'it is missing');
      return text;
    }
    const wanted = [...(dated.has(tag) ? ['date'] : []), ...(amounted.has(tag) ? ['currency', 'amount'] : [])];
    const unknown = parts.find((key) => !wanted.includes(key));
    if (unknown !== undefined) throw this.#values.refuse(pointerTo(pointer, unknown), `field ${tag} is not made of it`);
    const made = this.#made(field, wanted, pointer);
    if (text !== null && normal(text) !== normal(made))
      throw this.#values.refuse(pointerTo(pointer, 'value'), `it is not what ${wanted.join(', ')} say`);
    return text ?? made;
  }

  #made(field: JsonMembers, wanted: readonly string[], pointer: string): string {
    let text = '';
    const part = (key: string): string => this.#values.optionalText(field, key, pointer) ?? '';
    if (wanted.includes('date')) text += this.#texts.date(part('date'), pointerTo(pointer, 'date'));
    if (!wanted.includes('amount')) return text;
    const currency = part('currency');
    if (!/^[A-Z]{3}$/.test(currency)) throw this.#values.refuse(pointerTo(pointer, 'currency'), 'a currency is three letters');
    const units = this.#texts.units(part('amount'), currency, pointerTo(pointer, 'amount'));
    return text + currency + swiftAmount(units, currency);
  }
}

/** The same for amounts of the same value: without zeros before the first and behind the last digit that counts. */
function normal(text: string): string {
  return text.replace(/([A-Z]{3})0*(\d*),(\d*?)0*$/, '$1$2,$3');
}
