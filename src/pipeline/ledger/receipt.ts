/**
 * The receipt of a closed job: what came in, what became of every record and amount, under which definition and code, and
 * the hash of every part that backs it. It never changes. It holds no record content, so it may be kept when content is
 * erased. What it says is checked by `verification/` from the raw bytes; that it is ours, by its signature.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { ChunkContext, FieldAmounts, FindingGroup, RecordCounts } from '../engine/chunk.ts';
import type { ControlTotals } from '../engine/file/file-rules.ts';
import type { FileReason } from '../engine/file/file-verdict.ts';
import type { FlowIdentity } from '../engine/plan.ts';
import { findImbalances, type LedgerTotals, type TargetLedger } from './balance.ts';
import { ledgerErrors } from './ledger-errors.ts';

export const receiptVersion = 1;

export interface Receipt extends LedgerTotals {
  readonly receiptVersion: typeof receiptVersion;
  readonly cell: string;
  readonly region: string;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly job: {
    readonly id: string;
    readonly lineageId: string;
    readonly state: ClosedState;
    readonly verdict: 'accepted' | 'partial' | 'rejected' | 'cancelled';
    /** False: a person ended it before its file was checked; then nothing is counted, and not all chunks have been run. */
    readonly checked: boolean;
    /** The last decision of a person about it; null when nobody had to decide. */
    readonly decision: ReceiptDecision | null;
    /** Of a job that sends records of an earlier one of its lineage again. */
    readonly redrive?: ReceiptRedrive;
  };
  /** Why the flow held or rejected the file; empty when it let it through. */
  readonly reasons: readonly FileReason[];
  readonly flow: FlowIdentity;
  /** The author's text of the flow definition. */
  readonly definition: SegmentIdentity;
  readonly environment: { readonly name: string; readonly hash: string };
  readonly versions: Versions;
  readonly file: {
    /** As it was received. */
    readonly container: FileIdentity;
    /** Through which steps the file came out of it, the first undone first; none where it is the file. */
    readonly via: Unpack;
    readonly member: FileIdentity;
  };
  readonly records: RecordCounts;
  readonly warned: number;
  /** Of the rejected ones: left out by a file-scope verdict after the outputs were made (duplicates in the file, …). */
  readonly excluded: number;
  readonly amounts: {
    readonly read: FieldAmounts;
    readonly valid: FieldAmounts;
    readonly rejected: FieldAmounts;
    readonly filtered: FieldAmounts;
  };
  readonly targets: readonly TargetLedger[];
  /** As `receiptControlTotals` gives them. */
  readonly controlTotals: ControlTotals;
  readonly errors: readonly FindingGroup[];
  readonly warnings: readonly FindingGroup[];
  readonly chunks: readonly ChunkReceipt[];
  readonly exclusions: SegmentIdentity | null;
  /** The list of batches as the export holds it (`batch-list.ts`). */
  readonly batches: SegmentIdentity & { readonly count: number };
  /** From the database's clock, RFC 3339 in UTC; in this order, though it was set back in between. */
  readonly times: { readonly acceptedAt: string; readonly startedAt: string; readonly closedAt: string };
}

export interface ReceiptDecision {
  readonly kind: 'release' | 'reject' | 'cancel';
  /** Words of the person. */
  readonly reason: string;
  /** Who, as in the event log: `key:<id>`. */
  readonly actor: string;
  /** Of the event that was written with the decision, and its time on the database's clock, or that of the acceptance where the clock was set back. */
  readonly eventId: string;
  readonly at: string;
}

/** What was sent again, to where, changed how, and on whose decision. The file of such a job holds these records alone. */
export interface ReceiptRedrive {
  readonly id: string;
  /** The job whose records they are; numbers of records are those that they had there. */
  readonly ofJobId: string;
  /** Ids of the targets that they may go to; null: wherever the flow's routes lead. */
  readonly targets: readonly string[] | null;
  readonly records: number;
  /** Expression by the name of the field that it gave another text; null: the records are as they were. */
  readonly repair: Readonly<Record<string, string>> | null;
  /** Some of them may have arrived before: nobody knew. They are sent with that label. */
  readonly possibleDuplicate: boolean;
  /** Words of the person. */
  readonly reason: string;
  /** Who, as in the event log: `key:<id>`. */
  readonly actor: string;
}

export type ClosedState = 'completed' | 'completed_with_failures' | 'rejected' | 'cancelled';

/** What else would have to be equal for the same bytes to give the same result. */
export interface Versions {
  readonly headgate: string;
  /** Hash of the generated kernel, and of the sources it was generated by. */
  readonly kernel: string;
  readonly code: string;
  readonly codec: string;
  /** By name: `tzdata`, `iso4217`, … */
  readonly referenceData: Readonly<Record<string, string>>;
}

export interface FileIdentity {
  readonly name: string;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Plaintext of a stored object. */
export interface SegmentIdentity {
  readonly sha256: string;
  readonly bytes: number;
}

export interface ChunkReceipt {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly firstRecord: number;
  readonly context: ChunkContext;
  readonly records: RecordCounts;
  readonly outcomes: SegmentIdentity;
  /** Null: no record of the chunk was rejected. */
  readonly rejections: SegmentIdentity | null;
  /** By index of the plan's targets; null: no record was routed there. */
  readonly outputs: readonly (SegmentIdentity | null)[];
}

/** Fails with E_UNBALANCED: an unbalanced job has no receipt. */
export function assertBalanced(totals: LedgerTotals): void {
  const imbalances = findImbalances(totals);
  if (imbalances.length === 0) return;
  const details = imbalances.map(({ law, at, left, right }) => ({
    code: ledgerErrors.E_UNBALANCED,
    message: `${law}: ${left} is not ${right}`,
    path: at,
  }));
  throw new HeadgateError(ledgerErrors.E_UNBALANCED, `${imbalances.length} totals do not balance: ${details[0]!.message}`, { details });
}
