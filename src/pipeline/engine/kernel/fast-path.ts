/**
 * Runs the kernel over a window and deals with its stops: full buffers, full stripes, records for the slow path. For JSON
 * lines it learns the shape of records from one that the slow path found valid, and learns again when the shape changes.
 */

import type { BlockBuffer } from '../block-buffer.ts';
import type { ChunkTally } from '../chunk-tally.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { type KeyBatch, keyBatchFor } from '../outcomes/key-batch.ts';
import type { KeyHash } from '../outcomes/key-hash.ts';
import type { OutcomeColumns } from '../outcomes/outcome-columns.ts';
import type { RouteSets } from '../outcomes/route-sets.ts';
import type { RecordScope } from '../records/record-scope.ts';
import { jsonTemplate } from './json-template.ts';
import { type Kernel, kernelFor } from './kernel.ts';
import { KernelRuntime, KernelState } from './kernel-runtime.ts';
import { stopReason } from './kernel-source.ts';

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

export class FastPath {
  readonly #parts: FastPathParts;
  #kernel: Kernel | null = null;
  #state: KernelState | null = null;
  #runtime: KernelRuntime | null = null;
  #batch: KeyBatch | null = null;
  #misses = 0;
  #lessons = 0;

  constructor(parts: FastPathParts) {
    this.#parts = parts;
    if (parts.flow.plan.format.type !== 'json-lines') this.#use(kernelFor(parts.flow, { columns: parts.columns, template: null }));
  }

  #use(kernel: Kernel | null): void {
    if (kernel === null || kernel === this.#kernel) return;
    this.close();
    const { flow, block, tally, hash, firstRecord, maxRecordBytes, routeSets, scope } = this.#parts;
    const bodies = Math.max(0, ...kernel.source.bodyOfTarget.map((body) => body + 1));
    this.#kernel = kernel;
    this.#batch ??= keyBatchFor(this.#parts.hashKey, Math.max(1, flow.hashedKeys.length * flow.stripeRecords));
    this.#state = new KernelState(flow, {
      keyBatch: this.#batch,
      outputs: tally.outputs,
      hash,
      bodies,
      block,
      firstRecord,
      maxRecord: maxRecordBytes,
    });
    this.#runtime = new KernelRuntime(flow, kernel.source, { state: this.#state, routeSets, scope });
  }

  /** Takes records from `at` on, none that starts at or beyond `until`. Returns where the slow path has to take one, or `until` or more. */
  run(at: number, until: number): number {
    const state = this.#state;
    if (state === null) return at;
    const { block, chunkStart } = this.#parts;
    state.bytes = block.bytes;
    state.view = block.memory.view;
    state.iban = block.memory.iban;
    state.ibanTablesAt = block.memory.ibanTablesAt;
    state.have = block.length;
    state.until = until;
    state.base = block.base - chunkStart;
    state.at = at;
    for (;;) {
      const reason = this.#runOnce(state);
      if (reason === stopReason.end || reason === stopReason.slow) return state.at;
      if (reason === stopReason.full) this.#parts.tally.cutStripes();
      else if (!this.#makeRoom(state, reason)) return state.at;
    }
  }

  #runOnce(state: KernelState): number {
    const { flow, tally, outcomes } = this.#parts;
    const { stripeRecords } = flow;
    state.count = outcomes.count;
    state.countMax = (Math.floor(outcomes.count / stripeRecords) + 1) * stripeRecords;
    // A record has a byte and a line feed at least.
    outcomes.reserve(Math.min(state.countMax - outcomes.count, Math.ceil((state.until - state.at) / 2) + 1));
    state.status = outcomes.status;
    state.routeSet = outcomes.routeSet;
    state.offset = outcomes.offset;
    state.hashes = outcomes.hashes;
    for (let target = 0; target < tally.outputs.length; target++) tally.outputs[target]!.setLimit(flow.plan.targets[target]!.batchBytes);
    const reason = this.#kernel!.run(state, this.#runtime!);
    state.keyBatch.finish(outcomes.hashes);
    const taken = state.count - outcomes.count;
    outcomes.count = state.count;
    tally.addTaken({ type: flow.mainType, valid: state.valid, filtered: state.filtered });
    state.valid = 0;
    state.filtered = 0;
    if (taken > 0) this.#misses = 0;
    return reason;
  }

  /** False when only the slow path can write a record this long. */
  #makeRoom(state: KernelState, reason: number): boolean {
    const { tally, flow } = this.#parts;
    const output = tally.outputs[state.stopTarget]!;
    const isStripeFull =
      output.stripeRecords > 0 && output.stripeBytes + state.stopEnd - output.position > flow.plan.targets[state.stopTarget]!.batchBytes;
    if (reason === stopReason.room && isStripeFull) {
      tally.cutStripes();
      return true;
    }
    if (output.position === 0) return false;
    output.flush();
    return true;
  }

  /** Moves what the kernel added up into the totals; before stripes are cut. */
  drain(): void {
    const { tally } = this.#parts;
    this.#runtime?.drain(tally.amounts.valid, tally.amounts.filtered);
  }

  /** Drains and gives memory back; no record can be taken afterwards. */
  close(): void {
    this.drain();
    this.#state?.leave();
    this.#state = null;
    this.#runtime = null;
  }

  /** A valid record of the main type, taken by the slow path. */
  learn(start: number, end: number): void {
    const { flow, block } = this.#parts;
    if (flow.plan.format.type !== 'json-lines' || this.#lessons >= lessonsMax) return;
    if (this.#kernel !== null && ++this.#misses < patience) return;
    this.#misses = 0;
    this.#lessons++;
    const template = jsonTemplate(block.bytes.toString('utf8', start, end));
    if (template !== null) this.#use(kernelFor(flow, { columns: null, template }));
  }
}
