/**
 * Counts and sums of messages that move money: pain.001, pain.008, pacs.004, pacs.008 and pacs.009. Numbers of transactions and
 * control sums are compared for the message and for each payment information; a total settlement amount as well. A control sum
 * adds amounts whatever their currencies are, as its definition says.
 */

import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import { currencyText } from '../values/code-values.ts';
import { amountScale } from '../values/number-values.ts';
import { amountText, CurrencySums, ExactSum } from './exact-sum.ts';
import { Declared, type MessageRules, type RuleContext } from './message-rules.ts';
import { lowerLevel, roles, upperLevel } from './roles.ts';

interface TransferWords {
  /** Name of the total of the amounts in the summary. */
  readonly amounts: string;
  /** Path of the total settlement amount; null: the message has none. */
  readonly total: string | null;
}

export class TransferRules implements MessageRules {
  readonly #context: RuleContext;
  readonly #words: TransferWords;
  readonly #groupCount = new Declared();
  readonly #groupSum = new Declared();
  readonly #groupTotal = new Declared();
  #groupTotalCurrency = -1;
  readonly #paymentCount = new Declared();
  readonly #paymentSum = new Declared();
  readonly #sums = new CurrencySums();
  readonly #paymentAmounts = new ExactSum();
  readonly #amounts = new ExactSum();
  #records = 0;
  #rejected = 0;
  #paymentRecords = 0;
  #errorsBefore = 0;
  #isGroupReturned = false;
  #areTotalsRight = true;
  /** A bit for each element that stands at the upper level: in the group header, or in the payment information. */
  #atUpperLevel = 0;

  constructor(context: RuleContext, words: TransferWords) {
    this.#context = context;
    this.#words = words;
  }

  started(role: number, frame: ElementFrame): void {
    if (role >= upperLevel) {
      this.#checkLevels(role, frame);
      return;
    }
    if (role === roles.record) {
      this.#records++;
      this.#paymentRecords++;
      this.#errorsBefore = this.#context.errorCount;
    } else if (role === roles.payment) {
      this.#paymentCount.reset();
      this.#paymentSum.reset();
      this.#paymentAmounts.reset();
      this.#paymentRecords = 0;
      this.#atUpperLevel = 0;
    }
  }

  valued(role: number, value: CheckedValue, frame: ElementFrame): void {
    switch (role) {
      case roles.amount:
        if (value.isValid && value.currency >= 0) {
          this.#sums.add(value.currency, value.bytes, value.length);
          this.#paymentAmounts.add(value.bytes, value.length, 1);
        }
        return;
      case roles.groupCount:
        this.#groupCount.take(value, frame);
        return;
      case roles.groupSum:
        this.#groupSum.take(value, frame);
        return;
      case roles.groupTotal:
        this.#groupTotalCurrency = value.currency;
        this.#groupTotal.take(value, frame);
        return;
      case roles.groupReturn:
        this.#isGroupReturned = value.bytes.toString('latin1', 0, value.length).trim() !== 'false' && value.bytes[0] !== 0x30;
        return;
      case roles.paymentCount:
        this.#paymentCount.take(value, frame);
        return;
      case roles.paymentSum:
        this.#paymentSum.take(value, frame);
        return;
    }
  }

  ended(role: number, frame: ElementFrame): void {
    if (role === roles.record) {
      if (this.#context.errorCount > this.#errorsBefore) this.#rejected++;
    } else if (role === roles.payment) {
      if (this.#isPaymentWrong()) {
        const path = this.#context.isSchemaKept ? this.#context.pathOf(frame) : '';
        this.#compareCount(this.#paymentCount, this.#paymentRecords, 'payment-count', `${path}/NbOfTxs`);
        this.#compareSum(this.#paymentSum, this.#paymentAmounts, 'payment-sum', `${path}/CtrlSum`);
      }
      this.#amounts.merge(this.#paymentAmounts);
      this.#paymentAmounts.reset();
    }
  }

  finish(): void {
    this.#amounts.merge(this.#paymentAmounts);
    this.#paymentAmounts.reset();
    // A group that is returned as a whole counts the transactions of the original message.
    if (this.#isGroupReturned && this.#records === 0) return;
    this.#compareCount(this.#groupCount, this.#records, 'group-count', 'GrpHdr/NbOfTxs');
    this.#compareSum(this.#groupSum, this.#amounts, 'group-sum', 'GrpHdr/CtrlSum');
    if (this.#words.total !== null && this.#groupTotal.isThere) this.#compareTotal(this.#words.total);
  }

  get summary(): MessageRules['summary'] {
    const computed = { transactions: this.#records, controlSum: amountText(this.#amounts.total, 0) };
    return {
      records: { read: this.#records, rejected: this.#rejected },
      amounts: { [this.#words.amounts]: this.#sums.texts },
      controlTotals: {
        declared: {
          transactions: this.#groupCount.isThere ? this.#groupCount.text : null,
          controlSum: this.#groupSum.isThere ? this.#groupSum.text : null,
        },
        computed,
        balanced: this.#areTotalsRight,
      },
    };
  }

  #checkLevels(role: number, frame: ElementFrame): void {
    if (role < lowerLevel) this.#atUpperLevel |= 1 << (role - upperLevel);
    else if ((this.#atUpperLevel & (1 << (role - lowerLevel))) !== 0) {
      const message = `${frame.element.tag} in a transaction, and above it for all of them`;
      this.#context.report({
        rule: 'both-levels',
        message,
        at: Declared.of(frame),
        field: frame.element.tag,
        path: this.#context.pathOf(frame),
      });
    }
  }

  /** So that no path is made for payments that are right. */
  #isPaymentWrong(): boolean {
    return !this.#isCount(this.#paymentCount, this.#paymentRecords) || !this.#isSum(this.#paymentSum, this.#paymentAmounts);
  }

  #isCount(declared: Declared, records: number): boolean {
    return !declared.isThere || declared.isCount(records);
  }

  #isSum(declared: Declared, sum: ExactSum): boolean {
    return !declared.isThere || declared.isSum(sum);
  }

  #compareCount(declared: Declared, records: number, rule: string, path: string): void {
    if (this.#isCount(declared, records)) return;
    this.#refuse(rule, path, declared, `${declared.text} transactions declared, ${records} counted`);
  }

  #compareSum(declared: Declared, sum: ExactSum, rule: string, path: string): void {
    if (this.#isSum(declared, sum)) return;
    this.#refuse(rule, path, declared, `sum ${declared.text} declared, ${amountText(sum.total, 0)} computed`);
  }

  #compareTotal(path: string): void {
    const others = this.#sums.currencies.filter((currency) => currency !== this.#groupTotalCurrency);
    if (others.length > 0 && this.#groupTotalCurrency >= 0) {
      const declared = currencyText(this.#groupTotalCurrency);
      this.#refuse(
        'settlement-currency',
        path,
        this.#groupTotal,
        `total in ${declared}, but amounts in ${others.map(currencyText).join(', ')}`,
      );
      return;
    }
    const units = this.#sums.totalOf(this.#groupTotalCurrency);
    if (this.#groupTotal.units(amountScale) === units) return;
    this.#refuse('settlement-total', path, this.#groupTotal, `total ${this.#groupTotal.text} declared, ${amountText(units, 0)} computed`);
  }

  #refuse(rule: string, path: string, at: Declared, message: string): void {
    if (!this.#context.isSchemaKept) return;
    this.#areTotalsRight = false;
    this.#context.report({ rule, message, at, field: path.slice(path.lastIndexOf('/') + 1), path });
  }
}
