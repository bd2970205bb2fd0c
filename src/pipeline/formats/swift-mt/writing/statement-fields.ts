/**
 * The fields of a statement (MT 940, 941, 942, 950) from the document, in the order of the standard. The closing balance and the
 * totals of entries are computed where the document leaves them open.
 */
import { type JsonValue, pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { hasForm } from '../field-formats.ts';
import { layoutOf } from '../message-layouts.ts';
import { EntryValues } from './entry-values.ts';
import { FieldTexts } from './field-texts.ts';
import { type EntrySums, MoneyValues } from './money-values.ts';

export interface WrittenField {
  readonly tag: string;
  /** With LF between its lines. */
  readonly value: string;
  /** Where it comes from. */
  readonly pointer: string;
}

export const statementKeys: ReadonlySet<string> = new Set([
  ...['transactionReference', 'relatedReference', 'accountIdentification', 'statementNumber', 'sequenceNumber', 'dateTimeIndication'],
  ...['openingBalance', 'closingBalance', 'closingAvailableBalance', 'forwardAvailableBalances', 'floorLimits'],
  ...['debitEntries', 'creditEntries', 'entries', 'information', 'otherFields'],
]);

/** Where no balance or limit says it: decimals are those of most currencies. */
const unknownCurrency = 'XXX';

export class StatementFields {
  readonly #values: DocumentValues;
  readonly #texts: FieldTexts;
  readonly #money: MoneyValues;
  readonly #entries: EntryValues;
  #fields: WrittenField[] = [];
  #knownTags: ReadonlySet<string> = new Set();

  constructor(values: DocumentValues) {
    this.#values = values;
    this.#texts = new FieldTexts(values);
    this.#money = new MoneyValues(values, this.#texts);
    this.#entries = new EntryValues(values, this.#texts, this.#money);
  }

  of(type: string, message: JsonMembers, pointer: string): readonly WrittenField[] {
    this.#fields = [];
    this.#knownTags = layoutOf(type)!.tags;
    this.#text(message, 'transactionReference', '20', pointer);
    this.#text(message, 'relatedReference', '21', pointer);
    const account = this.#values.optionalText(message, 'accountIdentification', pointer);
    this.#text(message, 'accountIdentification', account?.includes('\n') ? '25P' : '25', pointer);
    this.#number(type, message, pointer);
    this.#list(message, 'floorLimits', '34F', pointer, (limit, place) => this.#money.floorLimit(limit, place));
    const indication = this.#values.optionalText(message, 'dateTimeIndication', pointer);
    this.#text(message, 'dateTimeIndication', indication !== null && !hasForm('13D', indication) && type === '942' ? '13' : '13D', pointer);
    this.#balances(message, pointer);
    if (givenAt(message, 'information') !== null) this.#information(message.get('information')!, pointerTo(pointer, 'information'));
    this.#others(message, pointer, true);
    return this.#fields;
  }

  #balances(message: JsonMembers, pointer: string): void {
    const opening = this.#values.optionalObject(message, 'openingBalance', pointer);
    const currency = this.#currency(message, opening, pointer);
    this.#balance(message, 'openingBalance', ['60F', '60M'], pointer, { currency: null, computed: null });
    const sums = this.#entriesOf(message, currency ?? unknownCurrency, pointer);
    for (const [key, tag, side] of [['debitEntries', '90D', 'debit'] as const, ['creditEntries', '90C', 'credit'] as const]) {
      const total = this.#values.optionalObject(message, key, pointer);
      const place = pointerTo(pointer, key);
      if (total !== null) this.#add(tag, this.#money.entryTotal(total, place, side, sums), place);
    }
    const computed = opening === null ? null : this.#money.balanceUnits(opening, pointerTo(pointer, 'openingBalance')) + sums.net;
    this.#balance(message, 'closingBalance', ['62F', '62M'], pointer, { currency, computed });
    this.#balance(message, 'closingAvailableBalance', ['64'], pointer, { currency, computed: null });
    this.#list(
      message,
      'forwardAvailableBalances',
      '65',
      pointer,
      (balance, place) => this.#money.balance(balance, place, { tags: ['65'], currency, computed: null })[1],
    );
  }

  /** Of the first balance or limit, which those after it have to be in. */
  #currency(message: JsonMembers, opening: JsonMembers | null, pointer: string): string | null {
    if (opening !== null) return this.#money.currency(opening, pointerTo(pointer, 'openingBalance'), null);
    const [limit] = this.#values.optionalList(message, 'floorLimits', pointer);
    const place = `${pointerTo(pointer, 'floorLimits')}/0`;
    return limit === undefined ? null : this.#money.currency(this.#values.object(limit, place), place, null);
  }

  #entriesOf(message: JsonMembers, currency: string, pointer: string): EntrySums {
    const debit = { count: 0, units: 0n };
    const credit = { count: 0, units: 0n };
    for (const [index, item] of this.#values.optionalList(message, 'entries', pointer).entries()) {
      const place = `${pointerTo(pointer, 'entries')}/${index}`;
      const entry = this.#values.object(item, place);
      const { value, isCredit, units } = this.#entries.entry(entry, currency, place);
      const side = isCredit ? credit : debit;
      side.count++;
      side.units += units;
      this.#add('61', value, place);
      if (givenAt(entry, 'information') !== null) this.#information(entry.get('information')!, pointerTo(place, 'information'));
      for (const [number, more] of this.#values.optionalList(entry, 'moreInformation', place).entries()) {
        const at = `${place}/moreInformation/${number}`;
        this.#add('86', this.#texts.lines(this.#values.text(more, at), at, this.#knownTags), at);
      }
      this.#others(entry, place, false);
    }
    return { currency, net: credit.units - debit.units, debit, credit };
  }

  /** Fields that are not of the message, and of a message information that goes on in further fields 86. */
  #others(owner: JsonMembers, pointer: string, isMessage: boolean): void {
    for (const [index, item] of this.#values.optionalList(owner, 'otherFields', pointer).entries()) {
      const place = `${pointerTo(pointer, 'otherFields')}/${index}`;
      const other = this.#values.object(item, place);
      this.#values.onlyKeys(other, (key) => key === 'name' || key === 'value', place);
      const name = this.#values.optionalText(other, 'name', place) ?? '';
      const at = pointerTo(place, 'value');
      const value = other.get('value') ?? { kind: 'null' };
      if (isMessage && name === 'information') this.#information(value, at);
      else if (/^\d\d[A-Z]?$|^NS$/.test(name) && (isMessage || !/^\d/.test(name)))
        this.#add(name, this.#texts.lines(this.#values.text(value, at), at), at);
      else throw this.#values.refuse(pointerTo(place, 'name'), 'it names no field that has a place here');
    }
  }

  #information(value: JsonValue, pointer: string): void {
    this.#add('86', this.#entries.information(value, pointer, this.#knownTags), pointerTo(pointer, 'text'));
  }

  #balance(
    message: JsonMembers,
    key: string,
    tags: readonly string[],
    pointer: string,
    { currency, computed }: { readonly currency: string | null; readonly computed: bigint | null },
  ): void {
    const balance = this.#values.optionalObject(message, key, pointer);
    if (balance === null) return;
    const place = pointerTo(pointer, key);
    const [tag, value] = this.#money.balance(balance, place, { tags, currency, computed });
    this.#add(tag, value, place);
  }

  #list(message: JsonMembers, key: string, tag: string, pointer: string, written: (item: JsonMembers, place: string) => string): void {
    for (const [index, item] of this.#values.optionalList(message, key, pointer).entries()) {
      const place = `${pointerTo(pointer, key)}/${index}`;
      this.#add(tag, written(this.#values.object(item, place), place), place);
    }
  }

  /** Field 28C; 28 in MT 941. */
  #number(type: string, message: JsonMembers, pointer: string): void {
    const place = pointerTo(pointer, 'statementNumber');
    const statement = this.#values.optionalText(message, 'statementNumber', pointer);
    const sequence = this.#values.optionalText(message, 'sequenceNumber', pointer);
    if (statement === null) {
      if (sequence !== null) throw this.#values.refuse(place, 'it is missing, and there is a sequence number');
      return;
    }
    if (/[/\n]/.test(statement + (sequence ?? ''))) throw this.#values.refuse(place, 'the numbers of a statement hold no slash');
    this.#add(type === '941' ? '28' : '28C', this.#texts.lines(sequence === null ? statement : `${statement}/${sequence}`, place), place);
  }

  #text(message: JsonMembers, key: string, tag: string, pointer: string): void {
    const text = this.#values.optionalText(message, key, pointer);
    const place = pointerTo(pointer, key);
    if (text !== null) this.#add(tag, this.#texts.lines(text, place), place);
  }

  #add(tag: string, value: string, pointer: string): void {
    this.#fields.push({ tag, value, pointer });
  }
}
