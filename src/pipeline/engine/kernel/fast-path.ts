/**
 * Runs the kernel over a window and deals with its stops: full buffers, full stripes, records for the slow path. For JSON
 * lines it learns the shape of records from one that the slow path found valid, and learns again when the shape changes.
 */

import type { BlockBuffer } from '../block-buffer.ts';
import type { ChunkTally } from '../chunk-tally.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { KeyBatch } from '../outcomes/key-batch.ts';
import type { KeyHash } from '../outcomes/key-hash.ts';
import type { OutcomeColumns } from '../outcomes/outcome-columns.ts';
import type { RouteSets } from '../outcomes/route-sets.ts';
import type { RecordScope } from '../records/record-scope.ts';
import { isWithoutLineEnds } from '../records/window-bytes.ts';
import { jsonTemplate } from './json-template.ts';
import { type Kernel, kernelFor } from './kernel.ts';
import type { InspectRecord, RunKernel } from './kernel-module.ts';
import { KernelRuntime } from './kernel-runtime.ts';
import { stopReason } from './kernel-source.ts';
import { KernelState } from './kernel-state.ts';
import { RejectedRecord } from './rejected-record.ts';

/** Valid records in a row that a kernel did not take before another shape is learned. */
const patience = 32;
/** Learning costs a compilation: a file without one shape is left to the slow path. */
const lessonsMax = 12;

export interface FastPathParts {
  readonly flow: CompiledFlow;
  readonly columns: readonly string[] | null;
  readonly block: BlockBuffer;
  readonly tally: ChunkTally;
  readonly outcomes: OutcomeColumns;
  readonly hash: KeyHash;
  readonly hashKey: Uint8Array;
  readonly routeSets: RouteSets;
  readonly scope: RecordScope;
  readonly chunkStart: number;
  readonly firstRecord: number;
  readonly maxRecordBytes: number;
}

/** A kernel at work in one chunk. */
interface Working {
  readonly kernel: Kernel;
  readonly state: KernelState;
  readonly runtime: KernelRuntime;
  readonly keys: KeyBatch;
  readonly run: RunKernel;
  readonly inspect: InspectRecord | undefined;
  readonly rejected: RejectedRecord;
}

export class FastPath {
  readonly #parts: FastPathParts;
  #working: Working | null = null;
  /** A record has a byte, and a line feed where it has a line end. */
  readonly #recordBytesMin: number;
  #misses = 0;
  #lessons = 0;

  constructor(parts: FastPathParts) {
    this.#parts = parts;
    this.#recordBytesMin = isWithoutLineEnds(parts.flow.plan.format) ? 1 : 2;
    if (parts.flow.plan.format.type !== 'json-lines') this.#use(kernelFor(parts.flow, { columns: parts.columns, template: null }));
  }

  #use(kernel: Kernel | null): void {
    if (kernel === null || kernel === this.#working?.kernel) return;
    this.close();
    const { flow, block, tally, outcomes, hash, hashKey, routeSets, scope } = this.#parts;
    const state = new KernelState(kernel.module.layout, block.memory);
    const runtime = new KernelRuntime(flow, kernel.source, { state, routeSets, scope, outputs: tally.outputs, outcomes, hash });
    const { run, inspect } = kernel.module.over(block.memory.memory, runtime);
    this.#working = { kernel, state, runtime, keys: new KeyBatch(state, hashKey), run, inspect, rejected: new RejectedRecord(flow, state) };
  }

  /** Takes records from `at` on, none that starts at or beyond `until`. Returns where the slow path has to take one, or `until` or more. */
  run(at: number, until: number): number {
    const working = this.#working;
    if (working === null) return at;
    working.state.look();
    for (;;) {
      const reason = this.#runOnce(working, at, until);
      at = working.state.get('at');
      if (reason === stopReason.end || reason === stopReason.slow) return at;
      if (reason === stopReason.full) this.#cutFullStripes();
      else if (!this.#makeRoom(working.state, reason)) return at;
    }
  }

  /** A record of the window that the kernel did not take: what is wrong with it, or null when only the slow path can say. */
  inspect(start: number, end: number): RejectedRecord | null {
    const working = this.#working;
    if (working?.inspect === undefined) return null;
    const found = working.inspect(start, end);
    if (found === 0) return null;
    const { rejected } = working;
    if (found === 2) rejected.takeRules();
    else if (!rejected.takeFields()) return null;
    return rejected;
  }

  #runOnce({ state, run, keys }: Working, at: number, until: number): number {
    const { flow, block, tally, outcomes, chunkStart, firstRecord, maxRecordBytes } = this.#parts;
    const { outputs } = tally;
    const records = this.#recordsAtOnce(state);
    outcomes.reserve(Math.min(records, Math.ceil((until - at) / this.#recordBytesMin) + 1));
    for (let target = 0; target < outputs.length; target++)
      state.openStage(target, outputs[target]!, flow.plan.targets[target]!.batchBytes);
    const first = firstRecord + outcomes.count;
    state.set('texts', block.memory.length);
    const reason = run(at, until, block.length, block.base - chunkStart, first, maxRecordBytes, records);
    const taken = state.get('count');
    for (let target = 0; target < outputs.length; target++) state.closeStage(target, outputs[target]!);
    outcomes.append(state, taken);
    keys.finish(state.get('keys'), outcomes.hashes, outcomes.count - taken);
    tally.addTaken({ type: flow.mainType, valid: state.get('valid'), filtered: state.get('filtered') });
    if (taken > 0) this.#misses = 0;
    return reason;
  }

  /** Up to the end of the open stripe. */
  #recordsAtOnce({ layout }: KernelState): number {
    const { stripeRecords } = this.#parts.flow;
    return Math.min(layout.recordsMax, stripeRecords - (this.#parts.outcomes.count % stripeRecords));
  }

  #cutFullStripes(): void {
    if (this.#parts.outcomes.count % this.#parts.flow.stripeRecords === 0) this.#parts.tally.cutStripes();
  }

  /** False when only the slow path can write a record this long. */
  #makeRoom(state: KernelState, reason: number): boolean {
    const { tally, flow } = this.#parts;
    const target = state.get('stopTarget');
    const output = tally.outputs[target]!;
    const hadRecords = state.stage(target, 'position') > 0;
    const length = state.get('stopEnd') - state.stage(target, 'position');
    const isStripeFull = output.stripeRecords > 0 && output.stripeBytes + length > flow.plan.targets[target]!.batchBytes;
    if (reason === stopReason.room && isStripeFull) {
      tally.cutStripes();
      return true;
    }
    return hadRecords;
  }

  /** Moves what the kernel added up into the totals; before stripes are cut. */
  drain(): void {
    const { tally } = this.#parts;
    this.#working?.runtime.drain(tally.amounts.valid, tally.amounts.filtered);
  }

  /** Drains; no record can be taken afterwards. */
  close(): void {
    this.drain();
    this.#working = null;
  }

  /** A valid record of the main type, taken by the slow path. */
  learn(start: number, end: number): void {
    const { flow, block } = this.#parts;
    if (flow.plan.format.type !== 'json-lines' || this.#lessons >= lessonsMax) return;
    if (this.#working !== null && ++this.#misses < patience) return;
    this.#misses = 0;
    this.#lessons++;
    const template = jsonTemplate(block.bytes.toString('utf8', start, end));
    if (template !== null) this.#use(kernelFor(flow, { columns: null, template }));
  }
}
