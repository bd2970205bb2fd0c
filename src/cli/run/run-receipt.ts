/**
 * The receipt of `headgate run` and the description of its outcomes file: plain documents made from what the engine
 * counted. Unsigned: a job of the platform has a signed one. Amounts are decimal text, never numbers.
 */
import { currencyTexts } from '../../pipeline/engine/amount-texts.ts';
import type { ChunkSummary, FieldAmounts, FindingGroup } from '../../pipeline/engine/chunk.ts';
import type { FileCheck } from '../../pipeline/engine/file/file-checks.ts';
import type { ControlTotals } from '../../pipeline/engine/file/file-rules.ts';
import { outcomeStatus, statusMask, warnedFlag } from '../../pipeline/engine/outcomes/outcome-columns.ts';
import { type OutcomeSegment, outcomeSegmentVersion } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { ExclusionList } from './exclusions.ts';

/** Field, then currency, then decimal text. */
export type AmountTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ReceiptFinding {
  readonly code: string;
  readonly field?: string;
  readonly rule?: string;
  readonly offset?: number;
  readonly count: number;
  readonly message: string;
}

export interface RunReceipt {
  readonly flow: string;
  readonly flowVersion: string;
  readonly flowHash: string;
  readonly file: { readonly name: string; readonly sha256: string; readonly bytes: number };
  readonly records: FileCheck['records'];
  /** `count` records are in the target's file; `routed` would be, had the file been accepted and nothing excluded. */
  readonly byTarget: Readonly<
    Record<string, { readonly count: number; readonly amounts: AmountTexts; readonly routed: number; readonly excluded: number }>
  >;
  readonly amounts: {
    readonly read: AmountTexts;
    readonly valid: AmountTexts;
    readonly rejected: AmountTexts;
    readonly filtered: AmountTexts;
    /** Records whose amount could not be read, by field. */
    readonly unreadable: Readonly<Record<string, number>>;
  };
  readonly controlTotals: ControlTotals;
  readonly verdict: FileCheck['verdict'];
  readonly errors: readonly ReceiptFinding[];
  readonly warnings: readonly ReceiptFinding[];
}

const groupsMax = 1_000;

export interface ReceiptParts {
  readonly check: FileCheck;
  readonly summary: ChunkSummary;
  readonly exclusions: ExclusionList;
  /** About the file as a whole, of its pack. */
  readonly packWarnings: readonly FindingGroup[];
}

export function makeReceipt(plan: Plan, file: RunReceipt['file'], parts: ReceiptParts): RunReceipt {
  const { check, summary, exclusions, packWarnings } = parts;
  const isDelivered = check.verdict === 'accepted' || check.verdict === 'partial';
  const byTarget = plan.targets.map((target, index) => {
    const { records, amounts, excluded } = check.targets[index]!;
    const routed = summary.targets[index]!.records;
    return [
      target.id,
      isDelivered ? { count: records, amounts: amountTexts(amounts), routed, excluded } : { count: 0, amounts: {}, routed, excluded },
    ] as const;
  });
  return {
    flow: plan.flow.name,
    flowVersion: plan.flow.version,
    flowHash: plan.flow.hash,
    file,
    records: check.records,
    byTarget: Object.fromEntries(byTarget),
    amounts: {
      read: amountTexts(check.amounts.read),
      valid: amountTexts(check.amounts.valid),
      rejected: amountTexts(check.amounts.rejected),
      filtered: amountTexts(check.amounts.filtered),
      unreadable: Object.fromEntries(Object.entries(check.amounts.read).map(([field, { unreadable }]) => [field, unreadable])),
    },
    controlTotals: check.controlTotals,
    verdict: check.verdict,
    errors: receiptErrors(check, summary, exclusions),
    warnings: [
      ...check.warnings.map(({ code, rule, message }) => ({ code, rule, count: 1, message })),
      ...packWarnings.map(groupFinding),
      ...summary.warnings.map(groupFinding),
    ].slice(0, groupsMax),
  };
}

/** What concerns the file as a whole: damage at its place, then why else it is held or rejected. */
export function fileFindings(check: FileCheck): ReceiptFinding[] {
  const damaged = new Set(check.damage.map(({ code }) => code));
  const damage = check.damage.map(({ code, offset, field, rule, message }) => ({
    code,
    ...(field === null ? {} : { field }),
    ...(rule === null ? {} : { rule }),
    offset,
    count: 1,
    message,
  }));
  const reasons = check.reasons
    .filter(({ code }) => !damaged.has(code))
    .map(({ code, rule, message }) => ({ code, ...(rule === null ? {} : { rule }), count: 1, message }));
  return [...damage, ...reasons];
}

/** What concerns the file as a whole first, then the records' findings by their first place. */
function receiptErrors(check: FileCheck, summary: ChunkSummary, exclusions: ExclusionList): ReceiptFinding[] {
  const groups = [...summary.errors, ...exclusions.groups()].sort((a, b) => a.firstOffset - b.firstOffset);
  return [...fileFindings(check), ...groups.map(groupFinding)].slice(0, groupsMax);
}

function groupFinding({ code, field, rule, count, firstOffset, message }: FindingGroup): ReceiptFinding {
  return { code, ...(field === null ? {} : { field }), ...(rule === null ? {} : { rule }), offset: firstOffset, count, message };
}

function amountTexts(amounts: FieldAmounts): AmountTexts {
  return Object.fromEntries(Object.entries(amounts).map(([field, sum]) => [field, currencyTexts(sum)]));
}

/** Makes outcomes.bin readable without this program. */
export function describeOutcomes(plan: Plan, chunks: readonly { readonly outcomes: OutcomeSegment }[], starts: readonly number[]): unknown {
  return {
    file: 'outcomes.bin',
    version: outcomeSegmentVersion,
    layout:
      'Segments one behind the other, little-endian. Each: "HGOS", version u8, three zero bytes, header length u32, JSON header padded with spaces to a multiple of 8; then columns, each padded ' +
      'with zeros to a multiple of 8: status u8, route set u16, offset u32 (from chunkStart); then for each index of the header its key hashes (u64, rising) and the positions of their records in the chunk (u32).',
    status: { ...outcomeStatus, mask: statusMask, warnedFlag },
    hash: { algorithm: 'siphash-2-4', key: 'public' },
    targets: plan.targets.map((target) => target.id),
    segments: chunks.map(({ outcomes }, index) => ({
      start: starts[index],
      bytes: outcomes.bytes,
      firstRecord: outcomes.header.firstRecord,
      records: outcomes.header.records,
      chunkStart: outcomes.header.chunkStart,
      routeSets: outcomes.header.routeSets,
      indexes: outcomes.header.indexes,
    })),
  };
}
