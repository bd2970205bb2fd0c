/**
 * Writes the lines that flows read of statements: an entry is one line, with its message. The closing balance comes after all
 * entries of a message, and entries are not held back for it, so that only the last one has it.
 */
import { Buffer } from 'node:buffer';
import { decimalText, ExactSum } from '../exact-sum.ts';
import { type LineKey, lineKey, type RecordLines } from '../record-lines.ts';
import { isDate, twoDigits } from '../statements/byte-fields.ts';
import type { Place } from '../statements/rule-findings.ts';
import type { Balance } from './balances.ts';
import { isoDate, lastOf2000 } from './calendar-dates.ts';
import { decimalsOf } from './decimal-amounts.ts';
import type { FieldText } from './field-text.ts';
import { amountScale, type entryFields, type entryTrailerFields, markFields } from './flow-fields.ts';
import type { StatementEntry } from './statement-entry.ts';

type FieldName = keyof typeof entryFields | keyof typeof entryTrailerFields;

const key = (name: FieldName): LineKey => lineKey(name);
const keys = {
  messageNumber: key('messageNumber'),
  entryNumber: key('entryNumber'),
  valueDate: key('valueDate'),
  entryDate: key('entryDate'),
  mark: key('mark'),
  fundsCode: key('fundsCode'),
  amount: key('amount'),
  bookedAmount: key('bookedAmount'),
  transactionType: key('transactionType'),
  customerReference: key('customerReference'),
  bankReference: key('bankReference'),
  supplementaryDetails: key('supplementaryDetails'),
  information: key('information'),
  closingBalance: key('closingBalance'),
  messages: key('messages'),
  entries: key('entries'),
  balanceChange: key('balanceChange'),
};
/** One mark after the other, with its bytes. */
const marks = Object.entries(markFields).map(([mark, name]) => ({ bytes: Buffer.from(mark), key: key(name) }));

/** What an entry has of its message, in this order. */
const contextNames = [
  'messageType',
  'transactionReference',
  'relatedReference',
  'accountIdentification',
  'identifierCode',
  'statementNumber',
  'sequenceNumber',
  'currency',
  'openingBalance',
  'openingBalanceDate',
] as const satisfies readonly FieldName[];
type ContextName = (typeof contextNames)[number];

/** Of which the entries are booked, and come to the difference of the balances. */
const booked: ReadonlySet<string> = new Set(['940', '950']);
const lineFeed = Buffer.from('\n');

export class EntryLines {
  readonly #lines: RecordLines;
  #messages = 0;
  #entries = 0;
  #entriesOfMessage = 0;
  #isBooked = false;
  #context = new Map<ContextName, string>();
  /** As it stands in a line; null: it has changed. */
  #contextBytes: Buffer | null = null;
  #currency: string | null = null;
  /** An entry's line is open; its information too; it is read as far as its closing balance. */
  #isOpen = false;
  #isInText = false;
  #isLeft = false;
  /** Of the entries of this message, in units of `#decimals`; what came before in other decimals is in `#booked`. */
  readonly #sum = new ExactSum();
  #decimals = 0;
  /** In units of the scale. */
  #booked = 0n;
  #change = 0n;

  constructor(lines: RecordLines) {
    this.#lines = lines;
  }

  beginMessage(type: string): void {
    this.#messages++;
    this.#entriesOfMessage = 0;
    this.#isBooked = booked.has(type);
    this.#context = new Map([['messageType', type]]);
    this.#contextBytes = null;
    this.#currency = null;
    this.#booked = 0n;
  }

  /** A field that says which statement it is. What comes twice counts once. */
  name(tag: string, field: FieldText): void {
    if (tag === '20') this.#set('transactionReference', field.text());
    else if (tag === '21') this.#set('relatedReference', field.text());
    else if (tag === '28' || tag === '28C') {
      const [statement, page] = field.text().split('/', 2);
      this.#set('statementNumber', statement!);
      this.#set('sequenceNumber', page ?? '');
    } else if (tag === '25' || tag === '25P') {
      this.#set('accountIdentification', field.text(0, field.lineEnd(0)));
      if (field.lineCount > 1) this.#set('identifierCode', field.text(field.lineStart(1)));
    }
  }

  useCurrency(currency: string): void {
    this.#currency = currency;
    this.#set('currency', currency);
  }

  opening({ units, currency }: Balance, date: string | null): void {
    this.#set('openingBalance', decimalText(BigInt(units), decimalsOf(currency)));
    if (date !== null) this.#set('openingBalanceDate', date);
  }

  #set(name: ContextName, text: string): void {
    if (this.#context.has(name)) return;
    this.#context.set(name, text);
    this.#contextBytes = null;
  }

  /** Before anything of the entry is looked at, so that what is found in it is its own. */
  begin(line: number, offset: number): void {
    this.#finish(null);
    this.#lines.begin('record', line, offset);
    this.#isOpen = true;
    this.#isInText = false;
    this.#isLeft = false;
  }

  entry(entry: StatementEntry, field: FieldText, decimals: number): void {
    const lines = this.#lines;
    this.#entries++;
    this.#entriesOfMessage++;
    lines.integer(keys.messageNumber, this.#messages);
    lines.integer(keys.entryNumber, this.#entriesOfMessage);
    lines.bytes((this.#contextBytes ??= this.#contextText()));
    this.#writeDates(entry, field);
    this.#writeAmounts(entry, field, decimals);
    this.#writeReferences(entry, field);
  }

  #contextText(): Buffer {
    const texts = contextNames.map((name) => `,"${name}":${JSON.stringify(this.#context.get(name) || null)}`);
    return Buffer.from(texts.join(''), 'utf8');
  }

  #writeDates({ entryDateAt, lineEnd }: StatementEntry, { bytes }: FieldText): void {
    const lines = this.#lines;
    const isValueDate = isDate(bytes, 0, Math.min(6, lineEnd));
    const year = isValueDate ? (twoDigits(bytes, 0) > lastOf2000 ? 1_900 : 2_000) + twoDigits(bytes, 0) : 0;
    // 30 February is the last of its month.
    const last = isValueDate ? null : isoDate(bytes, 0, lineEnd);
    if (isValueDate) lines.date(keys.valueDate, year, bytes, 2);
    else if (last !== null) lines.text(keys.valueDate, last);
    else lines.content(keys.valueDate, bytes, 0, Math.min(6, lineEnd));
    if (entryDateAt < 0 || (!isValueDate && last === null)) lines.absent(keys.entryDate);
    else lines.date(keys.entryDate, nearestYear(isValueDate ? year : Number(last!.slice(0, 4)), bytes, entryDateAt), bytes, entryDateAt);
  }

  #writeAmounts(entry: StatementEntry, { bytes }: FieldText, decimals: number): void {
    const lines = this.#lines;
    const { hasParts, markAt, fundsAt, amountAt, amountEnd, units } = entry;
    const markEnd = fundsAt >= 0 ? fundsAt : amountAt;
    if (hasParts) lines.content(keys.mark, bytes, markAt, markEnd);
    else lines.absent(keys.mark);
    if (hasParts && fundsAt >= 0) lines.content(keys.fundsCode, bytes, fundsAt, fundsAt + 1);
    else lines.absent(keys.fundsCode);
    if (units !== null) lines.commaDecimal(keys.amount, bytes, amountAt, amountEnd);
    else if (hasParts) lines.content(keys.amount, bytes, amountAt, amountEnd);
    else lines.absent(keys.amount);
    for (const mark of marks) {
      if (units !== null && isMark(mark.bytes, bytes, markAt, markEnd)) lines.commaDecimal(mark.key, bytes, amountAt, amountEnd);
      else lines.absent(mark.key);
    }
    if (units === null || !this.#isBooked) {
      lines.absent(keys.bookedAmount);
      return;
    }
    lines.commaDecimal(keys.bookedAmount, bytes, amountAt, amountEnd, !entry.isCredit);
    if (decimals !== this.#decimals) this.#foldSum();
    this.#decimals = decimals;
    this.#sum.add(entry.signed);
  }

  #writeReferences({ hasParts, typeAt, typeEnd, referenceEnd, lineEnd }: StatementEntry, { bytes, length, lineCount }: FieldText): void {
    const lines = this.#lines;
    if (!hasParts) {
      for (const each of [keys.transactionType, keys.customerReference, keys.bankReference, keys.supplementaryDetails]) lines.absent(each);
      return;
    }
    lines.content(keys.transactionType, bytes, typeAt, typeEnd);
    lines.content(keys.customerReference, bytes, typeEnd, referenceEnd);
    lines.content(keys.bankReference, bytes, Math.min(referenceEnd + 2, lineEnd), lineEnd);
    if (lineCount > 1) lines.content(keys.supplementaryDetails, bytes, lineEnd + 1, length);
    else lines.absent(keys.supplementaryDetails);
  }

  /** A field 86 of the entry; several are joined with LF. */
  information({ bytes, length }: FieldText): void {
    const lines = this.#lines;
    if (this.#isInText) lines.piece(lineFeed, 0, 1);
    else {
      lines.bytes(keys.information);
      lines.open();
      this.#isInText = true;
    }
    lines.characters(bytes, 0, length);
  }

  /** What is found from here on is none of the entry's. */
  leave(): void {
    if (!this.#isOpen || this.#isLeft) return;
    this.#isLeft = true;
    if (this.#isInText) this.#lines.close();
    else this.#lines.absent(keys.information);
    this.#lines.leave();
  }

  /** Null: it can't be read. */
  closing(balance: Balance | null): void {
    this.#finish(balance);
  }

  #finish(balance: Balance | null): void {
    if (!this.#isOpen) return;
    this.leave();
    this.#isOpen = false;
    if (balance === null) this.#lines.absent(keys.closingBalance);
    else this.#lines.text(keys.closingBalance, decimalText(BigInt(balance.units), decimalsOf(balance.currency)));
    this.#lines.end();
  }

  /** `change`: the closing less the opening balance; null where there is nothing to compare, so that the entries say it. */
  endMessage(change: bigint | null): void {
    this.#finish(null);
    this.#foldSum();
    if (this.#isBooked) this.#change += change === null ? this.#booked : scaled(change, decimalsOf(this.#currency!));
  }

  #foldSum(): void {
    this.#booked += scaled(this.#sum.value, this.#decimals);
    this.#sum.reset();
  }

  trailer({ line, offset }: Pick<Place, 'line' | 'offset'>, messages: number): void {
    const lines = this.#lines;
    lines.begin('trailer', line, offset);
    lines.integer(keys.messages, messages);
    lines.integer(keys.entries, this.#entries);
    lines.text(keys.balanceChange, decimalText(this.#change, amountScale));
    lines.end();
  }
}

function isMark(mark: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== mark.length) return false;
  for (let at = 0; at < mark.length; at++) if (bytes[start + at] !== mark[at]) return false;
  return true;
}

function scaled(units: bigint, decimals: number): bigint {
  return units * 10n ** BigInt(amountScale - decimals);
}

/** Of a day MMdd that is booked within half a year of its value date, whose year is `year`. */
function nearestYear(year: number, bytes: Buffer, at: number): number {
  const distance = twoDigits(bytes, at) - twoDigits(bytes, 2);
  return year + (distance > 6 ? -1 : distance < -6 ? 1 : 0);
}
