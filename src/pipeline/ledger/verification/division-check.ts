/** Divided batches: a batch that was replaced by children has their lines, no more and no fewer, for the same target. */
import type { BatchEntry, SegmentRange } from '../batch-list.ts';
import type { VerificationLog } from './verification-report.ts';

export function checkDivisions(entries: readonly BatchEntry[], log: VerificationLog): void {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const children = new Map<string, BatchEntry[]>();
  log.check('divisions', byId.size === entries.length ? null : failure('the list', 'a batch occurs twice'));
  for (const entry of entries) {
    if (entry.parentId === null) continue;
    children.set(entry.parentId, [...(children.get(entry.parentId) ?? []), entry]);
    const parent = byId.get(entry.parentId);
    const isSound = parent?.state === 'divided' && parent.target === entry.target && !hasLoop(entry, byId);
    log.check('divisions', isSound ? null : failure(`batch ${entry.id}`, 'its parent is no divided batch of its target'));
  }
  for (const entry of entries) {
    if (entry.state !== 'divided') continue;
    const parts = (children.get(entry.id) ?? []).flatMap((child) => child.ranges);
    const isSame = JSON.stringify(merged(entry.ranges)) === JSON.stringify(merged(parts));
    log.check('divisions', isSame ? null : failure(`batch ${entry.id}`, 'its children are not made of its lines'));
  }
}

function hasLoop(entry: BatchEntry, byId: ReadonlyMap<string, BatchEntry>): boolean {
  const seen = new Set<string>();
  for (let at: BatchEntry | undefined = entry; at !== undefined; at = at.parentId === null ? undefined : byId.get(at.parentId)) {
    if (seen.has(at.id)) return true;
    seen.add(at.id);
  }
  return false;
}

/** Adjoining ranges become one; overlapping ones stay apart, so that they never equal a range without overlap. */
function merged(ranges: readonly SegmentRange[]): SegmentRange[] {
  const sorted = [...ranges].sort((a, b) => a.chunk - b.chunk || a.start - b.start);
  const result: SegmentRange[] = [];
  for (const { chunk, start, end } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && last.chunk === chunk && last.end === start) result[result.length - 1] = { chunk, start: last.start, end };
    else result.push({ chunk, start, end });
  }
  return result;
}

function failure(at: string, message: string) {
  return { code: 'E_VERIFY_BATCHES', at, message } as const;
}
