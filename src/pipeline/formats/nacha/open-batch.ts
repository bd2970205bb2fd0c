/** The batch that is being read: what its header says, and what its entries come to. */
import { ExactSum } from '../exact-sum.ts';
import type { RecordPlace } from './findings.ts';
import type { SecClass } from './sec-classes.ts';

/** Entry hashes are cut to their last ten digits. */
export const hashModulus = 10_000_000_000;

/** Of an entry, by its addenda; and of a batch, by its entries. */
export type Category = 'Forward' | 'Return' | 'NOC' | 'DishonoredReturn' | 'DishonoredReturnContested';

/** What layouts its records have. */
export type BatchKind = 'standard' | 'iat' | 'adv';

/** Numbers that cannot be read are NaN. */
export interface BatchHeaderValues {
  readonly place: RecordPlace;
  readonly sec: SecClass;
  readonly kind: BatchKind;
  readonly serviceClass: number;
  readonly companyIdentification: string;
  readonly odfi: number;
  readonly batchNumber: number;
  readonly originatorStatus: number;
  readonly isPrenotification: boolean;
  readonly isReversal: boolean;
}

export class OpenBatch {
  readonly header: BatchHeaderValues;
  readonly debit = new ExactSum();
  readonly credit = new ExactSum();
  /** Amounts with a transaction code that the Rules do not have. */
  readonly sideless = new ExactSum();
  entries = 0;
  /** Entry and addenda records. */
  records = 0;
  hash = 0;
  lastTrace = -1;
  /** Sequence number of the ADV entry before; 0: there was none. */
  lastAdvice = 0;
  /** Of the first entry. */
  category: Category | null = null;
  /** Of the first entry that is not a forward one. */
  answers: Category | null = null;
  /** An entry could not be read, so that its totals cannot be compared. */
  isComputable = true;
  /** Every entry so far is a debit or a credit. */
  isSided = true;

  constructor(header: BatchHeaderValues) {
    this.header = header;
  }

  addHash(routing: number): void {
    this.hash += routing;
    if (this.hash >= hashModulus) this.hash -= hashModulus;
  }
}
