/** What a batch or a file that is being written comes to: what its control declares. */
import { ExactSum } from '../../exact-sum.ts';
import { isCredit, isDebit, transactionCodes } from '../code-tables.ts';
import { hashModulus } from '../open-batch.ts';

export class WrittenTotals {
  /** Of a file. */
  batches = 0;
  entries = 0;
  /** Entry and addenda records. */
  records = 0;
  hash = 0;
  readonly debit = new ExactSum();
  readonly credit = new ExactSum();
  hasCredits = false;
  hasDebits = false;
  /** Every entry so far is a debit or a credit. */
  isSided = true;

  /** `text`: of a record; its second argument: the first column of the amount, and its length. */
  addEntry(text: string, [at, length]: readonly [number, number]): void {
    const bits = transactionCodes[numberIn(text.slice(1, 3))]!;
    const cents = numberIn(text.slice(at, at + length));
    this.entries++;
    this.records++;
    this.hash = (this.hash + numberIn(text.slice(3, 11))) % hashModulus;
    if ((bits & isCredit) !== 0) {
      this.hasCredits = true;
      this.credit.add(cents);
    } else if ((bits & isDebit) !== 0) {
      this.hasDebits = true;
      this.debit.add(cents);
    } else this.isSided = false;
  }

  addAddenda(): void {
    this.records++;
  }

  addBatch(batch: WrittenTotals): void {
    this.batches++;
    this.entries += batch.entries;
    this.records += batch.records;
    this.hash = (this.hash + batch.hash) % hashModulus;
    this.debit.addSum(batch.debit);
    this.credit.addSum(batch.credit);
    if (!batch.isSided) this.isSided = false;
  }

  /** Fields that a control has of them; without the totals where an entry is on neither side. */
  fields(): Readonly<Record<string, number | bigint>> {
    const counts = { entryAddendaCount: this.records, entryHash: this.hash };
    return this.isSided ? { ...counts, totalDebit: this.debit.value, totalCredit: this.credit.value } : counts;
  }
}

/** What is no number counts as zero, as in the reader. */
function numberIn(text: string): number {
  const digits = text.trim();
  return /^[0-9]+$/.test(digits) ? Number(digits) : 0;
}
