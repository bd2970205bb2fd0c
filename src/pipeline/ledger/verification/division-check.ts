/** Divided batches: a batch that was replaced by children has their lines, no more and no fewer, for the same target. */
import type { BatchEntry, SegmentRange } from '../batch-list.ts';
import type { VerificationLog } from './verification-report.ts';

export function checkDivisions(entries: readonly BatchEntry[], log: VerificationLog): void {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const children = new Map<string, BatchEntry[]>();
  log.check('divisions', byId.size === entries.length ? null : failure('the list', 'a batch occurs twice'));
  const hasLoop = loopFinder(byId);
  for (const entry of entries) {
    if (entry.parentId === null) continue;
    const siblings = children.get(entry.parentId);
    if (siblings === undefined) children.set(entry.parentId, [entry]);
    else siblings.push(entry);
    const parent = byId.get(entry.parentId);
    const isSound = parent?.state === 'divided' && parent.target === entry.target && !hasLoop(entry);
    log.check('divisions', isSound ? null : failure(`batch ${entry.id}`, 'its parent is no divided batch of its target'));
  }
  for (const entry of entries) {
    if (entry.state !== 'divided') continue;
    const parts = (children.get(entry.id) ?? []).flatMap((child) => child.ranges);
    const isSame = JSON.stringify(merged(entry.ranges)) === JSON.stringify(merged(parts));
    log.check('divisions', isSame ? null : failure(`batch ${entry.id}`, 'its children are not made of its lines'));
  }
}

/** Whether the parents of a batch go in a circle. Each batch is walked by once, however deep they lie. */
function loopFinder(byId: ReadonlyMap<string, BatchEntry>): (entry: BatchEntry) => boolean {
  const known = new Map<BatchEntry, boolean>();
  return (entry) => {
    const path = new Set<BatchEntry>();
    let at: BatchEntry | undefined = entry;
    while (at !== undefined && !path.has(at) && !known.has(at)) {
      path.add(at);
      at = at.parentId === null ? undefined : byId.get(at.parentId);
    }
    const isLoop = at !== undefined && (path.has(at) || known.get(at)!);
    for (const each of path) known.set(each, isLoop);
    return isLoop;
  };
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
