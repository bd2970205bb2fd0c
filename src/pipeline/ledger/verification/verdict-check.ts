/** Recomputes the verdict on a file as a whole: damage, header and trailer, file rules, acceptance policy. */
import type { RecordCounts } from '../../engine/chunk.ts';
import { compileFlow } from '../../engine/compile-flow.ts';
import { acceptanceReasons } from '../../engine/file/acceptance.ts';
import { tooManyRepeats } from '../../engine/file/duplicates.ts';
import { type ControlTotals, checkFileRules, countedRecords } from '../../engine/file/file-rules.ts';
import type { FileReason, Verdict } from '../../engine/file/file-verdict.ts';
import type { Plan } from '../../engine/plan.ts';
import { earlierControlTotals, receiptControlTotals } from '../control-totals.ts';
import type { Receipt, ReceiptDecision } from '../receipt.ts';
import type { RecomputedFile } from './record-check.ts';
import { comparableText, type VerificationLog } from './verification-report.ts';

export function checkVerdict(plan: Plan, file: RecomputedFile, receipt: Receipt, log: VerificationLog): void {
  const found = recomputeVerdict(plan, file, receipt);
  const at = 'verdict';
  log.equal('verdict', 'E_VERIFY_VERDICT', {
    at: 'reasons',
    stated: textsOf(receipt.reasons),
    found: [...new Set(textsOf(found.reasons))],
  });
  log.equal('control totals', 'E_VERIFY_VERDICT', {
    at: 'controlTotals',
    stated: receipt.controlTotals,
    found: found.controlTotals.find((totals) => isSame(totals, receipt.controlTotals)) ?? found.controlTotals[0],
  });
  const { verdict, decision, state } = receipt.job;
  const isAllowed = allowedVerdicts(found, file.totals.records, decision?.kind ?? null).includes(verdict);
  log.check(
    'verdict',
    isAllowed ? null : { code: 'E_VERIFY_VERDICT', at, message: `the receipt says ${verdict}, the flow gives ${found.verdict}` },
  );
  const isState =
    verdict === 'rejected' || verdict === 'cancelled' ? state === verdict : state === 'completed' || state === 'completed_with_failures';
  log.check('verdict', isState ? null : { code: 'E_VERIFY_VERDICT', at, message: `a job of verdict ${verdict} is not ${state}` });
  const hasFailures = receipt.targets.some(({ refused, dead }) => refused.records + dead.records > 0);
  const isHonest = (state === 'completed_with_failures') === hasFailures || state === 'rejected' || state === 'cancelled';
  log.check(
    'verdict',
    isHonest ? null : { code: 'E_VERIFY_VERDICT', at, message: 'the state does not say whether there are dead letters' },
  );
  const message = `a job that ended ${state} has no such outcomes at its targets`;
  log.check('verdict', isPossibleEnd(receipt) ? null : { code: 'E_VERIFY_VERDICT', at, message });
}

/** A file is rejected before a batch is cut; only a cancelled job has cancelled records, unless it had none and no batch. */
function isPossibleEnd({ job, batches, targets }: Receipt): boolean {
  const hasCancelled = targets.some(({ cancelled }) => cancelled.records > 0);
  const wasSent =
    batches.count > 0 || targets.some(({ delivered, refused, dead }) => delivered.records + refused.records + dead.records > 0);
  switch (job.state) {
    case 'rejected':
      return !wasSent;
    case 'cancelled':
      return hasCancelled || !wasSent;
    case 'completed':
    case 'completed_with_failures':
      return !hasCancelled;
  }
}

/**
 * What a person may make of it: release or reject what is held, cancel what is not over. What was cancelled after all of it
 * was delivered ends as if it had not been; a release before that may be behind it. A damaged file is never released.
 */
function allowedVerdicts(found: RecomputedVerdict, records: RecordCounts, decided: ReceiptDecision['kind'] | null): string[] {
  const isHeld = found.verdict === 'held';
  const passed = records.rejected > 0 ? 'partial' : 'accepted';
  const released = isHeld && !found.isDamaged ? [passed] : [];
  switch (decided) {
    case null:
      return isHeld ? [] : [found.verdict];
    case 'release':
      return released;
    case 'reject':
      return isHeld ? ['rejected'] : [];
    case 'cancel':
      return found.verdict === 'rejected' ? [] : [...(isHeld ? released : [passed]), 'cancelled'];
  }
}

interface RecomputedVerdict {
  readonly verdict: Verdict;
  readonly reasons: readonly FileReason[];
  /** As this version states them, then as versions before did. */
  readonly controlTotals: readonly ControlTotals[];
  /** Records of it could not be read, or lie where none may. */
  readonly isDamaged: boolean;
}

function recomputeVerdict(plan: Plan, { totals, hasTooManyRepeats }: RecomputedFile, stated: Pick<Receipt, 'reasons'>): RecomputedVerdict {
  const summary = { ...totals, targets: [], errors: [], warnings: [] };
  const rules = checkFileRules(compileFlow(plan), { summary, records: totals.records });
  const isDamaged = totals.damage.length > 0;
  const damaged = plan.acceptance.onDamage === 'reject' ? 'rejected' : 'held';
  const reasons: FileReason[] = [
    ...totals.damage.map(({ code, rule, message }): FileReason => ({ verdict: damaged, code, rule, message })),
    ...askedEnvelope(plan, envelopeReasons(plan, totals), stated),
    ...rules.reasons,
    ...(hasTooManyRepeats ? [tooManyRepeats] : []),
    ...acceptanceReasons(plan.acceptance, {
      records: totals.records,
      counted: countedRecords(plan, totals.byType, totals.records.read),
      rejectedMagnitudes: totals.rejectedMagnitudes,
      isDamaged,
    }),
  ];
  const isRejected = reasons.some((reason) => reason.verdict === 'rejected');
  const passed = totals.records.rejected > 0 ? 'partial' : 'accepted';
  const verdict = isRejected ? 'rejected' : reasons.length > 0 ? 'held' : passed;
  return {
    verdict,
    reasons,
    controlTotals: [receiptControlTotals(plan, rules.controlTotals), ...earlierControlTotals(plan, rules.controlTotals)],
    isDamaged,
  };
}

/** Of records that are sent again no header is asked for. Versions before asked, and a person released what they held. */
function askedEnvelope(plan: Plan, reasons: readonly FileReason[], stated: Pick<Receipt, 'reasons'>): readonly FileReason[] {
  if (plan.redriveTo === undefined) return reasons;
  const told = textsOf(stated.reasons);
  return reasons.filter((reason) => told.includes(textOf(reason)));
}

function envelopeReasons(plan: Plan, totals: RecomputedFile['totals']): FileReason[] {
  return (['header', 'trailer'] as const).flatMap((role) => {
    if (!plan.records.some((record) => record.role === role)) return [];
    const envelope = totals[role];
    if (envelope === null) return [held('E_TRUNCATED', `the ${role} record is missing`)];
    return envelope.findings.map(({ code, field, message }) =>
      held(code, field === null ? `${role}: ${message}` : `${role}: ${field} ${message}`),
    );
  });
}

function held(code: string, message: string): FileReason {
  return { verdict: 'held', code, rule: null, message };
}

function isSame(left: ControlTotals, right: ControlTotals): boolean {
  return comparableText(left) === comparableText(right);
}

function textsOf(reasons: readonly FileReason[]): string[] {
  return reasons.map(textOf).sort();
}

function textOf({ verdict, code, rule, message }: FileReason): string {
  return JSON.stringify([verdict, code, rule, message]);
}
