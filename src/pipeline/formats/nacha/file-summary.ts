/** What a file comes to, for the receipt: entries, amounts, control totals, classes and kinds of its batches. */

import { decimalText, ExactSum } from '../exact-sum.ts';
import type { PackSummary } from '../pack.ts';
import { type FileAmounts, FileTotals } from './control-checks.ts';
import type { OpenBatch } from './open-batch.ts';

/** Of the file control. */
export interface DeclaredTotals {
  readonly batchCount: number;
  readonly blockCount: number;
  readonly entryAddendaCount: number;
  readonly entryHash: number;
  readonly totalDebit: bigint;
  readonly totalCredit: bigint;
}

export const currency = 'USD';
/** Digits of an amount after the point. */
const cents = 2;

export class FileSummary {
  readonly totals = new FileTotals();
  readonly amounts: FileAmounts = { debit: new ExactSum(), credit: new ExactSum(), sideless: new ExactSum() };
  declared: DeclaredTotals | null = null;
  entries = 0;
  rejectedEntries = 0;
  /** Every entry so far could be read. */
  isComputable = true;
  /** Every entry so far is a debit or a credit. */
  isSided = true;
  iatBatches = 0;
  advBatches = 0;
  readonly #batchesByClass = new Map<string, number>();
  readonly #answers = { Return: 0, NOC: 0, DishonoredReturn: 0, DishonoredReturnContested: 0 };

  addBatch(batch: OpenBatch): void {
    const { kind, sec } = batch.header;
    this.totals.add(batch, this.amounts);
    if (!batch.isComputable) this.isComputable = false;
    if (!batch.isSided) this.isSided = false;
    if (kind === 'iat') this.iatBatches++;
    else if (kind === 'adv') this.advBatches++;
    if (sec.code !== '') this.#batchesByClass.set(sec.code, (this.#batchesByClass.get(sec.code) ?? 0) + 1);
    if (batch.answers !== null && batch.answers !== 'Forward') this.#answers[batch.answers]++;
  }

  /** `records`: those without the filler. `isBalanced`: no total was found to differ. */
  of({ records, isBalanced }: { readonly records: number; readonly isBalanced: boolean }): PackSummary {
    const { declared } = this;
    const debit = decimalText(this.amounts.debit.value, cents);
    const credit = decimalText(this.amounts.credit.value, cents);
    return {
      records: { read: this.entries, rejected: this.rejectedEntries },
      amounts: { credit: { [currency]: credit }, debit: { [currency]: debit } },
      controlTotals: {
        declared: {
          batchCount: declared?.batchCount ?? null,
          blockCount: declared?.blockCount ?? null,
          entryAddendaCount: declared?.entryAddendaCount ?? null,
          entryHash: declared?.entryHash ?? null,
          totalDebit: declared === null ? null : decimalText(declared.totalDebit, cents),
          totalCredit: declared === null ? null : decimalText(declared.totalCredit, cents),
        },
        computed: {
          batchCount: this.totals.batches,
          blockCount: Math.ceil(records / 10),
          entryAddendaCount: this.totals.records,
          entryHash: this.totals.hash,
          totalDebit: debit,
          totalCredit: credit,
        },
        balanced: declared !== null && this.isComputable && this.isSided && isBalanced,
      },
      details: {
        batches: this.totals.batches,
        secCodes: Object.fromEntries(this.#batchesByClass),
        iatBatches: this.iatBatches,
        advBatches: this.advBatches,
        returnBatches: this.#answers.Return,
        nocBatches: this.#answers.NOC,
        dishonoredReturnBatches: this.#answers.DishonoredReturn,
        contestedReturnBatches: this.#answers.DishonoredReturnContested,
      },
    };
  }
}
