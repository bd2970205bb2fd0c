/**
 * Makes the receipt of a job whose deliveries have all ended, or that was rejected or cancelled: sums up what became of each
 * record and amount, holds the sums against each other, and states what backs them. Pure but for hashing.
 */
import { hash } from 'node:crypto';
import type { BatchSpan } from '../../../pipeline/deliveries/batch.ts';
import type { FileCheck } from '../../../pipeline/engine/file/file-checks.ts';
import type { Plan } from '../../../pipeline/engine/plan.ts';
import type { StageTotals } from '../../../pipeline/ledger/balance.ts';
import { composeReceipt, type TargetOutcome } from '../../../pipeline/ledger/compose-receipt.ts';
import { ledgerErrors } from '../../../pipeline/ledger/ledger-errors.ts';
import type { ChunkReceipt, ClosedState, Receipt, ReceiptDecision, SegmentIdentity } from '../../../pipeline/ledger/receipt.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SegmentPart } from '../groups/chunk-parts.ts';
import { warningGroups } from '../job-totals.ts';
import { BatchList, BatchListSummary, type ListedBatches } from './closing-batches.ts';
import type { ClosingChunk, ClosingFacts, TenantFacts } from './closing-facts.ts';

/** What this program and this place add to every receipt. */
export interface ReceiptSetting {
  readonly environment: Receipt['environment'];
  readonly versions: Receipt['versions'];
}

export interface MadeReceipt {
  readonly receipt: Receipt;
  readonly state: ClosedState;
}

type Hasher = (spans: readonly BatchSpan[]) => string;

/** Null while a delivery is open. Fails with E_UNBALANCED. */
export function makeReceipt(
  tenantId: string,
  tenant: TenantFacts,
  facts: ClosingFacts,
  setting: ReceiptSetting,
  hashRanges: Hasher,
): MadeReceipt | null {
  const { job, flow, chunks } = facts;
  const checked = job.totals?.checked ?? null;
  const listed = facts.listed ?? listBatches(facts, hashRanges);
  if (!listed.isEnded || isOpen(facts)) return null;
  const check = checked?.check ?? emptyCheck(flow.plan);
  const outcomes = flow.plan.targets.map(({ id }, index) => outcomeOf(id, listed, isStopped(facts, listed) ? check.targets[index]! : null));
  assertSameCounts(facts, outcomes);
  const state = closingState(facts, outcomes);
  const startedAt = latest(job.acceptedAt, job.startedAt ?? job.createdAt);
  const decision = decisionOf(job);
  const receipt = composeReceipt({
    plan: flow.plan,
    summary: checked === null ? { warned: 0, errors: [], warnings: [] } : { ...checked.summary, warnings: warningGroups(job.totals) },
    check,
    exclusionGroups: checked?.exclusionGroups ?? [],
    outcomes,
    stated: {
      ...setting,
      cell: tenant.cell,
      region: tenant.region,
      tenant: { id: tenantId, name: tenant.name },
      job: {
        id: job.jobId,
        lineageId: job.lineageId,
        state,
        verdict: state === 'rejected' || state === 'cancelled' ? state : check.records.rejected > 0 ? 'partial' : 'accepted',
        checked: checked !== null,
        decision: decision === null ? null : { ...decision, at: decision.at.toISOString() },
        ...(job.redrive !== null && { redrive: job.redrive }),
      },
      definition: identityOf(Buffer.from(flow.source)),
      file: {
        container: { name: job.containerName, sha256: job.containerSha256, bytes: job.containerBytes },
        via: job.via,
        member: { name: job.fileName, sha256: job.fileSha256, bytes: job.fileBytes },
      },
      chunks: chunks.map(chunkReceipt),
      exclusions: segmentIdentity(checked?.exclusions ?? null),
      batches: { ...listed.identity, count: listed.count },
      times: {
        acceptedAt: job.acceptedAt.toISOString(),
        startedAt: startedAt.toISOString(),
        closedAt: latest(tenant.now, startedAt, decision?.at ?? startedAt).toISOString(),
      },
    },
  });
  return { receipt, state };
}

type DecisionAt = Omit<ReceiptDecision, 'at'> & { readonly at: Date };

function decisionOf({ decision, reason, decidedBy, decisionEventId, decidedAt, acceptedAt }: ClosingFacts['job']): DecisionAt | null {
  if (decision === null) return null;
  return { kind: decision, reason: reason!, actor: decidedBy!, eventId: decisionEventId!, at: latest(acceptedAt, decidedAt!) };
}

/** What came later is never said to have come before, though the database's clock was set back in between. */
function latest(...times: readonly Date[]): Date {
  return new Date(Math.max(...times.map((time) => time.getTime())));
}

/** Nothing of it was or will be delivered beyond what its batches say. */
function isStopped({ job }: ClosingFacts, { count }: ListedBatches): boolean {
  return (job.state === 'rejected' || job.state === 'cancelled') && count === 0;
}

function isOpen({ job, counts }: ClosingFacts): boolean {
  if (job.state === 'rejected' || job.state === 'cancelled') return false;
  if (job.state !== 'delivering' || counts.length === 0) return true;
  return counts.some((row) => row.delivered + row.refused + row.dead + row.cancelled < row.routed);
}

function outcomeOf(target: string, listed: ListedBatches, stopped: StageTotals | null): TargetOutcome {
  const cancelled = stopped === null ? listed.totalsOf(target, 'cancelled') : { records: stopped.records, amounts: stopped.amounts };
  return {
    delivered: listed.totalsOf(target, 'delivered'),
    refused: listed.totalsOf(target, 'refused'),
    dead: listed.totalsOf(target, 'dead'),
    cancelled,
  };
}

function listBatches({ job, chunks, batches }: ClosingFacts, hashRanges: Hasher): ListedBatches {
  const list = new BatchList(job.jobId, chunks, hashRanges);
  const summary = new BatchListSummary();
  for (const batch of batches) summary.add(list.entryOf(batch));
  return summary.end();
}

/** The counts that moved with each delivery must be those of the batches: all nothing where the file was not checked. */
function assertSameCounts({ flow, counts }: ClosingFacts, outcomes: readonly TargetOutcome[]): void {
  const details = flow.plan.targets.flatMap(({ id }, index) => {
    const row = counts.find((count) => count.targetId === id);
    const outcome = outcomes[index]!;
    return (['delivered', 'refused', 'dead', 'cancelled'] as const)
      .filter((stage) => (row?.[stage] ?? 0) !== outcome[stage].records)
      .map((stage) => ({
        code: ledgerErrors.E_UNBALANCED,
        path: `targets.${id}.${stage}`,
        message: `${row?.[stage] ?? 0} were counted, ${outcome[stage].records} are in batches`,
      }));
  });
  if (details.length === 0) return;
  throw new HeadgateError(ledgerErrors.E_UNBALANCED, `${details.length} counts of deliveries are not those of the batches`, { details });
}

function closingState({ job }: ClosingFacts, outcomes: readonly TargetOutcome[]): ClosedState {
  if (job.state === 'rejected' || job.state === 'cancelled') return job.state;
  if (job.decision === 'cancel' && outcomes.some((outcome) => outcome.cancelled.records > 0)) return 'cancelled';
  // Both are dead letters: what a target refused, and what was given up.
  return outcomes.some(({ refused, dead }) => refused.records + dead.records > 0) ? 'completed_with_failures' : 'completed';
}

function emptyCheck(plan: Plan): FileCheck {
  const amounts = { read: {}, valid: {}, rejected: {}, filtered: {} };
  return {
    verdict: 'held',
    reasons: [],
    warnings: [],
    records: { read: 0, valid: 0, rejected: 0, filtered: 0 },
    excluded: 0,
    amounts,
    targets: plan.targets.map(() => ({ records: 0, amounts: {}, excluded: 0 })),
    damage: [],
    controlTotals: { declared: {}, computed: {}, balanced: null },
  };
}

function chunkReceipt({ number, start, end, firstRecord, context, records, parts }: ClosingChunk): ChunkReceipt {
  return {
    number,
    start,
    end,
    firstRecord,
    context,
    records,
    outcomes: segmentIdentity(parts.outcomes)!,
    rejections: segmentIdentity(parts.rejections),
    outputs: parts.outputs.map(segmentIdentity),
  };
}

function segmentIdentity(part: SegmentPart | null): SegmentIdentity | null {
  return part === null ? null : { sha256: part.sha256, bytes: part.end - part.start };
}

function identityOf(bytes: Buffer): SegmentIdentity {
  return { sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length };
}
