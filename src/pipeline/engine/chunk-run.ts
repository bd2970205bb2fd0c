/**
 * The loop over one chunk's records: keeps the window filled, lets the kernel run, takes single records through the slow
 * path, numbers records, and cuts stripes at the same places whichever path a record took.
 */
import type { ByteSource } from '../../platform/base/byte-source.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { maxRecordBytesDefault } from '../formats/format.ts';
import { formatErrors } from '../formats/format-errors.ts';
import { BlockBuffer } from './block-buffer.ts';
import type { ChunkSinks, ChunkSpec } from './chunk.ts';
import { ChunkTally } from './chunk-tally.ts';
import type { CompiledFlow } from './compile-flow.ts';
import { fileErrors } from './engine-errors.ts';
import { FastPath } from './kernel/fast-path.ts';
import { KeyHash, keyText } from './outcomes/key-hash.ts';
import { OutcomeColumns, outcomeStatus, warnedFlag } from './outcomes/outcome-columns.ts';
import { writeOutcomeSegment } from './outcomes/outcome-segment.ts';
import { RouteSets } from './outcomes/route-sets.ts';
import { createRecordEnds, endsInQuotes, type RecordEnds } from './records/record-end.ts';
import { RecordJudge, type RecordVerdict } from './records/record-judge.ts';
import { isWithoutLineEnds, windowSource } from './records/window-bytes.ts';
import type { OpenRangeResult, RunOptions } from './run-options.ts';

const blockBytesDefault = 1024 * 1024;
/** The most input bytes of one chunk: offsets in the outcome segment have 32 bits. */
const chunkBytesMax = 2 ** 32 - 1;
const needsMore = -1;
const stopped = -2;

/** All output buffers together take a few MiB, each enough for long lines. */
function outputBufferBytes(targets: number, chunkBytes: number): number {
  return Math.max(64 * 1024, Math.min(1024 * 1024, 4 * chunkBytes, Math.floor((8 * 1024 * 1024) / Math.max(1, targets))));
}

export class ChunkRun {
  readonly #flow: CompiledFlow;
  readonly #spec: ChunkSpec;
  readonly #source: ByteSource;
  readonly #sinks: ChunkSinks;
  readonly #options: RunOptions;
  readonly #block: BlockBuffer;
  readonly #tally: ChunkTally;
  readonly #outcomes: OutcomeColumns;
  readonly #routeSets: RouteSets;
  readonly #judge: RecordJudge;
  readonly #fast: FastPath | null;
  readonly #hash: KeyHash;
  readonly #ends: RecordEnds;
  readonly #maxRecordBytes: number;
  readonly #skipsBlankLines: boolean;
  readonly #comment: number | null;
  #hasLateRecord = false;
  #slowRecords = 0;

  constructor(flow: CompiledFlow, spec: ChunkSpec, source: ByteSource, sinks: ChunkSinks, options: RunOptions) {
    const { format } = flow.plan;
    const blockBytes = options.blockBytes ?? blockBytesDefault;
    this.#maxRecordBytes = options.maxRecordBytes ?? maxRecordBytesDefault;
    this.#flow = flow;
    this.#spec = spec;
    this.#source = windowSource(source, format);
    this.#sinks = sinks;
    this.#options = options;
    this.#block = new BlockBuffer(this.#source, spec, blockBytes);
    this.#tally = new ChunkTally(flow, sinks, outputBufferBytes(flow.plan.targets.length, Math.min(spec.end, source.size) - spec.start));
    this.#outcomes = new OutcomeColumns(flow.hashedKeys.length, Math.max(1, Math.min(1_024, Math.ceil((spec.end - spec.start) / 32))));
    this.#routeSets = new RouteSets(flow.plan.routes);
    this.#judge = new RecordJudge(flow, spec.context.columns, this.#routeSets);
    if (options.header) this.#judge.setHeader(options.header);
    this.#hash = new KeyHash(options.hashKey);
    this.#fast = options.path === 'slow' ? null : this.#createFastPath();
    this.#ends = createRecordEnds(format);
    this.#skipsBlankLines = format.skipBlankLines && !isWithoutLineEnds(format);
    this.#comment = format.type === 'delimited' ? format.comment : null;
  }

  #createFastPath(): FastPath {
    const fast = new FastPath({
      flow: this.#flow,
      columns: this.#spec.context.columns,
      block: this.#block,
      tally: this.#tally,
      outcomes: this.#outcomes,
      hash: this.#hash,
      hashKey: this.#options.hashKey,
      routeSets: this.#routeSets,
      scope: this.#judge.scope,
      chunkStart: this.#spec.start,
      firstRecord: this.#spec.firstRecord,
      maxRecordBytes: this.#maxRecordBytes,
    });
    this.#tally.drain = () => fast.drain();
    return fast;
  }

  run(stopAfterBytes: number): OpenRangeResult {
    const block = this.#block;
    const stopAt = Math.min(this.#spec.start + stopAfterBytes, this.#spec.start + chunkBytesMax);
    let at = 0;
    block.advance(0);
    for (;;) {
      const next = this.#runWindow(at, stopAt - block.base);
      if (next.reason !== 'window') {
        at = next.at;
        break;
      }
      if (block.isLast) {
        at = next.at;
        break;
      }
      block.advance(next.at);
      at = 0;
    }
    this.#tally.cutStripes();
    this.#fast?.close();
    writeOutcomeSegment(this.#outcomes, this.#sinks.outcomes, {
      firstRecord: this.#spec.firstRecord,
      chunkStart: this.#spec.start,
      routeSets: this.#routeSets.sets,
      keys: this.#flow.hashedKeys,
      hashKeyVersion: this.#options.hashKeyVersion ?? 0,
    });
    return {
      summary: this.#tally.summary(),
      end: block.base + at,
      nextRecord: this.#spec.firstRecord + this.#tally.read,
      slowRecords: this.#slowRecords,
    };
  }

  /** Takes the whole records of the window from `at` on, up to the first that starts at or beyond `stopAt`. */
  #runWindow(at: number, stopAt: number): { readonly at: number; readonly reason: 'window' | 'stop' } {
    const until = Math.min(this.#block.length, stopAt);
    while (at < this.#block.length) {
      if (this.#fast !== null) at = this.#runFast(this.#fast, at, until);
      if (at >= stopAt) return { at, reason: 'stop' };
      if (at >= this.#block.length) break;
      const next = this.#takeOne(at);
      if (next === needsMore) return { at, reason: 'window' };
      if (next === stopped) return { at, reason: 'stop' };
      at = next;
      if (this.#options.stopsAtFirst && this.#hasRead()) return { at, reason: 'stop' };
    }
    return { at, reason: 'window' };
  }

  #hasRead(): boolean {
    const { read, header, trailer } = this.#tally;
    return read > 0 || header !== null || trailer !== null;
  }

  /** After the trailer records take the slow path, which sees that they are late. */
  #runFast(fast: FastPath, at: number, until: number): number {
    return this.#tally.trailer === null ? fast.run(at, until) : at;
  }

  /** Takes the record, blank line or comment that starts at `start` by the slow path and returns where the next one starts. */
  #takeOne(start: number): number {
    const { bytes, length, isLast } = this.#block;
    const isComment = this.#comment !== null && bytes[start] === this.#comment;
    const endAt = isComment ? endOfLine(bytes, start, length) : this.#ends.find(bytes, start, length);
    if (endAt < 0 && !isLast) return isComment || length - start <= this.#maxRecordBytes + 1 ? needsMore : this.#refuseLong(start);
    const end = this.#ends.contentEnd(bytes, start, endAt < 0 ? length : endAt);
    const next = endAt < 0 ? length : endAt + this.#ends.endBytes;
    if (isComment || (end === start && this.#skipsBlankLines)) return next;
    if (end - start > this.#maxRecordBytes) return this.#refuseLong(start);
    if (endAt < 0) this.#checkLast(start);
    this.#judgeRecord(start, end);
    return next;
  }

  /** The chunk's last bytes are a record without a line end: fine at the end of the file only. */
  #checkLast(start: number): void {
    const { bytes, length, base } = this.#block;
    if (base + length < this.#source.size)
      throw new HeadgateError(fileErrors.E_CHUNK_CUT, `chunk ${this.#spec.number} ends inside a record`);
    if (endsInQuotes(this.#flow.plan.format, bytes, start, length)) {
      this.#addDamage(formatErrors.E_QUOTE_OPEN, start, 'a quote is open at the end of the file');
    }
  }

  #refuseLong(start: number): number {
    const { bytes } = this.#block;
    const isOpen = endsInQuotes(this.#flow.plan.format, bytes, start, start + this.#maxRecordBytes + 1);
    this.#addDamage(
      isOpen ? formatErrors.E_QUOTE_OPEN : formatErrors.E_RECORD_TOO_LONG,
      start,
      `a record is longer than ${this.#maxRecordBytes} bytes`,
    );
    return stopped;
  }

  #addDamage(code: string, start: number, message: string): void {
    const record = this.#spec.firstRecord + this.#tally.read;
    this.#tally.damage.push({ record, offset: this.#block.base + start, code, field: null, rule: null, message });
  }

  #judgeRecord(start: number, end: number): void {
    const judge = this.#judge;
    const rejected = this.#tally.trailer === null ? (this.#fast?.inspect(start, end) ?? null) : null;
    if (rejected !== null) {
      this.#takeRecord('rejected', rejected, start);
      return;
    }
    this.#slowRecords++;
    judge.judge(this.#block.bytes, start, end);
    if (judge.status === 'envelope') this.#takeEnvelope(start);
    else this.#takeRecord(judge.status, judge, start);
    if (judge.status === 'valid' && judge.type === this.#flow.mainType && !judge.hasNotes) this.#fast?.learn(start, end);
  }

  #takeEnvelope(start: number): void {
    const tally = this.#tally;
    const envelope = this.#judge.envelope(this.#block.base + start);
    const { role } = this.#flow.plan.records[this.#judge.type]!;
    if (role === 'header') {
      const isFirst = !this.#hasRead();
      if (!isFirst) this.#addDamage(fileErrors.E_ENVELOPE, start, 'header is not first');
      tally.header ??= envelope;
      // Records of other chunks know of none but the one that the file begins with.
      if (isFirst && this.#options.header === undefined) this.#judge.setHeader(envelope);
    } else {
      if (tally.trailer !== null) this.#addDamage(fileErrors.E_ENVELOPE, start, 'more than one trailer');
      else tally.trailer = envelope;
    }
  }

  /** A data record at `start`: reported once when it follows the trailer. */
  #checkPlace(start: number): void {
    if (this.#tally.trailer === null || this.#hasLateRecord) return;
    this.#hasLateRecord = true;
    this.#addDamage(fileErrors.E_ENVELOPE, start, 'record after the trailer');
  }

  #takeRecord(status: 'valid' | 'rejected' | 'filtered', verdict: RecordVerdict, start: number): void {
    const tally = this.#tally;
    const offset = this.#block.base + start;
    const record = this.#spec.firstRecord + tally.read;
    this.#checkPlace(start);
    if (verdict.type >= 0) tally.byType[verdict.type]!++;
    const targets = status === 'valid' ? this.#routeSets.sets[verdict.routeSet]! : [];
    this.#makeRoom(targets, verdict.lines);
    for (let index = 0; index < targets.length; index++) {
      const output = tally.outputs[targets[index]!]!;
      if (output.stripeRecords++ === 0) output.stripeFirst = record;
      output.append(verdict.lines[index]!);
    }
    this.#addOutcome(status, verdict, offset);
    tally.addAmounts(status, verdict.amounts, targets);
    if (status === 'rejected') tally.reject(verdict.findings, record, offset);
    else tally[status]++;
    if (verdict.warnings.length > 0) tally.warn(verdict.warnings, record, offset);
    if (tally.read % this.#flow.stripeRecords === 0) tally.cutStripes();
  }

  /** A stripe never outgrows a batch, unless a single record does. */
  #makeRoom(targets: readonly number[], lines: readonly string[]): void {
    const isFull = targets.some((target, index) => {
      const output = this.#tally.outputs[target]!;
      return (
        output.stripeRecords > 0 &&
        output.stripeBytes + Buffer.byteLength(lines[index]!, 'utf8') > this.#flow.plan.targets[target]!.batchBytes
      );
    });
    if (isFull) this.#tally.cutStripes();
  }

  #addOutcome(status: 'valid' | 'rejected' | 'filtered', verdict: RecordVerdict, offset: number): void {
    const outcomes = this.#outcomes;
    outcomes.reserve(1);
    const at = outcomes.count++;
    outcomes.status[at] = outcomeStatus[status] | (verdict.warnings.length > 0 ? warnedFlag : 0);
    outcomes.routeSet[at] = status === 'valid' ? verdict.routeSet : 0;
    outcomes.offset[at] = offset - this.#spec.start;
    for (let key = 0; key < verdict.keys.length; key++) {
      const values = verdict.keys[key]!;
      const text = values === null ? null : keyText(values);
      if (text === null) {
        outcomes.hashes[key]!.fill(0, at * 2, at * 2 + 2);
        continue;
      }
      this.#hash.hashText(text);
      outcomes.hashes[key]![at * 2] = this.#hash.low;
      outcomes.hashes[key]![at * 2 + 1] = this.#hash.high;
    }
  }
}

function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  const found = bytes.indexOf(0x0a, start);
  return found < 0 || found >= end ? -1 : found;
}
