/** Compares the totals of a receipt with the recomputed ones: records, amounts, findings, and what became of each target's lines. */
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts, FindingGroup } from '../../engine/chunk.ts';
import { detailedGroupsMax } from '../../engine/finding-groups.ts';
import { isSameAmounts, type StageTotals } from '../balance.ts';
import type { Receipt } from '../receipt.ts';
import type { TargetOutcomes } from './batch-check.ts';
import type { PackFindings } from './container-check.ts';
import type { RecomputedFile } from './record-check.ts';
import type { VerificationLog } from './verification-report.ts';

export interface TotalsCheck {
  readonly receipt: Receipt;
  readonly found: RecomputedFile;
  readonly outcomes: readonly TargetOutcomes[];
  readonly ofPack: Pick<PackFindings, 'isStated' | 'isOfPack'>;
  readonly log: VerificationLog;
}

export function checkTotals(check: TotalsCheck): void {
  const { receipt, found, log } = check;
  const { totals } = found;
  log.equal('record counts', 'E_VERIFY_RECORDS', { at: 'records', stated: receipt.records, found: totals.records });
  log.equal('record counts', 'E_VERIFY_RECORDS', { at: 'warned', stated: receipt.warned, found: totals.warned });
  log.equal('record counts', 'E_VERIFY_RECORDS', { at: 'excluded', stated: receipt.excluded, found: found.exclusions.length });
  for (const stage of ['read', 'valid', 'rejected', 'filtered'] as const) {
    checkAmounts(log, `amounts.${stage}`, receipt.amounts[stage], totals.amounts[stage]);
  }
  checkGroups(log, 'errors', receipt.errors, found.errors);
  const isCompared = ({ code, rule }: FindingGroup): boolean => !(check.ofPack.isStated && check.ofPack.isOfPack({ code, rule }));
  checkGroups(log, 'warnings', receipt.warnings.filter(isCompared), found.warnings.filter(isCompared));
  for (const index of receipt.targets.keys()) checkTarget(check, index);
}

function checkTarget({ receipt, found, outcomes, log }: TotalsCheck, index: number): void {
  const stated = receipt.targets[index]!;
  const routed = found.totals.targets[index];
  const became = outcomes[index];
  if (routed === undefined || became === undefined) return;
  checkStage(log, `targets.${stated.id}.routed`, stated.routed, routed);
  for (const stage of ['delivered', 'refused', 'dead'] as const)
    checkStage(log, `targets.${stated.id}.${stage}`, stated[stage], became[stage]);
  const isStopped = receipt.job.state === 'rejected' || receipt.job.state === 'cancelled';
  const cancelled = isStopped ? join(became.cancelled, became.unbatched) : became.cancelled;
  checkStage(log, `targets.${stated.id}.cancelled`, stated.cancelled, cancelled);
  const isComplete = isStopped || became.unbatched.records === 0;
  const message = `${became.unbatched.records} records that were to be delivered are in no batch`;
  log.check('batches', isComplete ? null : { code: 'E_VERIFY_BATCHES', at: `target ${stated.id}`, message });
}

function checkStage(log: VerificationLog, at: string, stated: StageTotals, found: StageTotals): void {
  log.equal('targets', 'E_VERIFY_TARGET', { at, stated: stated.records, found: found.records });
  checkAmounts(log, at, stated.amounts, found.amounts);
}

function checkAmounts(log: VerificationLog, at: string, stated: FieldAmounts, found: FieldAmounts): void {
  const message = 'the amounts are not those of the raw file';
  log.check('amounts', isSameAmounts(stated, found) ? null : { code: 'E_VERIFY_AMOUNTS', at, message });
}

function join(left: StageTotals, right: StageTotals): StageTotals {
  return { records: left.records + right.records, amounts: addAmounts(left.amounts, right.amounts) };
}

function checkGroups(log: VerificationLog, at: string, stated: readonly FindingGroup[], found: readonly FindingGroup[]): void {
  // From here on, findings are grouped more coarsely, in an order that the chunks decide; only counts per code are the same then.
  const isCoarse = found.length >= detailedGroupsMax;
  const seen = isCoarse ? countsByCode : (groups: readonly FindingGroup[]) => groups.map(textOf).sort();
  log.equal('finding groups', 'E_VERIFY_REJECTIONS', { at, stated: seen(stated), found: seen(found) });
}

function countsByCode(groups: readonly FindingGroup[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { code, count } of groups) counts.set(code, (counts.get(code) ?? 0) + count);
  // An object that has whatever key it is given, `__proto__` too.
  return Object.fromEntries(counts);
}

function textOf({ code, field, rule, count, firstOffset, message }: FindingGroup): string {
  return JSON.stringify([code, field, rule, count, firstOffset, message]);
}
