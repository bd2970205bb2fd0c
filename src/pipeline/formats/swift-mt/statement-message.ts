/**
 * One page of a statement (MT 940, 941, 942, 950): balances, entries with their information, floor limits and totals, and
 * how they add up. Reads what is there, also of a message with parts missing.
 */

import { decimalText, digitsValue, ExactSum } from '../exact-sum.ts';
import { areDigits, isDate, isTime } from '../statements/byte-fields.ts';
import type { JsonValue } from '../statements/json-pieces.ts';
import type { Place } from '../statements/rule-findings.ts';
import { type Balance, balanceValues, readBalance, readMoney } from './balances.ts';
import { isoDate } from './calendar-dates.ts';
import { decimalsOf } from './decimal-amounts.ts';
import { informationOf } from './entry-information.ts';
import { hasForm } from './field-formats.ts';
import type { FieldText } from './field-text.ts';
import { InterimTotals } from './interim-totals.ts';
import type { MessageContext, MessageReader } from './message-reader.ts';
import { StatementEntry } from './statement-entry.ts';
import type { StatementPages } from './statement-pages.ts';

const unknownCurrency = 'XXX';

/** How the document names what is one text. */
const names: Readonly<Record<string, string>> = {
  '20': 'transactionReference',
  '21': 'relatedReference',
  '25': 'accountIdentification',
  '25P': 'accountIdentification',
  '13': 'dateTimeIndication',
  '13D': 'dateTimeIndication',
};

const informationBytesMax = 1_048_576;
/** Of one entry; what is more is left out. */
const elementsMax = 1_000;

function addTo(values: Record<string, JsonValue>, list: string, value: JsonValue): void {
  const elements = (values[list] ??= []) as JsonValue[];
  if (elements.length < elementsMax) elements.push(value);
}

export class StatementMessage implements MessageReader {
  readonly #context: MessageContext;
  readonly #type: string;
  readonly #pages: StatementPages;
  readonly #entry = new StatementEntry();
  readonly #sum = new ExactSum();
  readonly #interim: InterimTotals;
  #currency: string | null = null;
  #opening: Balance | null = null;
  #closing: { readonly balance: Balance; readonly place: Place; readonly isIntermediate: boolean } | null = null;
  #account = '';
  #number: { readonly statement: number | null; readonly page: number | null; readonly place: Place } | null = null;
  /** Some entry could not be read: sums say nothing. */
  #isIncomplete = false;
  #isInEntry = false;
  #informationBytes = 0;
  #errorsBefore = 0;
  #entryValues: Record<string, JsonValue> | null = null;

  constructor(type: string, pages: StatementPages, context: MessageContext) {
    this.#type = type;
    this.#pages = pages;
    this.#context = context;
    context.entryLines?.beginMessage(type);
    this.#interim = new InterimTotals(context.findings);
  }

  /** What statements do not know belongs to the entry before it, as information does. */
  leave(tag: string): void {
    if (tag !== '86' && /^\d/.test(tag)) this.#closeEntry();
  }

  enter(field: FieldText): void {
    if (field.tag !== '61') return;
    this.#isInEntry = true;
    this.#informationBytes = 0;
    this.#errorsBefore = this.#context.findings.errors;
    this.#context.entryLines?.begin(field.tagLine, field.tagOffset);
  }

  take(field: FieldText): void {
    const { tag } = field;
    if (tag === '61') this.#takeEntry(field);
    else if (tag === '86') this.#takeInformation(field);
    else this.#takeOther(field);
  }

  #takeOther(field: FieldText): void {
    const { tag } = field;
    if (/^(?:60|62)[FM]$|^6[45]$/.test(tag)) this.#takeBalance(field);
    else if (tag === '28' || tag === '28C') this.#takeNumber(field);
    else if (tag === '34F' || tag === '90C' || tag === '90D') this.#takeSummary(field);
    else if (names[tag] !== undefined) {
      if (tag === '25' || tag === '25P') this.#account = field.latin1();
      if (tag === '13D') this.#checkIndication(field);
      if (this.#context.document.isWanted) this.#context.document.value(names[tag], field.text());
      this.#context.entryLines?.name(tag, field);
    } else if (this.#context.document.isWanted) this.#keepUnknown({ name: tag, value: field.text() });
  }

  #keepUnknown(value: { readonly name: string; readonly value: string }): void {
    if (this.#entryValues === null) this.#context.document.later('otherFields', value);
    else addTo(this.#entryValues, 'otherFields', value);
  }

  #takeEntry(field: FieldText): void {
    const { findings, totals, document, entryLines } = this.#context;
    totals.read++;
    const decimals = decimalsOf(this.#currency ?? unknownCurrency);
    const entry = this.#entry;
    if (entry.read(field, decimals, this.#type === '942', findings)) {
      this.#sum.add(entry.signed);
      totals.add(entry.isCredit ? 'credit' : 'debit', this.#currency ?? unknownCurrency, entry.units!);
      this.#interim.addEntry(entry.isCredit, entry.units!);
    } else this.#isIncomplete = true;
    entryLines?.entry(entry, field, decimals);
    if (document.isWanted) this.#entryValues = entry.values(entry.units === null ? null : decimalText(BigInt(entry.units), decimals));
  }

  #takeInformation(field: FieldText): void {
    const { document } = this.#context;
    this.#checkInformation(field);
    if (this.#isInEntry) this.#keepInformation(field);
    if (!document.isWanted) return;
    if (!this.#isInEntry) document.value('information', informationOf(field.text()));
    else if (this.#entryValues!['information'] === undefined) this.#entryValues!['information'] = informationOf(field.text());
    else addTo(this.#entryValues!, 'moreInformation', field.text());
  }

  /** What is more than fits is told once. */
  #keepInformation(field: FieldText): void {
    const { findings, entryLines } = this.#context;
    const before = this.#informationBytes;
    this.#informationBytes += field.length;
    if (this.#informationBytes <= informationBytesMax) entryLines?.information(field);
    else if (before <= informationBytesMax)
      findings.tell('field-size', field.place(), '86', `the fields 86 of the entry are longer than ${informationBytesMax} bytes together`);
  }

  #checkInformation(field: FieldText): void {
    let isWithin = field.lineCount <= 6;
    for (let index = 0; index < field.lineCount && isWithin; index++) isWithin = field.lineEnd(index) - field.lineStart(index) <= 65;
    if (!isWithin)
      this.#context.findings.tell('information-size', field.place(), '86', 'the information is longer than six lines of 65 characters');
  }

  #closeEntry(): void {
    if (!this.#isInEntry) return;
    const { findings, totals, document, entryLines } = this.#context;
    this.#isInEntry = false;
    if (findings.errors > this.#errorsBefore) totals.rejected++;
    entryLines?.leave();
    if (this.#entryValues !== null) document.element('entries', this.#entryValues);
    this.#entryValues = null;
  }

  #takeBalance(field: FieldText): void {
    const { findings, document } = this.#context;
    const { tag } = field;
    const balance = readBalance(field, findings);
    if (balance !== null) {
      this.#holdCurrency(balance.currency, field, 7);
      if (tag.startsWith('60')) this.#open(balance, field);
      if (tag.startsWith('62')) this.#context.entryLines?.closing(balance);
      if (tag.startsWith('62')) this.#closing ??= { balance, place: field.place(10), isIntermediate: tag === '62M' };
    } else if (tag.startsWith('60') || tag.startsWith('62')) this.#isIncomplete = true;
    if (!document.isWanted) return;
    const values = balanceValues(field, balance);
    if (tag === '65') document.later('forwardAvailableBalances', values);
    else document.value(tag === '64' ? 'closingAvailableBalance' : tag.startsWith('60') ? 'openingBalance' : 'closingBalance', values);
  }

  #open(balance: Balance, field: FieldText): void {
    if (this.#opening !== null) return;
    this.#opening = balance;
    this.#context.entryLines?.opening(balance, isoDate(field.bytes, 1, field.length));
    if (field.tag === '60M') this.#pages.checkOpening(balance, this.#page(null), field.place(10), this.#context.findings);
  }

  /** The first currency counts; others are told. */
  #holdCurrency(currency: string, field: FieldText, at: number): void {
    if (this.#currency === null) this.#context.entryLines?.useCurrency(currency);
    this.#currency ??= currency;
    if (currency === this.#currency) return;
    this.#isIncomplete = true;
    this.#context.findings.tell(
      'balance-currency',
      field.place(at, at + 3),
      field.tag,
      `the currency is ${currency}, before it was ${this.#currency}`,
    );
  }

  #takeNumber(field: FieldText): void {
    const [statement, page] = field.text().split('/', 2);
    const numberOf = (part: string | undefined) => (part !== undefined && /^\d{1,9}$/.test(part) ? Number(part) : null);
    this.#number = { statement: numberOf(statement), page: numberOf(page), place: field.place() };
    this.#context.entryLines?.name(field.tag, field);
    this.#pages.checkNumber(this.#page(null), this.#number.place, this.#context.findings);
    if (!this.#context.document.isWanted) return;
    this.#context.document.value('statementNumber', statement!);
    this.#context.document.value('sequenceNumber', page ?? null);
  }

  /** yyMMddHHmm, a sign, and an offset. */
  #checkIndication(field: FieldText): void {
    const { findings } = this.#context;
    if (!hasForm('13D', field.latin1())) return;
    if (!isDate(field.bytes, 0, 6)) findings.tell('date', field.place(0, 6), '13D', 'the date is not a day of the calendar');
    if (!isTime(field.bytes, 6, 10) || field.latin1(11) > '1359')
      findings.tell('time', field.place(6), '13D', 'the time or its offset is none');
  }

  /** What does not have its form is told already. */
  #takeSummary(field: FieldText): void {
    if (!hasForm(field.tag, field.latin1())) {
      if (field.tag === '34F') this.#interim.isLimitUnknown = true;
      return;
    }
    if (field.tag === '34F') this.#takeFloorLimit(field);
    else this.#takeTotal(field);
  }

  #takeFloorLimit(field: FieldText): void {
    const { findings, document } = this.#context;
    const currency = field.latin1(0, 3);
    const letter = field.latin1(3, 4);
    const mark = /[A-Z]/.test(letter) ? letter : null;
    const start = mark === null && letter !== ' ' ? 3 : 4;
    this.#holdCurrency(currency, field, 0);
    const units = readMoney(field, start, currency, findings);
    this.#interim.addFloorLimit(mark, units, field.place());
    if (document.isWanted)
      document.later('floorLimits', { currency, mark, amount: units === null ? null : decimalText(BigInt(units), decimalsOf(currency)) });
  }

  #takeTotal(field: FieldText): void {
    const { findings, document } = this.#context;
    const { bytes, tag } = field;
    let at = 0;
    while (areDigits(bytes, at, at + 1)) at++;
    const currency = field.latin1(at, at + 3);
    const count = Number(digitsValue(bytes, 0, at));
    this.#holdCurrency(currency, field, at);
    const units = readMoney(field, at + 3, currency, findings);
    this.#interim.addTotal(tag === '90C', { count, units, place: field.place() });
    if (!document.isWanted) return;
    const amount = units === null ? null : decimalText(BigInt(units), decimalsOf(currency));
    document.value(tag === '90C' ? 'creditEntries' : 'debitEntries', { count, currency, amount });
  }

  end(): void {
    this.#closeEntry();
    const { totals, entryLines } = this.#context;
    entryLines?.endMessage(this.#isComparable ? BigInt(this.#closing!.balance.units) - BigInt(this.#opening!.units) : null);
    if (this.#type === '942') this.#interim.check(this.#isIncomplete);
    else if (this.#type !== '941') this.#checkBalances();
    totals.countMessage(this.#type);
    this.#pages.turn(this.#page(this.#closing?.isIntermediate ? this.#closing.balance : null));
  }

  #page(carried: Balance | null) {
    return { account: this.#account, statement: this.#number?.statement ?? null, page: this.#number?.page ?? null, carried };
  }

  get #isComparable(): boolean {
    return this.#opening !== null && this.#closing !== null && !this.#isIncomplete;
  }

  #checkBalances(): void {
    if (!this.#isComparable) return;
    const { findings, totals } = this.#context;
    const { balance, place, isIntermediate } = this.#closing!;
    const computed = BigInt(this.#opening!.units) + this.#sum.value;
    totals.addClosing('declared', balance.currency, balance.units);
    totals.addClosing('computed', balance.currency, computed);
    if (computed === BigInt(balance.units)) return;
    const text = (units: bigint) => decimalText(units, decimalsOf(balance.currency));
    findings.tell(
      'closing-balance',
      place,
      isIntermediate ? '62M' : '62F',
      `declared ${text(BigInt(balance.units))}, computed ${text(computed)}`,
    );
  }
}
