/**
 * Payments (MT 101, 103, 202): amounts, dates, codes, and the network validated rules between fields. Source: Standards MT
 * Category 1 and 2, MT 101, 103 and 202.
 */
import { bicCountries } from '../../engine/reference-data/countries.ts';
import { decimalText, type Units } from '../exact-sum.ts';
import { isDate } from '../statements/byte-fields.ts';
import type { JsonValue } from '../statements/json-pieces.ts';
import type { Place } from '../statements/rule-findings.ts';
import { readMoney } from './balances.ts';
import { isoDate } from './calendar-dates.ts';
import { decimalsOf } from './decimal-amounts.ts';
import { hasForm } from './field-formats.ts';
import { FieldPlaces } from './field-places.ts';
import type { FieldText } from './field-text.ts';
import { InstructionCodes } from './instruction-codes.ts';
import type { MessageHeaders } from './message-blocks.ts';
import { partyCountries, variantOf } from './message-headers.ts';
import type { MessageContext, MessageReader } from './message-reader.ts';
import { type PaymentFacts, type PaymentType, paymentRules } from './payment-rules.ts';
import { partyProblem } from './structured-parties.ts';

const chargesCodes: ReadonlySet<string> = new Set(['BEN', 'OUR', 'SHA']);
/** Fields that end with a business identifier code. */
const identified = /^5(?:[0-9]A|0[CG])$/;
/** What is paid is money: these are traded with messages of category 6. */
const commodities: ReadonlySet<string> = new Set(['XAG', 'XAU', 'XPD', 'XPT']);
/** Between banks of these, MT 103 names the instructed amount (C2). */
const regionalCountries: ReadonlySet<string> = new Set(
  (
    'AD AT BE BG BV CH CY CZ DE DK EE ES FI FR GB GF GI GP GR HU IE IS IT LI LT LU LV MC MQ MT NL NO PL PM PT RE RO SE SI SJ SK SM TF ' +
    'VA'
  ).split(' '),
);
const operationCodes: ReadonlySet<string> = new Set(['CRED', 'CRTS', 'SPAY', 'SPRI', 'SSTD']);

const slash = 47;
const paymentBytesMax = 1_048_576;

interface Payment extends PaymentFacts {
  currency: string | null;
  isZero: boolean;
  instructedCurrency: string | null;
  firstCurrency: string | null;
  charges: string | null;
  receiverChargesCurrency: string | null;
  operation: string | null;
  hasClearingCode: boolean;
  readonly place: Place;
  readonly errorsBefore: number;
}

export class PaymentMessage implements MessageReader {
  readonly #type: PaymentType;
  readonly #context: MessageContext;
  readonly #isRegional: boolean;
  readonly #isThrough: boolean;
  #payment: Payment | null = null;
  /** Of its fields. */
  #bytes = 0;
  /** Of the payment that is read. */
  #tags = new Set<string>();
  #accounts = new Set<string>();
  #coverTags = new Set<string>();
  readonly #codes: InstructionCodes;
  readonly #places = new FieldPlaces();
  /** Of an MT 101, before its payments. */
  readonly #sharedTags = new Set<string>();
  #firstCurrency: string | null = null;

  constructor(type: PaymentType, headers: MessageHeaders, context: MessageContext) {
    this.#type = type;
    this.#context = context;
    this.#codes = new InstructionCodes(type, variantOf(headers));
    this.#isThrough = type === '103' && variantOf(headers) === 'STP';
    this.#isRegional = partyCountries(headers)?.every((country) => regionalCountries.has(country)) ?? false;
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
    this.#note(field);
    const money = hasForm(tag, field.latin1()) ? this.#check(field) : null;
    const { document } = this.#context;
    if (document.isWanted) document.element('fields', { tag, value: field.text(), ...money });
  }

  #note(field: FieldText): void {
    const { tag, bytes, length } = field;
    if (this.#payment === null) {
      this.#sharedTags.add(tag);
      return;
    }
    // Of MT 202 COV: the customer that ordered the payment begins the second sequence.
    const isCover = this.#type === '202' && (this.#coverTags.size > 0 || tag.startsWith('50'));
    (isCover ? this.#coverTags : this.#tags).add(tag);
    this.#places.add(isCover ? `+${tag}` : tag, field);
    if (length > 0 && bytes[0] === slash) this.#accounts.add(tag);
    if (tag === '56C') this.#payment.hasClearingCode = length > 1 && bytes[1] === slash;
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
    this.#tags = new Set();
    this.#accounts = new Set();
    if (this.#coverTags.size > 0) this.#coverTags = new Set();
    this.#codes.clear();
    this.#places.clear();
    this.#payment = {
      tags: this.#tags,
      accounts: this.#accounts,
      coverTags: this.#coverTags,
      isRegional: this.#isRegional,
      isThrough: this.#isThrough,
      sharedTags: this.#sharedTags,
      currency: null,
      isZero: false,
      instructedCurrency: null,
      firstCurrency: this.#firstCurrency,
      charges: null,
      receiverChargesCurrency: null,
      operation: null,
      hasClearingCode: false,
      instructions: this.#codes.seen,
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
        return this.#takeReceiverCharges(field);
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
        this.#codes.take(field.latin1(0, 4), field.length > 4, (rule, message) => this.#tell(rule, field, message));
        return null;
      case '50F':
      case '59F':
        this.#checkParty(field);
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

  #takeReceiverCharges(field: FieldText): Record<string, JsonValue> {
    const { currency, units, values } = this.#money(field, 0);
    if (this.#payment !== null) this.#payment.receiverChargesCurrency = currency;
    if (units !== null && BigInt(units) === 0n) this.#tell('amount-zero', field, 'the amount is zero');
    return values;
  }

  #money(
    field: FieldText,
    at: number,
  ): { readonly currency: string; readonly units: Units | null; readonly values: Record<string, JsonValue> } {
    const currency = field.latin1(at, at + 3);
    if (commodities.has(currency)) {
      const place = field.place(at, at + 3);
      this.#context.findings.tell('commodity', place, field.tag, `${currency} is a commodity, which messages of category 6 are for`);
    }
    const units = readMoney(field, at + 3, currency, this.#context.findings);
    const amount = units === null ? null : decimalText(BigInt(units), decimalsOf(currency));
    return { currency, units, values: { currency, amount } };
  }

  #date(field: FieldText): string | null {
    const date = isDate(field.bytes, 0, 6) ? isoDate(field.bytes, 0, 6) : null;
    if (date === null) this.#context.findings.tell('date', field.place(0, 6), field.tag, 'the date is not a day of the calendar');
    return date;
  }

  /** Of the identifier code, which is the last line. */
  #checkCountry(field: FieldText): void {
    const last = field.lineStart(field.lineCount - 1);
    if (!bicCountries.has(field.latin1(last + 4, last + 6)))
      this.#tell('identifier-country', field, 'the identifier code is of no country');
  }

  #checkParty(field: FieldText): void {
    const found = partyProblem(field.tag, field.latin1().split('\n'));
    if (found === null) return;
    const place = field.place(field.lineStart(found.line), field.lineEnd(found.line));
    this.#context.findings.tell(found.rule, place, field.tag, found.message, found.isRecent ? 'warn' : undefined);
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
    for (const { rule, types, field, at, message, isBroken } of paymentRules) {
      if (types.includes(this.#type) && isBroken(payment)) findings.tell(rule, this.#places.find(at) ?? payment.place, field, message);
    }
    if (this.#context.findings.errors > payment.errorsBefore) this.#context.totals.rejected++;
    this.#context.paymentLines?.end();
  }

  end(): void {
    this.#finish();
    this.#context.totals.countMessage(this.#type);
  }
}
