/**
 * Numbers of transactions and control sums that a document leaves to be computed: of the message and of each payment
 * information, and the total settlement amount. Sums are exact; what is no amount is for the reader to find.
 */
import { Buffer } from 'node:buffer';
import { type JsonObject, valueAt } from '../../writing/document-values.ts';
import { amountText } from '../rules/exact-sum.ts';
import { roles } from '../rules/roles.ts';
import { amountScale, scaledInteger } from '../values/number-values.ts';

/** At least so many decimals has a sum that is computed, as those of most currencies. */
const decimals = 2;

interface TransferShape {
  /** Of the list of transactions, in a payment information where the message has those. */
  readonly transactions: string;
  readonly hasPayments: boolean;
  /** Keys on the way from a transaction to its amount; the first way that leads to one counts. */
  readonly amounts: readonly (readonly string[])[];
}

const settled: TransferShape = { transactions: 'CdtTrfTxInf', hasPayments: false, amounts: [['IntrBkSttlmAmt']] };

const shapes: Readonly<Record<string, TransferShape>> = {
  'pain.001': {
    transactions: 'CdtTrfTxInf',
    hasPayments: true,
    amounts: [
      ['Amt', 'InstdAmt'],
      ['Amt', 'EqvtAmt', 'Amt'],
    ],
  },
  'pain.008': { transactions: 'DrctDbtTxInf', hasPayments: true, amounts: [['InstdAmt']] },
  'pacs.004': { transactions: 'TxInf', hasPayments: false, amounts: [['RtrdIntrBkSttlmAmt']] },
  'pacs.008': settled,
  'pacs.009': settled,
};

interface Sum {
  count: number;
  units: bigint;
}

export class TransferTotals {
  readonly #shape: TransferShape | undefined;
  readonly #content: unknown;
  #ofMessage: Sum | null = null;

  /** `content` is that of the element of the message. */
  constructor(message: string, content: unknown) {
    this.#shape = shapes[message.slice(0, 8)];
    this.#content = content;
  }

  /** Null: the message moves no money. */
  ofMessage(): Sum | null {
    const shape = this.#shape;
    if (shape === undefined) return null;
    if (this.#ofMessage !== null) return this.#ofMessage;
    const parts = shape.hasPayments ? itemsOf(this.#content, 'PmtInf') : [this.#content];
    const whole: Sum = { count: 0, units: 0n };
    for (const part of parts) {
      const { count, units } = sumOf(part, shape);
      whole.count += count;
      whole.units += units;
    }
    this.#ofMessage = whole;
    return whole;
  }

  ofPayment(payment: JsonObject): Sum | null {
    return this.#shape === undefined ? null : sumOf(payment, this.#shape);
  }
}

/** The text of an element with this role, in an object `parent`; null: it is none that is computed. */
export function computedText(role: number, totals: TransferTotals, parent: JsonObject): string | null {
  switch (role) {
    case roles.groupCount:
      return countText(totals.ofMessage());
    case roles.groupSum:
    case roles.groupTotal:
      return unitsText(totals.ofMessage());
    case roles.paymentCount:
      return countText(totals.ofPayment(parent));
    case roles.paymentSum:
      return unitsText(totals.ofPayment(parent));
    default:
      return null;
  }
}

const countText = (sum: Sum | null): string | null => (sum === null ? null : String(sum.count));
const unitsText = (sum: Sum | null): string | null => (sum === null ? null : amountText(sum.units, decimals));

function sumOf(part: unknown, { transactions, amounts }: TransferShape): Sum {
  const sum: Sum = { count: 0, units: 0n };
  for (const transaction of itemsOf(part, transactions)) {
    sum.count++;
    for (const way of amounts) {
      const text = at(transaction, [...way, '#text']);
      if (typeof text !== 'string' || !/^\s*\+?\d{1,18}(?:\.\d{0,18})?\s*$/.test(text)) continue;
      sum.units += scaledInteger(Buffer.from(text.trim()), 0, text.trim().length, amountScale);
      break;
    }
  }
  return sum;
}

function itemsOf(object: unknown, key: string): readonly unknown[] {
  const items = at(object, [key]);
  return Array.isArray(items) ? items : [];
}

function at(value: unknown, keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return null;
    found = valueAt(found as JsonObject, key);
  }
  return found;
}
