/**
 * Judges a file as a whole once all its chunks are done: damage, header and trailer, duplicates, file rules (control
 * totals), acceptance policy. Its verdict comes after the outputs and decides what becomes of them.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { addAmounts, withoutSigns } from '../amount-totals.ts';
import type { ChunkSummary, EnvelopeRecord, FieldAmounts, Finding, RecordCounts } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { acceptanceReasons } from './acceptance.ts';
import { type Exclusion, findDuplicates, tooManyRepeats } from './duplicates.ts';
import { ExcludedWarnings } from './excluded-warnings.ts';
import { type ControlTotals, checkFileRules, countedRecords } from './file-rules.ts';
import type { FileReason, Verdict } from './file-verdict.ts';
import { type FinishedChunk, FinishedChunks } from './finished-chunks.ts';
import { rejectedMagnitudesOf } from './fold-summaries.ts';
import { knownHeader } from './known-header.ts';

export interface FileInput {
  /** Of all chunks, folded. */
  readonly summary: ChunkSummary;
  readonly chunks: readonly FinishedChunk[];
  readonly source: ByteSource;
  /** What the splitter found, in addition to the chunks' own. */
  readonly damage?: readonly Finding[];
  /** Called in record order, possibly often. */
  onExclusion(exclusion: Exclusion): void;
}

export interface FileCheck {
  readonly verdict: Verdict;
  readonly reasons: readonly FileReason[];
  /** Failed file rules of severity `warn`. */
  readonly warnings: readonly { readonly code: string; readonly rule: string; readonly message: string }[];
  /** Excluded records count as rejected here. */
  readonly records: RecordCounts;
  readonly excluded: number;
  readonly amounts: {
    readonly read: FieldAmounts;
    readonly valid: FieldAmounts;
    readonly rejected: FieldAmounts;
    readonly filtered: FieldAmounts;
  };
  /** By target index: what is left to deliver if the file goes through. */
  readonly targets: readonly { readonly records: number; readonly amounts: FieldAmounts; readonly excluded: number }[];
  readonly damage: readonly Finding[];
  readonly controlTotals: ControlTotals;
}

export interface JudgedFile {
  readonly check: FileCheck;
  /** That of all chunks, without the warnings of excluded records. */
  readonly summary: ChunkSummary;
}

/** Reads the source again only where hashes of unique fields meet. */
export function checkFile(flow: CompiledFlow, input: FileInput): JudgedFile {
  const { rejectedMagnitudes, hasTooManyRepeats, warnings, ...totals } = excludeDuplicates(flow, input);
  const damage = [...(input.damage ?? []), ...input.summary.damage];
  const rules = checkFileRules(flow, { summary: input.summary, records: totals.records });
  const damaged = flow.plan.acceptance.onDamage === 'reject' ? 'rejected' : 'held';
  const reasons = [
    ...damage.map(({ code, rule, message }): FileReason => ({ verdict: damaged, code, rule, message })),
    ...envelopeReasons(flow, input.summary),
    ...rules.reasons,
    ...(hasTooManyRepeats ? [tooManyRepeats] : []),
    ...acceptanceReasons(flow.plan.acceptance, {
      records: totals.records,
      counted: countedRecords(flow.plan, input.summary.byType, totals.records.read),
      rejectedMagnitudes,
      isDamaged: damage.length > 0,
    }),
  ];
  const check = {
    ...totals,
    verdict: decide(reasons, totals.records),
    reasons: distinct(reasons),
    warnings: rules.warnings,
    damage,
    controlTotals: rules.controlTotals,
  };
  return { check, summary: { ...input.summary, ...warnings } };
}

function decide(reasons: readonly FileReason[], records: RecordCounts): Verdict {
  if (reasons.some((entry) => entry.verdict === 'rejected')) return 'rejected';
  if (reasons.length > 0) return 'held';
  return records.rejected > 0 ? 'partial' : 'accepted';
}

function distinct(reasons: readonly FileReason[]): FileReason[] {
  return [...new Map(reasons.map((entry) => [JSON.stringify(entry), entry])).values()];
}

function reason(verdict: FileReason['verdict'], code: string, message: string): FileReason {
  return { verdict, code, rule: null, message };
}

interface KeptTotals extends Pick<FileCheck, 'records' | 'excluded' | 'amounts' | 'targets'> {
  /** Of a flow that limits them. */
  readonly rejectedMagnitudes: FieldAmounts;
  /** No record is excluded then. */
  readonly hasTooManyRepeats: boolean;
  readonly warnings: Pick<ChunkSummary, 'warned' | 'warnings'>;
}

function excludeDuplicates(flow: CompiledFlow, input: FileInput): KeptTotals {
  const { summary } = input;
  const chunks = new FinishedChunks(flow, input.chunks, input.source, knownHeader(summary) ?? null);
  const excludedWarnings = new ExcludedWarnings();
  let { valid, rejected } = summary.amounts;
  const isLimited = flow.plan.acceptance.maxInvalidAmount !== null;
  let rejectedMagnitudes = rejectedMagnitudesOf(summary);
  const targets = summary.targets.map((target) => ({ records: target.records, amounts: target.amounts, excluded: 0 }));
  let excluded = 0;
  const exclusions = findDuplicates(flow, chunks);
  for (const { exclusion, warnings } of exclusions ?? []) {
    excluded++;
    excludedWarnings.add(exclusion, warnings);
    valid = addAmounts(valid, exclusion.amounts, -1);
    rejected = addAmounts(rejected, exclusion.amounts);
    if (isLimited) rejectedMagnitudes = addAmounts(rejectedMagnitudes, withoutSigns(exclusion.amounts));
    for (const index of exclusion.targets) {
      const target = targets[index]!;
      target.records--;
      target.excluded++;
      target.amounts = addAmounts(target.amounts, exclusion.amounts, -1);
    }
    input.onExclusion(exclusion);
  }
  const { read, filtered } = summary.records;
  return {
    records: { read, valid: summary.records.valid - excluded, rejected: summary.records.rejected + excluded, filtered },
    excluded,
    amounts: { ...summary.amounts, valid, rejected },
    rejectedMagnitudes,
    targets,
    hasTooManyRepeats: exclusions === null,
    warnings: excludedWarnings.takeFrom(summary, chunks),
  };
}

/** A header or trailer that is missing or unreadable leaves the file without its own account of itself. Of records that are sent again none is asked for. */
function envelopeReasons(flow: CompiledFlow, summary: ChunkSummary): FileReason[] {
  if (flow.plan.redriveTo !== undefined) return [];
  return (['header', 'trailer'] as const).flatMap((role) => {
    if (!flow.plan.records.some((record) => record.role === role)) return [];
    const envelope: EnvelopeRecord | null = summary[role];
    if (envelope === null) return [reason('held', fileErrors.E_TRUNCATED, `the ${role} record is missing`)];
    return envelope.findings.map((finding) =>
      reason('held', finding.code, `${role}: ${finding.field === null ? finding.message : `${finding.field} ${finding.message}`}`),
    );
  });
}
