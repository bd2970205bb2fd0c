/**
 * Payments (MT 101, 103, 202): amounts, dates, codes, and the network validated rules between fields. Source: Standards MT
 * Category 1 and 2, MT 101, 103 and 202.
 */
import { bicCountries } from '../../engine/reference-data/countries.ts';
import { decimalText, type Units } from '../exact-sum.ts';
import type { JsonValue } from '../statements/json-pieces.ts';
import type { Place } from '../statements/rule-findings.ts';
import { readMoney } from './balances.ts';
import { isoDate } from './calendar-dates.ts';
import { decimalsOf } from './decimal-amounts.ts';
import { hasForm } from './field-formats.ts';
import type { FieldText } from './field-text.ts';
import type { MessageContext, MessageReader } from './message-reader.ts';
import { type PaymentFacts, type PaymentType, paymentRules } from './payment-rules.ts';

const chargesCodes: ReadonlySet<string> = new Set(['BEN', 'OUR', 'SHA']);
/** Fields that end with a business identifier code. */
const identified = /^5(?:[0-9]A|0[CG])$/;
/** MT 202 has no field 23E. */
const instructionCodes: Readonly<Record<PaymentType, ReadonlySet<string>>> = {
  '101': new Set(['CHQB', 'CMSW', 'CMTO', 'CMZB', 'CORT', 'EQUI', 'INTC', 'NETS', 'OTHR', 'PHON', 'REPA', 'RTGS', 'URGP']),
  '103': new Set(['CHQB', 'CORT', 'HOLD', 'INTC', 'PHOB', 'PHOI', 'PHON', 'REPA', 'SDVA', 'TELB', 'TELE', 'TELI']),
  '202': new Set(),
};
const operationCodes: ReadonlySet<string> = new Set(['CRED', 'CRTS', 'SPAY', 'SPRI', 'SSTD']);

const paymentBytesMax = 1_048_576;

interface Payment extends PaymentFacts {
  readonly tags: Set<string>;
  readonly instructions: string[];
  currency: string | null;
  isZero: boolean;
  instructedCurrency: string | null;
  firstCurrency: string | null;
  charges: string | null;
  receiverChargesCurrency: string | null;
  operation: string | null;
  readonly place: Place;
  readonly errorsBefore: number;
}

export class PaymentMessage implements MessageReader {
  readonly #type: PaymentType;
  readonly #context: MessageContext;
  #payment: Payment | null = null;
  /** Of its fields. */
  #bytes = 0;
  /** Of an MT 101, before its payments. */
  readonly #sharedTags = new Set<string>();
  #firstCurrency: string | null = null;

  constructor(type: PaymentType, context: MessageContext) {
    this.#type = type;
    this.#context = context;
    context.paymentLines?.beginMessage(type);
  }

  /** In MT 101 field 21 begins each payment; the other messages are one. */
  leave(tag: string): void {
    if (this.#type === '101' && tag === '21') this.#finish();
  }

  enter(field: FieldText): void {
    if (this.#type === '101' ? field.tag === '21' : this.#payment === null) this.#begin(field);
  }

  take(field: FieldText): void {
    const { tag } = field;
    this.#keep(field);
    (this.#payment?.tags ?? this.#sharedTags).add(tag);
    const money = hasForm(tag, field.latin1()) ? this.#check(field) : null;
    const { document } = this.#context;
    if (document.isWanted) document.element('fields', { tag, value: field.text(), ...money });
  }

  /** What is more than fits is told once. */
  #keep(field: FieldText): void {
    const { findings, paymentLines } = this.#context;
    const before = this.#bytes;
    this.#bytes += field.length;
    if (this.#bytes <= paymentBytesMax) paymentLines?.add(field);
    else if (before <= paymentBytesMax)
      findings.tell('field-size', field.place(), field.tag, `the fields of the payment are longer than ${paymentBytesMax} bytes together`);
  }

  #begin(field: FieldText): void {
    this.#bytes = 0;
    this.#context.paymentLines?.begin(field.tagLine, field.tagOffset);
    this.#payment = {
      tags: new Set(),
      sharedTags: this.#sharedTags,
      currency: null,
      isZero: false,
      instructedCurrency: null,
      firstCurrency: this.#firstCurrency,
      charges: null,
      receiverChargesCurrency: null,
      operation: null,
      instructions: [],
      place: field.place(),
      errorsBefore: this.#context.findings.errors,
    };
    this.#context.totals.read++;
  }

  /** Gives what of the field the document has apart from its text. */
  #check(field: FieldText): Record<string, JsonValue> | null {
    const { tag } = field;
    const payment = this.#payment;
    switch (tag) {
      case '32A':
        return this.#takeAmount(field, 6);
      case '32B':
        return this.#takeAmount(field, 0);
      case '33B':
        if (payment !== null) payment.instructedCurrency = field.latin1(0, 3);
        return this.#money(field, 0).values;
      case '71F':
        return this.#money(field, 0).values;
      case '71G':
        if (payment !== null) payment.receiverChargesCurrency = field.latin1(0, 3);
        return this.#money(field, 0).values;
      case '30':
        return { date: this.#date(field) };
      case '36':
        if (!/^\d+,\d*$/.test(field.latin1())) this.#tell('amount', field, 'the rate is not digits with one comma');
        return null;
      case '71A':
        if (payment !== null) payment.charges = field.latin1();
        if (!chargesCodes.has(field.latin1())) this.#tell('charges-code', field, 'the code is not BEN, OUR or SHA');
        return null;
      case '23B':
        if (payment !== null) payment.operation = field.latin1();
        if (!operationCodes.has(field.latin1())) this.#tell('operation-code', field, 'the code is none of field 23B');
        return null;
      case '13C':
        this.#checkTime(field);
        return null;
      case '23E':
        payment?.instructions.push(field.latin1(0, 4));
        if (!instructionCodes[this.#type].has(field.latin1(0, 4))) this.#tell('instruction-code', field, 'the code is none of field 23E');
        return null;
      default:
        if (identified.test(tag)) this.#checkCountry(field);
        return null;
    }
  }

  #takeAmount(field: FieldText, at: number): Record<string, JsonValue> {
    const { totals } = this.#context;
    const date: Record<string, JsonValue> = at === 0 ? {} : { date: this.#date(field) };
    const { currency, units, values } = this.#money(field, at);
    this.#firstCurrency ??= currency;
    if (this.#payment !== null) Object.assign(this.#payment, { currency, firstCurrency: this.#firstCurrency });
    if (units !== null) {
      totals.add('payments', currency, units);
      // A payment of zero gives an account an instruction, such as to close it, in MT 101 only.
      const isZero = BigInt(units) === 0n;
      if (this.#payment !== null) this.#payment.isZero = isZero;
      if (isZero && this.#type !== '101') this.#tell('amount-zero', field, 'the amount is zero');
    }
    return { ...date, ...values };
  }

  #money(
    field: FieldText,
    at: number,
  ): { readonly currency: string; readonly units: Units | null; readonly values: Record<string, JsonValue> } {
    const currency = field.latin1(at, at + 3);
    const units = readMoney(field, at + 3, currency, this.#context.findings);
    const amount = units === null ? null : decimalText(BigInt(units), decimalsOf(currency));
    return { currency, units, values: { currency, amount } };
  }

  #date(field: FieldText): string | null {
    const date = isoDate(field.bytes, 0, field.length);
    if (date === null) this.#context.findings.tell('date', field.place(0, 6), field.tag, 'the date is not a day of the calendar');
    return date;
  }

  /** Of the identifier code, which is the last line. */
  #checkCountry(field: FieldText): void {
    const last = field.lineStart(field.lineCount - 1);
    if (!bicCountries.has(field.latin1(last + 4, last + 6)))
      this.#tell('identifier-country', field, 'the identifier code is of no country');
  }

  /** `/8c/HHmm`, a sign, and an offset. */
  #checkTime(field: FieldText): void {
    const [, hour, minute, offsetHour, offsetMinute] = /^\/[A-Z0-9]+\/(\d\d)(\d\d)[+-](\d\d)(\d\d)$/.exec(field.latin1())!.map(Number);
    if (hour! > 23 || minute! > 59 || offsetHour! > 13 || offsetMinute! > 59) this.#tell('time', field, 'the time or its offset is none');
  }

  #tell(rule: Parameters<MessageContext['findings']['tell']>[0], field: FieldText, message: string): void {
    this.#context.findings.tell(rule, field.place(), field.tag, message);
  }

  #finish(): void {
    const payment = this.#payment;
    if (payment === null) return;
    this.#payment = null;
    const { findings } = this.#context;
    for (const { rule, types, field, message, isBroken } of paymentRules) {
      if (types.includes(this.#type) && isBroken(payment)) findings.tell(rule, payment.place, field, message);
    }
    if (this.#context.findings.errors > payment.errorsBefore) this.#context.totals.rejected++;
    this.#context.paymentLines?.end();
  }

  end(): void {
    this.#finish();
    this.#context.totals.countMessage(this.#type);
  }
}
