/** Reads single records again by their offset, through the slow path's parser, with one small window on the file. */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { fileErrors } from '../engine-errors.ts';
import { RouteSets } from '../outcomes/route-sets.ts';
import { contentEnd, createRecordEndFinder, type RecordEndFinder } from '../records/record-end.ts';
import { RecordJudge } from '../records/record-judge.ts';

const windowBytes = 64 * 1024;
const largestWindow = 64 * 1024 * 1024;

export class RecordFetcher {
  readonly #source: ByteSource;
  readonly #findEnd: RecordEndFinder;
  readonly #judge: RecordJudge;
  #window = Buffer.alloc(windowBytes);
  #base = 0;
  #length = 0;

  constructor(flow: CompiledFlow, columns: readonly string[] | null, source: ByteSource) {
    this.#source = source;
    this.#findEnd = createRecordEndFinder(flow.plan.format);
    this.#judge = new RecordJudge(flow, columns, new RouteSets(flow.plan.routes));
  }

  /** The judged record at this offset; the result is reused by the next call. */
  fetch(offset: number): RecordJudge {
    const { start, end } = this.#find(offset);
    this.#judge.judge(this.#window, start, contentEnd(this.#window, start, end));
    return this.#judge;
  }

  /** Its bytes without the line end. */
  content(offset: number): Buffer {
    const { start, end } = this.#find(offset);
    return Buffer.from(this.#window.subarray(start, contentEnd(this.#window, start, end)));
  }

  /** Where the record behind it starts; the size of the source behind the last one. */
  next(offset: number): number {
    return Math.min(this.#source.size, this.#base + this.#find(offset).end + 1);
  }

  /** Where the record lies in the window, its line feed left out. */
  #find(offset: number): { readonly start: number; readonly end: number } {
    if (offset < this.#base || offset >= this.#base + this.#length) this.#load(offset);
    for (;;) {
      const start = offset - this.#base;
      const isLast = this.#base + this.#length >= this.#source.size;
      const found = this.#findEnd(this.#window, start, this.#length);
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
    this.#length = 0;
    const wanted = Math.min(this.#window.length, this.#source.size - offset);
    while (this.#length < wanted) {
      const count = this.#source.read(this.#window, this.#length, wanted - this.#length, offset + this.#length);
      if (count === 0) break;
      this.#length += count;
    }
    if (this.#length <= 0) throw new HeadgateError(fileErrors.E_SEGMENT, 'an outcome segment points beyond the file');
  }
}
