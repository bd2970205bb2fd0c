/**
 * What the row of a job keeps of its file as a whole (`jobs.totals`): damage that the splitter found, and, once the file was
 * checked, everything that the receipt, the screens and a person's decision need. Versioned JSON without record content:
 * of header and trailer only the fields that control totals look at.
 */
import type { ChunkSummary, Finding, FindingGroup } from '../../pipeline/engine/chunk.ts';
import type { FileCheck } from '../../pipeline/engine/file/file-checks.ts';
import { FindingGroups } from '../../pipeline/engine/finding-groups.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { receiptControlTotals } from '../../pipeline/ledger/control-totals.ts';
import type { SegmentPart } from './groups/chunk-parts.ts';

export interface JobTotals {
  readonly version: 1;
  readonly splitDamage: readonly Finding[];
  /** What else the splitter found; left out where it found nothing. */
  readonly split?: SplitNotes;
  /** Null until the file was checked. */
  readonly checked: CheckedTotals | null;
}

export interface SplitNotes {
  /** What a pack had to say of the file that is no reason to hold it. */
  readonly warnings?: readonly FindingGroup[];
  /** Lines that are no records. */
  readonly blankLines: number;
  readonly comments: number;
}

export interface CheckedTotals {
  readonly summary: Pick<ChunkSummary, 'warned' | 'errors' | 'warnings'>;
  readonly check: FileCheck;
  /** The exclusions grouped as findings. */
  readonly exclusionGroups: readonly FindingGroup[];
  /** Where the list of exclusions lies; null when nothing is excluded. */
  readonly exclusions: SegmentPart | null;
}

export const emptyTotals: JobTotals = { version: 1, splitDamage: [], checked: null };

/** Of records, and of the file as a whole. */
export function warningGroups(totals: Pick<JobTotals, 'split' | 'checked'> | null): FindingGroup[] {
  const groups = new FindingGroups();
  groups.addGroups(totals?.checked?.summary.warnings ?? []);
  groups.addGroups(totals?.split?.warnings ?? []);
  return groups.toGroups();
}

/** What a file's check leaves in the row. */
export function checkedTotals(
  plan: Plan,
  parts: Pick<CheckedTotals, 'summary' | 'check' | 'exclusionGroups' | 'exclusions'>,
): CheckedTotals {
  const { warned, errors, warnings } = parts.summary;
  return {
    summary: { warned, errors, warnings },
    check: { ...parts.check, controlTotals: receiptControlTotals(plan, parts.check.controlTotals) },
    exclusionGroups: parts.exclusionGroups,
    exclusions: parts.exclusions,
  };
}
