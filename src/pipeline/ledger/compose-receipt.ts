/**
 * Puts a receipt together from what the engine summed up, what the file's check decided and what became of the batches, so
 * that the job that closes and the verifier that recomputes agree on what each figure means.
 */
import type { ChunkSummary, FindingGroup } from '../engine/chunk.ts';
import type { FileCheck } from '../engine/file/file-checks.ts';
import { FindingGroups } from '../engine/finding-groups.ts';
import type { Plan } from '../engine/plan.ts';
import type { StageTotals } from './balance.ts';
import { receiptControlTotals } from './control-totals.ts';
import { assertBalanced, type Receipt, receiptVersion } from './receipt.ts';

/** What the job's rows know and nothing here computes. */
export type StatedFacts = Pick<
  Receipt,
  'cell' | 'region' | 'tenant' | 'job' | 'definition' | 'environment' | 'versions' | 'file' | 'chunks' | 'exclusions' | 'batches' | 'times'
>;

/** What became of the lines of one target's segments, excluded ones left out. */
export interface TargetOutcome {
  readonly delivered: StageTotals;
  readonly refused: StageTotals;
  readonly dead: StageTotals;
  readonly cancelled: StageTotals;
}

export interface ReceiptParts {
  readonly stated: StatedFacts;
  readonly plan: Plan;
  /** Of all chunks, folded. */
  readonly summary: Pick<ChunkSummary, 'warned' | 'errors' | 'warnings'>;
  readonly check: Pick<FileCheck, 'records' | 'excluded' | 'amounts' | 'targets' | 'reasons' | 'controlTotals'>;
  /** The exclusions grouped as findings (`ExclusionGroups`). */
  readonly exclusionGroups: readonly FindingGroup[];
  /** By index of the plan's targets. */
  readonly outcomes: readonly TargetOutcome[];
}

/** Fails with E_UNBALANCED. */
export function composeReceipt(parts: ReceiptParts): Receipt {
  const { stated, plan, summary, check, outcomes } = parts;
  const errors = new FindingGroups();
  errors.addGroups(summary.errors);
  errors.addGroups(parts.exclusionGroups);
  const receipt: Receipt = {
    receiptVersion,
    ...stated,
    flow: plan.flow,
    reasons: check.reasons,
    records: check.records,
    warned: summary.warned,
    excluded: check.excluded,
    amounts: check.amounts,
    targets: plan.targets.map(({ id }, index) => {
      const { records, amounts } = check.targets[index]!;
      const { delivered, refused, dead, cancelled } = outcomes[index]!;
      return { id, routed: { records, amounts }, delivered, refused, dead, cancelled };
    }),
    controlTotals: receiptControlTotals(plan, check.controlTotals),
    errors: errors.toGroups(),
    warnings: summary.warnings,
  };
  assertBalanced(receipt);
  return receipt;
}

/** Exclusions as a receipt's errors count them. */
export class ExclusionGroups {
  readonly #groups = new FindingGroups();

  add(exclusion: { readonly offset: number; readonly code: string; readonly field: string }): void {
    const { offset, code, field } = exclusion;
    this.#groups.add({ offset, code, field, rule: null, message: 'an earlier record of the file has the same value' });
  }

  toGroups(): FindingGroup[] {
    return this.#groups.toGroups();
  }
}
