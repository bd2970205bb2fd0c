/**
 * Counts and sums of the transactions that are written, for numbers of transactions, control sums and settlement totals that the
 * document leaves open: of the message, and of the payment information that is open. Exact; what is no amount is for the reader
 * to find.
 */
import { Buffer } from 'node:buffer';
import { currencyMinorUnits } from '../../../engine/reference-data/currencies.ts';
import type { DocumentValues } from '../../writing/document-values.ts';
import { amountText } from '../rules/exact-sum.ts';
import { roles } from '../rules/roles.ts';
import { amountScale, scaledInteger } from '../values/number-values.ts';
import type { Gap, HeldText } from './held-text.ts';

/** At least so many decimals has a sum over all currencies, as amounts of most of them. */
const sumDecimals = 2;

interface Level {
  count: number;
  /** In units of 0.00001. */
  units: bigint;
  readonly gaps: { readonly gap: Gap; readonly isCount: boolean; readonly decimals: number }[];
}

const newLevel = (): Level => ({ count: 0, units: 0n, gaps: [] });

const ofMessage: ReadonlySet<number> = new Set([roles.groupCount, roles.groupSum, roles.groupTotal]);
const ofPayment: ReadonlySet<number> = new Set([roles.paymentCount, roles.paymentSum]);

/** Whether the text of an element with this role may be left to be computed. */
export function isComputed(role: number): boolean {
  return ofMessage.has(role) || ofPayment.has(role);
}

export class TransferTotals {
  readonly #values: DocumentValues;
  readonly #text: HeldText;
  readonly #message = newLevel();
  #payment = newLevel();
  #isGroupReturned = false;

  constructor(values: DocumentValues, text: HeldText) {
    this.#values = values;
    this.#text = text;
  }

  openPayment(): void {
    this.#payment = newLevel();
  }

  closePayment(): void {
    this.#fill(this.#payment);
  }

  closeMessage(): void {
    this.#fill(this.#message);
  }

  addTransaction(): void {
    this.#message.count++;
    this.#payment.count++;
  }

  addAmount(text: string): void {
    if (!/^\s*\+?\d{1,18}(?:\.\d{0,18})?\s*$/.test(text)) return;
    const bytes = Buffer.from(text);
    const units = scaledInteger(bytes, 0, bytes.length, amountScale);
    this.#message.units += units;
    this.#payment.units += units;
  }

  /** The transactions are those of the original, which are not in the message (GrpRtr of pacs.004). */
  returnGroup(): void {
    this.#isGroupReturned = true;
  }

  /** Leaves the text of an element with a role that is computed open until it is known; `currency`: of an amount, else null. */
  leaveOpen(role: number, currency: string | null, pointer: string): void {
    const level = ofMessage.has(role) ? this.#message : this.#payment;
    const decimals = currency === null ? sumDecimals : (currencyMinorUnits.get(currency) ?? sumDecimals);
    level.gaps.push({ gap: this.#text.gap(pointer), isCount: role === roles.groupCount || role === roles.paymentCount, decimals });
  }

  #fill({ gaps, count, units }: Level): void {
    for (const { gap, isCount, decimals } of gaps.splice(0)) {
      if (this.#isGroupReturned && count === 0)
        throw this.#values.refuse(gap.pointer, 'of a group that is returned it is that of the original; give it');
      this.#text.fill(gap, isCount ? String(count) : amountText(units, decimals));
    }
  }
}
