/** Entries of statements (field 61) and information (field 86) from the document. Source: Standards MT Category 9, fields 61 and 86. */
import { isDeepStrictEqual } from 'node:util';
import { type JsonValue, pointerTo } from '../../documents/document-stream.ts';
import type { DocumentValues, JsonMembers } from '../../writing/document-values.ts';
import { nearestYear } from '../calendar-dates.ts';
import { informationOf } from '../entry-information.ts';
import { type FieldTexts, swiftAmount } from './field-texts.ts';
import type { MoneyValues } from './money-values.ts';

const entryKeys: ReadonlySet<string> = new Set([
  ...['valueDate', 'entryDate', 'mark', 'fundsCode', 'amount', 'transactionType', 'customerReference', 'bankReference'],
  ...['supplementaryDetails', 'information', 'moreInformation', 'otherFields'],
]);
/** Stands where an entry has no reference. */
const noReference = 'NONREF';

export interface WrittenEntry {
  readonly value: string;
  readonly isCredit: boolean;
  readonly units: bigint;
}

export class EntryValues {
  readonly #values: DocumentValues;
  readonly #texts: FieldTexts;
  readonly #money: MoneyValues;

  constructor(values: DocumentValues, texts: FieldTexts, money: MoneyValues) {
    this.#values = values;
    this.#texts = texts;
    this.#money = money;
  }

  /** The field 61 of an entry, whose amount is in `currency`. */
  entry(entry: JsonMembers, currency: string, pointer: string): WrittenEntry {
    this.#values.onlyKeys(entry, (key) => entryKeys.has(key), pointer);
    const mark = this.#matching(entry, 'mark', /^(?:E?[CD]|R[CD])$/, pointer) ?? '';
    if (mark === '') throw this.#values.refuse(pointerTo(pointer, 'mark'), 'the mark of an entry is C, D, RC, RD, EC or ED');
    const funds = this.#matching(entry, 'fundsCode', /^[A-Z]$/, pointer) ?? '';
    const units = this.#money.amountUnits(entry, currency, pointer);
    const details = this.#values.optionalText(entry, 'supplementaryDetails', pointer);
    const first = `${this.#dates(entry, pointer)}${mark}${funds}${swiftAmount(units, currency)}${this.#references(entry, pointer)}`;
    const value = details === null ? first : `${first}\n${details}`;
    return { value: this.#texts.lines(value, pointer), isCredit: mark.endsWith('C') !== mark.startsWith('R'), units };
  }

  /** The text of a field 86; what the document says of its parts has to be what the text says. */
  information(value: JsonValue, pointer: string, knownTags: ReadonlySet<string>): string {
    const information = this.#values.object(value, pointer);
    const text = this.#values.optionalText(information, 'text', pointer);
    if (text === null) throw this.#values.refuse(pointerTo(pointer, 'text'), 'information has a text, of which its parts follow');
    const read = informationOf(text);
    this.#values.onlyKeys(information, (key) => Object.hasOwn(read, key), pointer);
    for (const [key, given] of information)
      if (!isDeepStrictEqual(plain(given), plainOf(read[key])))
        throw this.#values.refuse(pointerTo(pointer, key), 'it is not what the text says');
    return this.#texts.lines(text, pointerTo(pointer, 'text'), knownTags);
  }

  #dates(entry: JsonMembers, pointer: string): string {
    const valueDate = this.#values.optionalText(entry, 'valueDate', pointer) ?? '';
    const written = this.#texts.date(valueDate, pointerTo(pointer, 'valueDate'));
    const entryDate = this.#values.optionalText(entry, 'entryDate', pointer);
    if (entryDate === null) return written;
    const place = pointerTo(pointer, 'entryDate');
    const monthDay = this.#texts.date(entryDate, place).slice(2);
    if (nearestYear(valueDate, monthDay.slice(0, 2), monthDay.slice(2)) !== entryDate)
      throw this.#values.refuse(place, 'the entry date, which is written without its year, is not in the year nearest to the value date');
    return written + monthDay;
  }

  #references(entry: JsonMembers, pointer: string): string {
    const type = this.#matching(entry, 'transactionType', /^(?!\/\/)[\x20-\x7e]{4}$/, pointer);
    const ofBankAlone = this.#ofBankAlone(entry, type, pointer);
    if (ofBankAlone !== null) return ofBankAlone;
    if (type === null)
      throw this.#values.refuse(pointerTo(pointer, 'transactionType'), 'the type of an entry has four characters of ASCII');
    // Null is what a bank wrote that left it out.
    const isAbsent = !entry.has('customerReference');
    const reference = isAbsent ? noReference : (this.#matching(entry, 'customerReference', /^(?:(?!\/\/)[^\n])*$/, pointer) ?? '');
    const ofBank = this.#matching(entry, 'bankReference', /^[^\n]*$/, pointer);
    if (ofBank !== null && reference.endsWith('/'))
      throw this.#values.refuse(
        pointerTo(pointer, 'customerReference'),
        'its slash at the end would be read as that before the bank reference',
      );
    return type + reference + (ofBank === null ? '' : `//${ofBank}`);
  }

  /** What a bank wrote that left out the type and the reference; null: no such entry. */
  #ofBankAlone(entry: JsonMembers, type: string | null, pointer: string): string | null {
    const isBare = type === null && entry.has('transactionType') && entry.has('customerReference');
    if (!isBare || this.#values.optionalText(entry, 'customerReference', pointer) !== null) return null;
    const ofBank = this.#matching(entry, 'bankReference', /^[^\n]*$/, pointer);
    return ofBank === null ? null : `//${ofBank}`;
  }

  #matching(entry: JsonMembers, key: string, form: RegExp, pointer: string): string | null {
    const text = this.#values.optionalText(entry, key, pointer);
    if (text !== null && !form.test(text))
      throw this.#values.refuse(pointerTo(pointer, key), 'the text does not have the form of its place in field 61');
    return text;
  }
}

/** As `JSON.parse` would give it. */
function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'object':
      return Object.fromEntries([...value.members].map(([key, each]) => [key, plain(each)]));
    case 'array':
      return value.items.map(plain);
    case 'number':
      return Number(value.text);
    case 'null':
      return null;
    default:
      return value.value;
  }
}

/** Without what only the type has. */
const plainOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
