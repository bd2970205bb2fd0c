/**
 * Applies the file's exclusions (records that a check over the whole file takes out) to what `headgate run` has already
 * written: their lines leave the target files, and their findings join the rejections in record order.
 */

import { routedRecords } from '../../pipeline/deliveries/cutting/routed-records.ts';
import { segmentPreamble } from '../../pipeline/engine/bodies/body-writer.ts';
import type { Finding, FindingGroup, Stripe } from '../../pipeline/engine/chunk.ts';
import type { Exclusion } from '../../pipeline/engine/file/duplicates.ts';
import { FindingGroups } from '../../pipeline/engine/finding-groups.ts';
import type { OutcomeSegment } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { segmentLines } from '../../pipeline/engine/segment-lines.ts';
import { encodeRejection } from '../../pipeline/ledger/rejection-lines.ts';
import type { OutputFile } from './output-files.ts';
import { FileSource } from './plain-files.ts';

const message = 'an earlier record of the file has the same value';

/** Excluded records in rising order. */
export class ExclusionList {
  readonly #records: number[] = [];
  readonly #offsets: number[] = [];
  readonly #causes: { readonly code: string; readonly field: string }[] = [];
  readonly #causeOf: number[] = [];
  readonly #groups = new FindingGroups();

  get count(): number {
    return this.#records.length;
  }

  add({ record, offset, code, field }: Exclusion): void {
    let cause = this.#causes.findIndex((known) => known.code === code && known.field === field);
    if (cause < 0) cause = this.#causes.push({ code, field }) - 1;
    this.#records.push(record);
    this.#offsets.push(offset);
    this.#causeOf.push(cause);
    this.#groups.add({ offset, code, field, rule: null, message });
  }

  has(record: number): boolean {
    return this.#records[this.firstFrom(record)] === record;
  }

  /** Position of the first excluded record with this number or a higher one. */
  firstFrom(record: number): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#records[middle]! < record) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  recordAt(position: number): number | undefined {
    return this.#records[position];
  }

  groups(): FindingGroup[] {
    return this.#groups.toGroups();
  }

  /** As lines of rejections.ndjson. */
  *lines(): Generator<string> {
    for (const [index, record] of this.#records.entries()) yield encodeRejection(this.#finding(index, record));
  }

  #finding(index: number, record: number): Finding {
    return { record, offset: this.#offsets[index]!, ...this.#causes[this.#causeOf[index]!]!, rule: null, message };
  }
}

export interface TargetLines {
  readonly segments: readonly OutcomeSegment[];
  readonly exclusions: ExclusionList;
  /** Of the target, over the whole file. */
  readonly stripes: readonly Stripe[];
}

/** Rewrites a target's file without its excluded records; leaves it alone when it has none. */
export function removeExcluded(plan: Plan, target: number, file: OutputFile, lines: TargetLines): void {
  if (lines.exclusions.count === 0) return;
  const source = new FileSource(file.partPath);
  try {
    file.rewrite(keptParts(plan, target, source, lines));
  } finally {
    source.close();
  }
}

function* keptParts(plan: Plan, target: number, source: FileSource, { segments, exclusions, stripes }: TargetLines): Generator<Uint8Array> {
  const preamble = segmentPreamble(plan, target);
  yield preamble;
  for (const [index, stripe] of stripes.entries()) {
    const bytes = Buffer.alloc(stripe.end - stripe.start);
    source.read(bytes, 0, bytes.length, preamble.length + stripe.start);
    const next = stripes[index + 1]?.firstRecord ?? Number.POSITIVE_INFINITY;
    const excluded = exclusions.recordAt(exclusions.firstFrom(stripe.firstRecord));
    if (excluded === undefined || excluded >= next) yield bytes;
    else yield* keptLines(plan, target, bytes, { segments, exclusions, firstRecord: stripe.firstRecord });
  }
}

function* keptLines(
  plan: Plan,
  target: number,
  bytes: Uint8Array,
  { segments, exclusions, firstRecord }: { segments: readonly OutcomeSegment[]; exclusions: ExclusionList; firstRecord: number },
): Generator<Uint8Array> {
  const routed = routedRecords(segments, target, firstRecord);
  const kept: Uint8Array[] = [];
  for (const line of segmentLines(plan.targets[target]!.body, bytes)) {
    const { value } = routed.next();
    if (!exclusions.has((value as { record: number }).record)) kept.push(line);
  }
  yield Buffer.concat(kept);
}

/** Both the rejections and the exclusions are in record order already. */
export function mergeRejections(file: OutputFile, exclusions: ExclusionList): void {
  const source = new FileSource(file.partPath);
  try {
    file.rewrite(mergedLines(readTextLines(source), exclusions));
  } finally {
    source.close();
  }
}

function* mergedLines(rejections: Iterable<string>, exclusions: ExclusionList): Generator<Uint8Array> {
  const excluded = exclusions.lines();
  let next = excluded.next();
  let position = 0;
  let text = '';
  for (const line of rejections) {
    const { record } = JSON.parse(line) as Finding;
    for (; !next.done && exclusions.recordAt(position)! < record; next = excluded.next(), position++) text += next.value;
    text += line;
    if (text.length > 65_536) {
      yield Buffer.from(text, 'utf8');
      text = '';
    }
  }
  for (; !next.done; next = excluded.next()) text += next.value;
  yield Buffer.from(text, 'utf8');
}

function* readTextLines(source: FileSource): Generator<string> {
  let rest = Buffer.alloc(0);
  for (const piece of source.pieces()) {
    const bytes = Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      yield bytes.toString('utf8', start, end + 1);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
}
