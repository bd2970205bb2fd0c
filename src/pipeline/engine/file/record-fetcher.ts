/** Reads single records again by their offset, through the slow path's parser, with one small window on the file. */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { EnvelopeRecord } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { RouteSets } from '../outcomes/route-sets.ts';
import { createRecordEnds, type RecordEnds } from '../records/record-end.ts';
import { RecordJudge } from '../records/record-judge.ts';
import { windowSource } from '../records/window-bytes.ts';

const windowBytes = 64 * 1024;
const largestWindow = 64 * 1024 * 1024;

export class RecordFetcher {
  /** As the file was received. */
  readonly #received: ByteSource;
  /** As the window holds it. */
  readonly #source: ByteSource;
  readonly #ends: RecordEnds;
  readonly #judge: RecordJudge;
  readonly #header: EnvelopeRecord | null;
  #isBehindHeader = false;
  #window = Buffer.alloc(windowBytes);
  #base = 0;
  #length = 0;

  /** `header`: the file's, where rules are to see its values, as they do for the records behind it. */
  constructor(flow: CompiledFlow, columns: readonly string[] | null, source: ByteSource, header: EnvelopeRecord | null = null) {
    this.#received = source;
    this.#header = header;
    this.#source = windowSource(source, flow.plan.format);
    this.#ends = createRecordEnds(flow.plan.format);
    this.#judge = new RecordJudge(flow, columns, new RouteSets(flow.plan.routes));
  }

  /** The judged record at this offset; the result is reused by the next call. */
  fetch(offset: number): RecordJudge {
    const { start, end } = this.#find(offset);
    this.#placeHeader(offset);
    this.#judge.judge(this.#window, start, this.#ends.contentEnd(this.#window, start, end));
    return this.#judge;
  }

  #placeHeader(offset: number): void {
    const header = this.#header;
    if (header === null || offset > header.offset === this.#isBehindHeader) return;
    this.#isBehindHeader = !this.#isBehindHeader;
    this.#judge.setHeader(this.#isBehindHeader ? header : { ...header, values: {} });
  }

  /** Its bytes as they were received, without the line end. */
  content(offset: number): Buffer {
    const { start, end } = this.#find(offset);
    const content = Buffer.alloc(this.#ends.contentEnd(this.#window, start, end) - start);
    readWhole(this.#received, content, content.length, offset);
    return content;
  }

  /** Where the record lies in the window, up to what its end was found by. */
  #find(offset: number): { readonly start: number; readonly end: number } {
    if (offset < this.#base || offset >= this.#base + this.#length) this.#load(offset);
    for (;;) {
      const start = offset - this.#base;
      const isLast = this.#base + this.#length >= this.#source.size;
      const found = this.#ends.find(this.#window, start, this.#length);
      if (found >= 0 || isLast) return { start, end: found < 0 ? this.#length : found };
      if (start === 0) this.#grow();
      this.#load(offset);
    }
  }

  #grow(): void {
    if (this.#window.length >= largestWindow) throw new HeadgateError(fileErrors.E_SEGMENT, 'an outcome segment points to no record');
    this.#window = Buffer.alloc(this.#window.length * 4);
  }

  #load(offset: number): void {
    this.#base = offset;
    this.#length = readWhole(this.#source, this.#window, Math.min(this.#window.length, this.#source.size - offset), offset);
    if (this.#length <= 0) throw new HeadgateError(fileErrors.E_SEGMENT, 'an outcome segment points beyond the file');
  }
}

/** Returns how many bytes there were. */
function readWhole(source: ByteSource, into: Uint8Array, wanted: number, position: number): number {
  let length = 0;
  while (length < wanted) {
    const count = source.read(into, length, wanted - length, position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}
