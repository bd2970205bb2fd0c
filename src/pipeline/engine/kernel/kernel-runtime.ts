/** The calls for what a kernel does not do itself. Each gives what the slow path would, or sends the record there. */

import type { AmountTotals } from '../amount-totals.ts';
import { quoteJson } from '../bodies/body-writer.ts';
import type { TargetOutput } from '../bodies/target-output.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { type EvaluationScope, evaluate, type Statistic } from '../expressions/evaluate.ts';
import type { Scope } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import { type Value, valueText } from '../expressions/values.ts';
import { type FieldReader, fieldReaders } from '../fields/field-reader.ts';
import { readHeldBytes } from '../fields/held-numbers.ts';
import type { KeyHash } from '../outcomes/key-hash.ts';
import type { OutcomeColumns } from '../outcomes/outcome-columns.ts';
import type { RouteSets } from '../outcomes/route-sets.ts';
import type { FieldPlan } from '../plan.ts';
import type { RecordScope } from '../records/record-scope.ts';
import { receivedTable } from '../records/window-bytes.ts';
import { evaluatedBytesMax } from './body-code.ts';
import { tripleIndex, tripleText } from './code-tables.ts';
import { currencySlots, routeSetsMax } from './kernel-layout.ts';
import { type KernelSource, stopReason } from './kernel-source.ts';
import type { KernelState } from './kernel-state.ts';

/** A target of a set that gets the bytes that were written for another one. */
interface Copy {
  readonly target: number;
  readonly from: number;
  readonly body: number;
}

export interface RuntimeParts {
  readonly state: KernelState;
  readonly routeSets: RouteSets;
  readonly scope: RecordScope;
  readonly outputs: readonly TargetOutput[];
  readonly outcomes: OutcomeColumns;
  readonly hash: KeyHash;
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
  readonly #outputs: readonly TargetOutput[];
  readonly #outcomes: OutcomeColumns;
  readonly #hash: KeyHash;
  readonly #received: Uint8Array | null;
  #material = Buffer.alloc(256);

  constructor(flow: CompiledFlow, source: KernelSource, parts: RuntimeParts) {
    this.#flow = flow;
    this.#received = receivedTable(flow.plan.format);
    this.#source = source;
    this.#state = parts.state;
    this.#routeSets = parts.routeSets;
    this.#scope = parts.scope;
    this.#outputs = parts.outputs;
    this.#outcomes = parts.outcomes;
    this.#hash = parts.hash;
    this.#readers = fieldReaders(flow.plan.records[flow.mainType]!, flow.plan.format);
    this.#bodies = Math.max(0, ...source.bodyOfTarget.map((body) => body + 1));
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
    const state = this.#state;
    const others = this.#othersOf(set);
    for (let index = 0; index < others.length; index++) {
      const { target, from, body } = others[index]!;
      const end = state.stage(target, 'position') + state.ends[body]! - state.stage(from, 'position');
      if (end <= state.stage(target, 'limit')) continue;
      state.set('stopTarget', target);
      state.set('stopEnd', end);
      return stopReason.room;
    }
    for (let index = 0; index < others.length; index++) {
      const { target, from, body } = others[index]!;
      state.copyStage(from, target, state.ends[body]!, record);
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
      this.#state.slots[tripleIndex('XXX') + 1] = this.#currencies.length - 1;
    }
    return this.#currencies.length - 1;
  }

  /** Moves what was added up into the exact totals. */
  drain(valid: AmountTotals, filtered: AmountTotals): void {
    const { sums, sumCounts } = this.#state;
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
          for (const target of this.#routeSets.sets[set]!) add(this.#outputs[target]!.stripeAmounts);
        }
      }
    }
  }

  /** The slow path's checks of one field on a text whose end is known. */
  accepts(field: number, start: number, end: number): boolean {
    const reader = this.#readers[field]!;
    reader.read(this.#state.window.bytes.toString('utf8', start, end), 'text');
    return reader.problem === null;
  }

  field(scope: Scope, index: number): Value {
    if (scope !== 'record') return this.#scope.field(scope, index);
    const start = this.#state.places[index * 2]!;
    if (start < 0) return null;
    const reader = this.#readers[index]!;
    reader.read(this.#textOf(reader.plan, start, this.#state.places[index * 2 + 1]!), 'text');
    return reader.value;
  }

  /** A kernel has looked at it: it is what its field says. */
  #textOf({ usage }: FieldPlan, start: number, end: number): string | null {
    const { bytes } = this.#state.window;
    if (usage === 'packed' || usage === 'binary') return readHeldBytes(usage, bytes, { start, end, received: this.#received });
    return bytes.toString('utf8', start, end);
  }

  statistic(name: Statistic): Value {
    return this.#scope.statistic(name);
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

  /** Appends the value as JSON to the output at this address; negative when the slow path has to do it. */
  writeJson(number: number, output: number, position: number): number {
    return relative(this.#writeJson(number, this.#state.window.all, output + position), output);
  }

  #writeJson(number: number, into: Buffer, position: number): number {
    const value = this.#evaluate(number);
    if (value === undefined) return -1;
    if (value === null) return write('null', into, position);
    if (typeof value === 'bigint' || typeof value === 'boolean') return write(String(value), into, position);
    return write(typeof value === 'string' ? quoteJson(value) : `"${valueText(value)}"`, into, position);
  }

  writeText(number: number, output: number, position: number): number {
    const value = this.#evaluate(number);
    if (value === undefined) return -1;
    this.#state.set('wasNull', value === null ? 1 : 0);
    return value === null ? position : relative(write(valueText(value), this.#state.window.all, output + position), output);
  }

  /** Hashes the texts at the first `count` places, joined by NUL, for the record that is the call's `taken`-th. */
  hashPlaces(count: number, key: number, taken: number): void {
    const { places, window } = this.#state;
    const { bytes } = window;
    let length = 0;
    for (let index = 0; index < count; index++) {
      const [start, end] = [places[index * 2]!, places[index * 2 + 1]!];
      if (length + end - start + 1 > this.#material.length)
        this.#material = Buffer.concat([this.#material, Buffer.alloc(length + end - start + 1)]);
      if (index > 0) this.#material[length++] = 0;
      this.#material.set(bytes.subarray(start, end), length);
      length += end - start;
    }
    this.#hash.hash(this.#material, 0, length);
    const column = this.#outcomes.hashes[key]!;
    const at = 2 * (this.#outcomes.count + taken);
    column[at] = this.#hash.low;
    column[at + 1] = this.#hash.high;
  }
}

function write(text: string, into: Buffer, position: number): number {
  if (text.length > evaluatedBytesMax / 3) return -1;
  return position + into.write(text, position, 'utf8');
}

/** A negative one stays as it is. */
function relative(address: number, output: number): number {
  return address < 0 ? address : address - output;
}
