/**
 * A record that a kernel's inspection found at fault, told as the slow path would: its findings, keys and amounts. Only what
 * fails is read as text.
 */
import { currencyOf } from '../amount-totals.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { type FieldReader, fieldReaders } from '../fields/field-reader.ts';
import type { RulePlan } from '../plan.ts';
import { lineField, placeInFile, type RecordFinding } from '../records/record-finding.ts';
import type { RecordAmount, RecordVerdict } from '../records/record-judge.ts';
import type { KernelState } from './kernel-state.ts';

export class RejectedRecord implements RecordVerdict {
  readonly type: number;
  readonly warnings = [];
  readonly lines = [];
  readonly routeSet = 0;
  findings: RecordFinding[] = [];
  amounts: RecordAmount[] = [];
  keys: ((string | null)[] | null)[] = [];
  readonly #flow: CompiledFlow;
  readonly #state: KernelState;
  readonly #readers: readonly FieldReader[];
  readonly #rules: readonly RulePlan[];
  /** -1: records stand in the file as received. */
  readonly #lineField: number;

  constructor(flow: CompiledFlow, state: KernelState) {
    this.type = flow.mainType;
    this.#flow = flow;
    this.#state = state;
    this.#readers = fieldReaders(flow.plan.records[flow.mainType]!, flow.plan.format);
    this.#rules = flow.plan.rules.filter((rule) => rule.scope === 'record');
    const { format, records } = flow.plan;
    const isOfPack = format.type === 'json-lines' && format.pack !== undefined;
    this.#lineField = isOfPack ? records[flow.mainType]!.fields.findIndex(({ name }) => name === lineField) : -1;
  }

  /** False when the fields that were not accepted are fine after all. */
  takeFields(): boolean {
    const { failedFields } = this.#state;
    this.findings = [];
    for (let index = 0; index < this.#readers.length; index++) {
      if (failedFields[index] === 0) continue;
      const reader = this.#readers[index]!;
      reader.read(this.#text(index), 'text');
      if (reader.problem === null) return false;
      this.findings.push({ code: reader.problem.code, field: reader.plan.name, rule: null, message: this.#placed(reader.problem.message) });
    }
    this.#takeKeysAndAmounts();
    return true;
  }

  takeRules(): void {
    const { failedRules } = this.#state;
    this.findings = [];
    for (const [index, rule] of this.#rules.entries()) {
      if (failedRules[index] !== 1) continue;
      this.findings.push({ code: rule.code, field: null, rule: rule.id, message: this.#placed(rule.message) });
    }
    this.#takeKeysAndAmounts();
  }

  #placed(message: string): string {
    return this.#lineField < 0 ? message : `${placeInFile(this.#text(this.#lineField))}${message}`;
  }

  /** Null: absent, which an expression that was evaluated since says with a place below zero. The record is ASCII. */
  #text(field: number): string | null {
    const { places, window } = this.#state;
    const start = places[field * 2]!;
    const end = places[field * 2 + 1]!;
    return start < 0 || start === end ? null : window.bytes.toString('latin1', start, end);
  }

  #takeKeysAndAmounts(): void {
    const { failedFields, numbers } = this.#state;
    this.keys = this.#flow.hashedKeys.map((key) => {
      const values = (key.fields[this.type] ?? []).map((field) => this.#text(field));
      return values.every((value) => value === null) ? null : values;
    });
    this.amounts = [];
    for (const { field, sum, currencyField, factor } of this.#flow.sums.byType[this.type]!) {
      if (this.#text(field) === null) continue;
      const currency = currencyOf(currencyField === null || failedFields[currencyField] === 1 ? null : this.#text(currencyField));
      const unscaled = failedFields[field] === 1 ? this.#readers[field]!.unscaled : BigInt(numbers[field]!);
      this.amounts.push({ sum, currency, amount: unscaled === null ? null : unscaled * factor });
    }
  }
}
