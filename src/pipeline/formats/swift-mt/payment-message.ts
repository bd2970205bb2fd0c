/**
 * Payments (MT 101, 103, 202): amounts, dates, codes, and the network validated rules between fields. Source: Standards MT
 * Category 1 and 2, MT 101, 103 and 202.
 */
import { decimalText, type Units } from '../statements/exact-sum.ts';
import type { JsonValue } from '../statements/json-pieces.ts';
import type { Place } from '../statements/rule-findings.ts';
import { readMoney } from './balances.ts';
import { isoDate } from './calendar-dates.ts';
import { decimalsOf } from './decimal-amounts.ts';
import { hasForm } from './field-formats.ts';
import type { FieldText } from './field-text.ts';
import type { MessageContext, MessageReader } from './message-reader.ts';

const chargesCodes: ReadonlySet<string> = new Set(['BEN', 'OUR', 'SHA']);
const operationCodes: ReadonlySet<string> = new Set(['CRED', 'CRTS', 'SPAY', 'SPRI', 'SSTD']);

/** What the rules between fields look at, of one payment. */
interface Payment {
  currency: string | null;
  instructedCurrency: string | null;
  charges: string | null;
  hasRate: boolean;
  senderCharges: boolean;
  receiverCharges: string | null;
  hasIntermediary: boolean;
  hasAccountWith: boolean;
  readonly place: Place;
  readonly errorsBefore: number;
}

export class PaymentMessage implements MessageReader {
  readonly #type: string;
  readonly #context: MessageContext;
  #payment: Payment | null = null;

  constructor(type: string, context: MessageContext) {
    this.#type = type;
    this.#context = context;
  }

  take(field: FieldText): void {
    const { tag } = field;
    // In MT 101 field 21 begins each payment; the other messages are one.
    if (this.#type === '101' ? tag === '21' : this.#payment === null) this.#begin(field);
    const money = hasForm(tag, field.latin1()) ? this.#check(field) : null;
    const { document } = this.#context;
    if (document.isWanted) document.element('fields', { tag, value: field.text(), ...money });
  }

  #begin(field: FieldText): void {
    this.#finish();
    this.#payment = {
      currency: null,
      instructedCurrency: null,
      charges: null,
      hasRate: false,
      senderCharges: false,
      receiverCharges: null,
      hasIntermediary: false,
      hasAccountWith: false,
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
        if (payment !== null) payment.senderCharges = true;
        return this.#money(field, 0).values;
      case '71G':
        if (payment !== null) payment.receiverCharges = field.latin1(0, 3);
        return this.#money(field, 0).values;
      case '30':
        return { date: this.#date(field) };
      case '36':
        if (payment !== null) payment.hasRate = true;
        if (!/^\d+,\d*$/.test(field.latin1())) this.#tell('amount', field, 'the rate is not digits with one comma');
        return null;
      case '71A':
        if (payment !== null) payment.charges = field.latin1();
        if (!chargesCodes.has(field.latin1())) this.#tell('charges-code', field, 'the code is not BEN, OUR or SHA');
        return null;
      case '23B':
        if (!operationCodes.has(field.latin1())) this.#tell('operation-code', field, 'the code is none of field 23B');
        return null;
      case '13C':
        this.#checkTime(field);
        return null;
      default:
        if (payment !== null && tag.startsWith('56')) payment.hasIntermediary = true;
        if (payment !== null && tag.startsWith('57')) payment.hasAccountWith = true;
        return null;
    }
  }

  #takeAmount(field: FieldText, at: number): Record<string, JsonValue> {
    const { totals } = this.#context;
    const date: Record<string, JsonValue> = at === 0 ? {} : { date: this.#date(field) };
    const { currency, units, values } = this.#money(field, at);
    if (this.#payment !== null) this.#payment.currency = currency;
    if (units !== null) {
      totals.add('payments', currency, units);
      // A payment of zero gives an account an instruction, such as to close it, in MT 101 only.
      if (BigInt(units) === 0n && this.#type !== '101') this.#tell('amount-zero', field, 'the amount is zero');
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
    const date = isoDate(field.bytes, 0);
    if (date === null) this.#context.findings.tell('date', field.place(0, 6), field.tag, 'the date is not a day of the calendar');
    return date;
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
    if (this.#type === '103') this.#checkCharges(payment);
    if (this.#type !== '202') this.#checkRate(payment);
    if (payment.hasIntermediary && !payment.hasAccountWith) {
      this.#rule('account-with-institution', payment, '57a', 'there is an intermediary but no account with institution');
    }
    if (this.#context.findings.errors > payment.errorsBefore) this.#context.totals.rejected++;
  }

  #checkRate(payment: Payment): void {
    const { currency, instructedCurrency, hasRate } = payment;
    if (currency === null) return;
    const isWanted = instructedCurrency !== null && instructedCurrency !== currency;
    if (isWanted !== hasRate) {
      this.#rule('exchange-rate', payment, '36', hasRate ? 'there is a rate but one currency' : 'there are two currencies but no rate');
    }
  }

  #checkCharges(payment: Payment): void {
    const { charges, senderCharges, receiverCharges, instructedCurrency, currency } = payment;
    const isWrong =
      (charges === 'OUR' && senderCharges) ||
      (charges === 'SHA' && receiverCharges !== null) ||
      (charges === 'BEN' && (!senderCharges || receiverCharges !== null));
    if (isWrong) this.#rule('charges-fields', payment, '71A', `the fields 71F and 71G are not those of ${charges}`);
    if ((senderCharges || receiverCharges !== null) && instructedCurrency === null) {
      this.#rule('instructed-amount', payment, '33B', 'there are charges but no instructed amount');
    }
    if (receiverCharges !== null && currency !== null && receiverCharges !== currency) {
      this.#rule('transaction-currency', payment, '71G', `the charges are in ${receiverCharges}, the payment in ${currency}`);
    }
  }

  #rule(rule: Parameters<MessageContext['findings']['tell']>[0], { place }: Payment, field: string, message: string): void {
    this.#context.findings.tell(rule, place, field, message);
  }

  end(): void {
    this.#finish();
    this.#context.totals.countMessage(this.#type);
  }
}
