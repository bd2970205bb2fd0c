/**
 * What a running kernel reaches: its state for one chunk, and the calls for what generated code does not do itself. Every
 * call gives what the slow path would, or sends the record there.
 */

import type { AmountTotals } from '../amount-totals.ts';
import type { BlockBuffer } from '../block-buffer.ts';
import { quoteJson } from '../bodies/body-writer.ts';
import type { TargetOutput } from '../bodies/target-output.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { type EvaluationScope, evaluate, type Statistic } from '../expressions/evaluate.ts';
import type { Scope } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import { type Value, valueText } from '../expressions/values.ts';
import { type FieldReader, fieldReaders } from '../fields/field-reader.ts';
import type { KeyBatch } from '../outcomes/key-batch.ts';
import type { KeyHash } from '../outcomes/key-hash.ts';
import type { RouteSets } from '../outcomes/route-sets.ts';
import type { RecordScope } from '../records/record-scope.ts';
import { evaluatedBytesMax } from './body-code.ts';
import { tripleAt } from './byte-checks.ts';
import type { FindIban } from './iban-module.ts';
import { currencySlots, type KernelSource, maskedRulesMax, routeSetsMax, stopReason } from './kernel-source.ts';
import { changeCase } from './letter-case.ts';

const tripleCount = 26 * 26 * 26;

/** The big arrays of a state, which one chunk leaves clean for the next one in the same thread. */
interface KernelTables {
  /** Slot of the unknown currency, then of every letter triple; -1: none yet. */
  readonly slots: Int8Array;
  readonly sums: Float64Array;
  readonly sumCounts: Uint32Array;
}

const spareTables = new Map<number, KernelTables>();

function takeTables(sums: number): KernelTables {
  const spare = spareTables.get(sums);
  spareTables.delete(sums);
  const length = (routeSetsMax + 1) * sums * currencySlots;
  return spare ?? { slots: new Int8Array(tripleCount + 1).fill(-1), sums: new Float64Array(length), sumCounts: new Uint32Array(length) };
}

/** Shared with generated code, which reads and writes these by name. */
export class KernelState {
  bytes: Buffer;
  view: DataView;
  iban: FindIban;
  ibanTablesAt: number;
  have = 0;
  /** Records that start here or later are not taken. */
  until = 0;
  at = 0;
  count = 0;
  /** The kernel stops when it has taken so many records. */
  countMax = 0;
  valid = 0;
  filtered = 0;
  /** What is added to a position to give the offset in the chunk. */
  base = 0;
  firstRecord: number;
  maxRecord: number;
  stopTarget = 0;
  /** Where the record that found no room would end in the target's buffer. */
  stopEnd = 0;
  /** Position of a record whose bytes are known to be valid UTF-8; -1: none. */
  status: Uint8Array = new Uint8Array(0);
  routeSet: Uint16Array = new Uint16Array(0);
  offset: Uint32Array = new Uint32Array(0);
  hashes: Uint32Array[] = [];
  readonly outputs: readonly TargetOutput[];
  readonly hash: KeyHash;
  readonly keyBatch: KeyBatch;
  readonly places: Int32Array;
  readonly slots: Int8Array;
  readonly sums: Float64Array;
  readonly sumCounts: Uint32Array;
  readonly firstSets: Int32Array;
  readonly maskSets: Int32Array;
  readonly firstTargets: Int16Array;
  readonly isMulti = new Uint8Array(routeSetsMax);

  readonly #sumFields: number;

  constructor(
    flow: CompiledFlow,
    parts: {
      readonly outputs: readonly TargetOutput[];
      readonly hash: KeyHash;
      readonly keyBatch: KeyBatch;
      readonly bodies: number;
      readonly block: Pick<BlockBuffer, 'bytes' | 'memory'>;
      readonly firstRecord: number;
      readonly maxRecord: number;
    },
  ) {
    const { routes } = flow.plan;
    const sums = flow.sums.byType[flow.mainType]!.length;
    this.bytes = parts.block.bytes;
    this.view = parts.block.memory.view;
    this.iban = parts.block.memory.iban;
    this.ibanTablesAt = parts.block.memory.ibanTablesAt;
    this.outputs = parts.outputs;
    this.hash = parts.hash;
    this.keyBatch = parts.keyBatch;
    this.firstRecord = parts.firstRecord;
    this.maxRecord = parts.maxRecord;
    this.places = new Int32Array(Math.max(2, flow.plan.records[flow.mainType]!.fields.length * 2));
    const tables = takeTables(sums);
    this.slots = tables.slots;
    this.sums = tables.sums;
    this.sumCounts = tables.sumCounts;
    this.#sumFields = sums;
    this.firstSets = new Int32Array(routes.rules.length + 1).fill(-1);
    this.maskSets = new Int32Array(routes.mode === 'all' ? 2 ** Math.min(maskedRulesMax, routes.rules.length) : 1).fill(-1);
    this.firstTargets = new Int16Array(routeSetsMax * parts.bodies).fill(-1);
  }

  /** Gives the tables back, drained. Nothing may use the state any more. */
  leave(): void {
    this.slots.fill(-1);
    spareTables.set(this.#sumFields, { slots: this.slots, sums: this.sums, sumCounts: this.sumCounts });
  }
}

/** A target of a set that gets the bytes that were written for another one. */
interface Copy {
  readonly target: number;
  readonly from: number;
  readonly body: number;
}

export class KernelRuntime implements EvaluationScope {
  readonly #flow: CompiledFlow;
  readonly #source: KernelSource;
  readonly #state: KernelState;
  readonly #routeSets: RouteSets;
  readonly #scope: RecordScope;
  readonly #readers: readonly FieldReader[];
  readonly #currencies: string[] = [];
  readonly #bodies: number;
  readonly #copies: (readonly Copy[] | undefined)[] = [];
  #material = Buffer.alloc(256);
  /** Ends of the bodies written for the record at hand, for `fanOut`. */
  readonly ends: number[];
  /** 1 when the last `writeText` met an absent value. */
  wasNull = 0;

  constructor(
    flow: CompiledFlow,
    source: KernelSource,
    parts: { readonly state: KernelState; readonly routeSets: RouteSets; readonly scope: RecordScope },
  ) {
    this.#flow = flow;
    this.#source = source;
    this.#state = parts.state;
    this.#routeSets = parts.routeSets;
    this.#scope = parts.scope;
    this.#readers = fieldReaders(flow.plan.records[flow.mainType]!);
    this.#bodies = Math.max(0, ...source.bodyOfTarget.map((body) => body + 1));
    this.ends = new Array(this.#bodies).fill(0);
    const { routes } = flow.plan;
    if (routes.mode === 'first') {
      for (const [index, rule] of routes.rules.entries()) parts.state.firstSets[index] = this.#prepare(rule.to);
      parts.state.firstSets[routes.rules.length] = this.#prepare(routes.default);
    }
  }

  /** The set's number, with what kernels need to know of it. */
  #prepare(targets: readonly number[]): number {
    const number = this.#routeSets.numberOf(targets);
    if (number >= routeSetsMax) return number;
    const set = this.#routeSets.sets[number]!;
    for (const target of [...set].reverse()) this.#state.firstTargets[number * this.#bodies + this.#source.bodyOfTarget[target]!] = target;
    const bodies = new Set(set.map((target) => this.#source.bodyOfTarget[target]!));
    this.#state.isMulti[number] = set.length > bodies.size ? 1 : 0;
    return number;
  }

  routeSetOf(mask: number): number {
    const { rules } = this.#flow.plan.routes;
    const targets = rules.flatMap((rule, index) => ((mask & (2 ** index)) === 0 ? [] : rule.to));
    const number = this.#prepare(mask === 0 ? this.#flow.plan.routes.default : targets);
    this.#state.maskSets[mask] = number;
    return number;
  }

  /** Copies the record's bodies to the targets that are not the first of theirs. 0, or why there is no room. */
  fanOut(set: number, record: number): number {
    const { outputs } = this.#state;
    const others = this.#othersOf(set);
    for (let index = 0; index < others.length; index++) {
      const { target, from, body } = others[index]!;
      const output = outputs[target]!;
      const end = output.position + this.ends[body]! - outputs[from]!.position;
      if (end <= output.limit) continue;
      this.#state.stopTarget = target;
      this.#state.stopEnd = end;
      return stopReason.room;
    }
    for (let index = 0; index < others.length; index++) {
      const { target, from, body } = others[index]!;
      const output = outputs[target]!;
      const { bytes, position } = outputs[from]!;
      const end = this.ends[body]!;
      bytes.copy(output.bytes, output.position, position, end);
      output.position += end - position;
      const { stripeRecords } = output;
      output.stripeFirst = stripeRecords === 0 ? record : output.stripeFirst;
      output.stripeRecords = stripeRecords + 1;
    }
    return 0;
  }

  /** Made once per set: nothing is allocated per record. */
  #othersOf(set: number): readonly Copy[] {
    const known = this.#copies[set];
    if (known !== undefined) return known;
    const { firstTargets } = this.#state;
    const copies = this.#routeSets.sets[set]!.map((target) => {
      const body = this.#source.bodyOfTarget[target]!;
      return { target, body, from: firstTargets[set * this.#bodies + body]! };
    });
    return (this.#copies[set] = copies.filter(({ target, from }) => from !== target));
  }

  /** Slot of a currency seen for the first time, -1 when there are no more. -1 stands for the unknown one. */
  slotOf(triple: number): number {
    if (this.#currencies.length >= currencySlots) return -1;
    this.#currencies.push(triple < 0 ? 'XXX' : tripleText(triple));
    this.#state.slots[triple + 1] = this.#currencies.length - 1;
    // XXX is also a code that a record may name.
    if (this.#currencies.at(-1) === 'XXX') {
      this.#state.slots[0] = this.#currencies.length - 1;
      this.#state.slots[tripleAt(Buffer.from('XXX'), 0) + 1] = this.#currencies.length - 1;
    }
    return this.#currencies.length - 1;
  }

  /** Moves what was added up into the exact totals. */
  drain(valid: AmountTotals, filtered: AmountTotals): void {
    const { sums, sumCounts, outputs } = this.#state;
    const summed = this.#flow.sums.byType[this.#flow.mainType]!;
    for (let set = 0; set <= routeSetsMax; set++) {
      if (set !== routeSetsMax && set >= this.#routeSets.sets.length) continue;
      for (let index = 0; index < summed.length; index++) {
        const { sum, factor } = summed[index]!;
        for (let slot = 0; slot < this.#currencies.length; slot++) {
          const at = (set * summed.length + index) * currencySlots + slot;
          if (sumCounts[at] === 0) continue;
          const amount = sums[at]!;
          sums[at] = 0;
          sumCounts[at] = 0;
          const currency = this.#currencies[slot]!;
          const add = (totals: AmountTotals) => {
            if (factor === 1n) totals.addSmall(sum, currency, amount);
            else totals.add(sum, currency, BigInt(amount) * factor);
          };
          add(set === routeSetsMax ? filtered : valid);
          if (set === routeSetsMax) continue;
          for (const target of this.#routeSets.sets[set]!) add(outputs[target]!.stripeAmounts);
        }
      }
    }
  }

  /** The slow path's checks of one field on a text whose end is known. */
  accepts(field: number, start: number, end: number): boolean {
    const reader = this.#readers[field]!;
    reader.read(this.#state.bytes.toString('utf8', start, end), 'text');
    return reader.problem === null;
  }

  field(scope: Scope, index: number): Value {
    if (scope !== 'record') return this.#scope.field(scope, index);
    const start = this.#state.places[index * 2]!;
    if (start < 0) return null;
    const reader = this.#readers[index]!;
    reader.read(this.#state.bytes.toString('utf8', start, this.#state.places[index * 2 + 1]), 'text');
    return reader.value;
  }

  statistic(name: Statistic): Value {
    return this.#scope.statistic(name);
  }

  /** Upper case of UTF-8 up to U+00FE, byte by byte; negative where another length or table is needed. Returns the end. */
  upperBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, position: number): number {
    return changeCase(
      from,
      { start, end, low: 0x61, high: 0x7a, firstTail: 0xa0, lastTail: 0xbe, kept: 0xb7, flip: -0x20 },
      into,
      position,
    );
  }

  lowerBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, position: number): number {
    return changeCase(from, { start, end, low: 0x41, high: 0x5a, firstTail: 0x80, lastTail: 0x9e, kept: 0x97, flip: 0x20 }, into, position);
  }

  /** 1 true, 0 false, 2 for the slow path to judge. */
  test(number: number): number {
    const value = this.#evaluate(number);
    return value === true ? 1 : value === false ? 0 : 2;
  }

  #evaluate(number: number): Value | undefined {
    try {
      return evaluate(this.#source.evaluated[number]!.expression, this);
    } catch (error) {
      if (error instanceof ExpressionFailure) return undefined;
      throw error;
    }
  }

  /** Appends the value as JSON; negative when the slow path has to do it. */
  writeJson(number: number, into: Buffer, position: number): number {
    const value = this.#evaluate(number);
    if (value === undefined) return -1;
    if (value === null) return write('null', into, position);
    if (typeof value === 'bigint' || typeof value === 'boolean') return write(String(value), into, position);
    return write(typeof value === 'string' ? quoteJson(value) : `"${valueText(value)}"`, into, position);
  }

  writeText(number: number, into: Buffer, position: number): number {
    const value = this.#evaluate(number);
    if (value === undefined) return -1;
    this.wasNull = value === null ? 1 : 0;
    return value === null ? position : write(valueText(value), into, position);
  }

  /** Hashes the texts at the first `count` places, joined by NUL. */
  hashPlaces(count: number): void {
    const { places, bytes, hash } = this.#state;
    let length = 0;
    for (let index = 0; index < count; index++) {
      const [start, end] = [places[index * 2]!, places[index * 2 + 1]!];
      if (length + end - start + 1 > this.#material.length)
        this.#material = Buffer.concat([this.#material, Buffer.alloc(length + end - start + 1)]);
      if (index > 0) this.#material[length++] = 0;
      this.#material.set(bytes.subarray(start, end), length);
      length += end - start;
    }
    hash.hash(this.#material, 0, length);
  }
}

function write(text: string, into: Buffer, position: number): number {
  if (text.length > evaluatedBytesMax / 3) return -1;
  return position + into.write(text, position, 'utf8');
}

function tripleText(triple: number): string {
  const letters = [Math.floor(triple / 676), Math.floor(triple / 26) % 26, triple % 26];
  return String.fromCharCode(...letters.map((letter) => 0x41 + letter));
}
