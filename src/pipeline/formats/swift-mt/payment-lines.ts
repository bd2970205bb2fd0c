/**
 * Writes the lines that flows read of payments: a payment is one line, with what an MT 101 says of all of its payments. The fields of
 * one payment are held, at most as many bytes as the reader lets it have, since lines have their keys in one order.
 */
import { Buffer } from 'node:buffer';
import { type LineKey, lineKey, type RecordLines } from '../record-lines.ts';
import { areDigits, areUpperLetters, isDate, twoDigits } from '../statements/byte-fields.ts';
import type { Place } from '../statements/rule-findings.ts';
import { lastOf2000 } from './calendar-dates.ts';
import type { FieldText } from './field-text.ts';
import type { paymentFields, paymentTrailerFields } from './flow-fields.ts';
import { HeldFields } from './held-fields.ts';
import { coverParts, orderingPart, type PartTable, type PaymentPart, partsOf, paymentParts } from './payment-parts.ts';

const slash = 47;
const comma = 44;
const lineFeed = 10;

const key = (name: keyof typeof paymentFields | keyof typeof paymentTrailerFields): LineKey => lineKey(name);
const keys = {
  messageNumber: key('messageNumber'),
  paymentNumber: key('paymentNumber'),
  messages: key('messages'),
  payments: key('payments'),
};

export class PaymentLines {
  readonly #lines: RecordLines;
  /** Of all payments of a message, and of the one that is read. */
  readonly #shared = new HeldFields(paymentParts.length);
  readonly #own = new HeldFields(paymentParts.length);
  #typeText: Uint8Array = Buffer.alloc(0);
  #type = '';
  #parts: PartTable = new Map();
  #messages = 0;
  #payments = 0;
  #paymentsOfMessage = 0;
  #isOpen = false;

  constructor(lines: RecordLines) {
    this.#lines = lines;
  }

  beginMessage(type: string): void {
    this.#messages++;
    this.#paymentsOfMessage = 0;
    this.#type = type;
    this.#parts = partsOf(type);
    this.#typeText = Buffer.from(`,"messageType":"${type}"`, 'latin1');
    this.#shared.clear();
    this.#own.clear();
  }

  /** Before anything of the payment is looked at, so that what is found in it is its own. */
  begin(line: number, offset: number): void {
    this.#own.clear();
    this.#isOpen = true;
    this.#lines.begin('record', line, offset);
  }

  add({ tag, bytes, length }: FieldText): void {
    const held = this.#isOpen ? this.#own : this.#shared;
    const part = (this.#isInCover ? coverParts.get(tag) : undefined) ?? this.#parts.get(tag);
    if (part === undefined) return;
    // Texts are joined; of what has parts, the first counts.
    if (paymentParts[part]!.form === 'text' || !held.has(part)) held.add(part, bytes, length);
  }

  /** MT 202 COV: after the customer that ordered the payment which it covers. */
  get #isInCover(): boolean {
    return this.#type === '202' && this.#own.has(orderingPart);
  }

  end(): void {
    const lines = this.#lines;
    this.#payments++;
    this.#paymentsOfMessage++;
    lines.integer(keys.messageNumber, this.#messages);
    lines.integer(keys.paymentNumber, this.#paymentsOfMessage);
    lines.bytes(this.#typeText);
    for (let index = 0; index < paymentParts.length; index++) {
      const held = this.#own.has(index) ? this.#own : this.#shared;
      this.#write(paymentParts[index]!, held.bytes, held.start(index), held.end(index));
    }
    lines.end();
    this.#isOpen = false;
  }

  /** `start` is that of the field, or -1 where it is absent. */
  #write({ keys: names, form }: PaymentPart, bytes: Buffer, start: number, end: number): void {
    const lines = this.#lines;
    if (start < 0) for (const each of names) lines.absent(each);
    else if (form === 'text') lines.content(names[0]!, bytes, start, end);
    else if (form === 'date') this.#writeDate(names[0]!, bytes, start, end);
    else if (form === 'number') this.#writeNumber(names[0]!, bytes, start, end);
    else if (form === 'account') lines.content(names[0]!, bytes, bytes[start] === slash ? start + 1 : start, end);
    else if (form === 'party') this.#writeParty(names, bytes, start, end);
    else if (form === 'payment') this.#writePayment(names, bytes, start, end);
    else this.#writeMoney(names, bytes, start, end);
  }

  #writeDate(each: LineKey, bytes: Buffer, start: number, end: number): void {
    const year = isDate(bytes, start, end) ? twoDigits(bytes, start) : -1;
    if (year < 0) this.#lines.content(each, bytes, start, end);
    else this.#lines.date(each, (year > lastOf2000 ? 1_900 : 2_000) + year, bytes, start + 2);
  }

  /** Digits with a comma; anything else as it is. */
  #writeNumber(each: LineKey, bytes: Buffer, start: number, end: number): void {
    if (isDecimal(bytes, start, end)) this.#lines.commaDecimal(each, bytes, start, end);
    else this.#lines.content(each, bytes, start, end);
  }

  #writePayment([date, currency, amount]: readonly LineKey[], bytes: Buffer, start: number, end: number): void {
    const at = this.#type === '101' ? start : Math.min(start + 6, end);
    if (at > start) this.#writeDate(date!, bytes, start, at);
    else this.#lines.absent(date!);
    this.#writeMoney([currency!, amount!], bytes, at, end);
  }

  /** What has another form is the amount. */
  #writeMoney([currency, amount]: readonly LineKey[], bytes: Buffer, at: number, end: number): void {
    const hasForm = at + 3 < end && areUpperLetters(bytes, at, at + 3);
    if (hasForm) this.#lines.content(currency!, bytes, at, at + 3);
    else this.#lines.absent(currency!);
    this.#writeNumber(amount!, bytes, hasForm ? at + 3 : at, end);
  }

  /** An account after a slash in the first line, then a name with its address, or an identifier code. */
  #writeParty([account, party]: readonly LineKey[], bytes: Buffer, start: number, end: number): void {
    const lines = this.#lines;
    if (bytes[start] !== slash) {
      lines.absent(account!);
      lines.content(party!, bytes, start, end);
      return;
    }
    const found = bytes.indexOf(lineFeed, start);
    const lineEnd = found < 0 || found > end ? end : found;
    lines.content(account!, bytes, start + 1, lineEnd);
    lines.content(party!, bytes, Math.min(lineEnd + 1, end), end);
  }

  trailer({ line, offset }: Pick<Place, 'line' | 'offset'>, messages: number): void {
    const lines = this.#lines;
    lines.begin('trailer', line, offset);
    lines.integer(keys.messages, messages);
    lines.integer(keys.payments, this.#payments);
    lines.end();
  }
}

function isDecimal(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] !== comma) at++;
  return areDigits(bytes, start, at) && (at + 1 >= end || areDigits(bytes, at + 1, end));
}
