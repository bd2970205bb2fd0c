/**
 * Joins the summaries of consecutive chunks. Associative: folding in any grouping gives the same result, so a coordinator
 * may fold as chunks finish. Stripes are shifted as if the segments stood one behind the other.
 */
import { addAmounts, withoutSigns } from '../amount-totals.ts';
import type { ChunkSummary, EnvelopeRecord, FieldAmounts, Finding, FindingGroup, TargetTotals } from '../chunk.ts';
import { fileErrors } from '../engine-errors.ts';
import { FindingGroups } from '../finding-groups.ts';

/** At least one summary, in chunk order. */
export function foldSummaries(summaries: readonly ChunkSummary[]): ChunkSummary {
  const [first, ...rest] = summaries;
  if (first === undefined) throw new Error('a file has at least one chunk');
  return rest.reduce(joinSummaries, first);
}

function joinSummaries(left: ChunkSummary, right: ChunkSummary): ChunkSummary {
  const add = (a: number, b: number) => a + b;
  return {
    records: {
      read: add(left.records.read, right.records.read),
      valid: add(left.records.valid, right.records.valid),
      rejected: add(left.records.rejected, right.records.rejected),
      filtered: add(left.records.filtered, right.records.filtered),
    },
    warned: left.warned + right.warned,
    amounts: {
      read: addAmounts(left.amounts.read, right.amounts.read),
      valid: addAmounts(left.amounts.valid, right.amounts.valid),
      rejected: addAmounts(left.amounts.rejected, right.amounts.rejected),
      filtered: addAmounts(left.amounts.filtered, right.amounts.filtered),
    },
    ...joinMagnitudes(left, right),
    byType: Object.fromEntries(Object.entries(left.byType).map(([type, count]) => [type, count + (right.byType[type] ?? 0)])),
    targets: left.targets.map((target, index) => joinTargets(target, right.targets[index]!)),
    header: left.header ?? right.header,
    trailer: left.trailer ?? right.trailer,
    errors: joinGroups(left.errors, right.errors),
    warnings: joinGroups(left.warnings, right.warnings),
    damage: joinDamage(left, right),
  };
}

/** Kept summaries of a version that did not add them up have none: their sums stand in. */
export function rejectedMagnitudesOf({ rejectedMagnitudes, amounts }: ChunkSummary): FieldAmounts {
  return rejectedMagnitudes ?? withoutSigns(amounts.rejected);
}

function joinMagnitudes(left: ChunkSummary, right: ChunkSummary): Pick<ChunkSummary, 'rejectedMagnitudes'> {
  if (left.rejectedMagnitudes === undefined && right.rejectedMagnitudes === undefined) return {};
  return { rejectedMagnitudes: addAmounts(rejectedMagnitudesOf(left), rejectedMagnitudesOf(right)) };
}

function joinTargets(left: TargetTotals, right: TargetTotals): TargetTotals {
  const shifted = right.stripes.map((stripe) => ({ ...stripe, start: stripe.start + left.bytes, end: stripe.end + left.bytes }));
  return {
    target: left.target,
    records: left.records + right.records,
    bytes: left.bytes + right.bytes,
    amounts: addAmounts(left.amounts, right.amounts),
    stripes: [...left.stripes, ...shifted],
  };
}

function joinGroups(left: readonly FindingGroup[], right: readonly FindingGroup[]): FindingGroup[] {
  const groups = new FindingGroups();
  groups.addGroups(left);
  groups.addGroups(right);
  return groups.toGroups();
}

/**
 * Where a header or trailer can't be is seen only with the neighbour. Each kind of it is kept once, at its lowest offset,
 * so that the grouping of chunks can't show.
 */
function joinDamage(left: ChunkSummary, right: ChunkSummary): Finding[] {
  const found: Finding[] = [...left.damage, ...right.damage];
  const hasRecords = left.records.read > 0 || left.header !== null || left.trailer !== null;
  if (right.header !== null && hasRecords) found.push(misplaced(right.header, 'header is not first'));
  if (left.trailer !== null && right.records.read > 0) found.push(misplaced(left.trailer, 'record after the trailer'));
  if (left.trailer !== null && right.trailer !== null) found.push(misplaced(left.trailer, 'more than one trailer'));
  found.sort((a, b) => a.offset - b.offset || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
  const kinds = found.map((finding) => (finding.code === fileErrors.E_ENVELOPE ? finding.message : JSON.stringify(finding)));
  return found.filter((_, index) => kinds.indexOf(kinds[index]!) === index);
}

function misplaced(envelope: EnvelopeRecord, message: string): Finding {
  return { record: 0, offset: envelope.offset, code: fileErrors.E_ENVELOPE, field: null, rule: null, message };
}
