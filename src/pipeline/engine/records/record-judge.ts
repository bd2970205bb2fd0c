/**
 * The slow path: judges one record exactly as docs/record-rules.md says, from the plan, value by value. It keeps no
 * totals and writes nothing; `chunk-tally.ts` does. The reused result is valid until the next call.
 */

import { currencyOf } from '../amount-totals.ts';
import { type BodyProblem, type BodyWriter, createBodyWriter } from '../bodies/body-writer.ts';
import type { EnvelopeRecord } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { evaluate, evaluateBoolean } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { ExpressionFailure, expressionErrors } from '../expressions/expression-errors.ts';
import { type Value, valueText } from '../expressions/values.ts';
import { type FieldReader, fieldReaders } from '../fields/field-reader.ts';
import type { RouteSets } from '../outcomes/route-sets.ts';
import type { RulePlan } from '../plan.ts';
import { readPackNotes } from './pack-notes.ts';
import { lineField, placeInFile, type RecordFinding } from './record-finding.ts';
import { createRecordReader } from './record-reader.ts';
import { RecordScope } from './record-scope.ts';
import { createRecordText, type RecordReader } from './record-text.ts';

export interface RecordAmount {
  readonly sum: number;
  readonly currency: string;
  /** Null: unreadable. */
  readonly amount: bigint | null;
}

/** What became of a data record; the same whichever path judged it. */
export interface RecordVerdict {
  /** Index into `plan.records`, -1 when unknown. */
  readonly type: number;
  readonly findings: readonly RecordFinding[];
  readonly warnings: readonly RecordFinding[];
  readonly amounts: readonly RecordAmount[];
  /** Per hashed key of the flow: the values, null when the record has none. */
  readonly keys: readonly ((string | null)[] | null)[];
  readonly routeSet: number;
  /** Per target of the route set, in its order. */
  readonly lines: readonly string[];
}

export class RecordJudge implements RecordVerdict {
  readonly #flow: CompiledFlow;
  readonly #read: RecordReader;
  readonly #readers: readonly (readonly FieldReader[])[];
  readonly #fieldMaps: readonly (readonly number[])[];
  readonly scope: RecordScope;
  readonly #routeSets: RouteSets;
  readonly #recordRules: readonly RulePlan[];
  readonly #bodyOf: readonly number[];
  readonly #bodies: readonly BodyWriter[];
  /** Index of the field by type, -1 without one; null where records stand in the file as received. */
  readonly #lineFields: readonly number[] | null;
  readonly #text = createRecordText();
  readonly #values: Value[] = [];
  /** Its fields were found in the last record. */
  #isRead = false;

  type = -1;
  status: 'valid' | 'rejected' | 'filtered' | 'envelope' = 'valid';
  findings: RecordFinding[] = [];
  warnings: RecordFinding[] = [];
  amounts: RecordAmount[] = [];
  keys: ((string | null)[] | null)[] = [];
  routeSet = 0;
  lines: string[] = [];
  /** Its pack has something to say of it: no other record is to be taken for one like it. */
  hasNotes = false;

  constructor(flow: CompiledFlow, columns: readonly string[] | null, routeSets: RouteSets) {
    const { plan } = flow;
    this.#flow = flow;
    this.#routeSets = routeSets;
    this.#read = createRecordReader(plan, columns);
    this.#readers = plan.records.map((record) => fieldReaders(record, plan.format));
    const mainFields = plan.records[flow.mainType]!.fields;
    this.#fieldMaps = plan.records.map((record) => mainFields.map((main) => record.fields.findIndex((field) => field.name === main.name)));
    this.scope = new RecordScope(plan);
    this.#recordRules = plan.rules.filter((rule) => rule.scope === 'record');
    const forms = plan.targets.map((target) => JSON.stringify(target.body));
    const distinct = [...new Set(forms)];
    this.#bodyOf = forms.map((form) => distinct.indexOf(form));
    const isOfPack = plan.format.type === 'json-lines' && plan.format.pack !== undefined;
    this.#lineFields = isOfPack ? plan.records.map(({ fields }) => fields.findIndex(({ name }) => name === lineField)) : null;
    this.#bodies = distinct.map((form) => createBodyWriter(plan.targets[forms.indexOf(form)]!.body, plan.output));
  }

  setHeader(header: EnvelopeRecord): void {
    this.scope.setHeader(header);
  }

  /** Judges the record in `bytes[start, end)`, its line end left out. */
  judge(bytes: Buffer, start: number, end: number): void {
    this.findings = [];
    this.warnings = [];
    this.amounts = [];
    this.lines = [];
    this.routeSet = 0;
    const problem = this.#read(bytes, start, end, this.#text);
    this.#isRead = problem === null;
    this.type = this.#text.type;
    const record = this.type < 0 ? null : this.#flow.plan.records[this.type]!;
    const isEnvelope = record !== null && record.role !== 'data';
    if (problem !== null) {
      this.keys = this.#flow.hashedKeys.map(() => null);
      this.findings.push({ code: problem.code, field: null, rule: null, message: problem.message });
      this.amounts = isEnvelope ? [] : this.#unreadableAmounts();
      this.status = isEnvelope ? 'envelope' : 'rejected';
      return;
    }
    this.#checkFields();
    this.#takeNotes();
    if (isEnvelope) {
      this.status = 'envelope';
      return;
    }
    this.#takeKeysAndAmounts();
    this.status = this.findings.length > 0 ? 'rejected' : this.#decide();
    if (this.status !== 'valid') this.warnings = [];
    if (this.status === 'rejected') this.lines = [];
  }

  /** The last record as header or trailer: without values where something is wrong with it as a whole. */
  envelope(offset: number): EnvelopeRecord {
    const record = this.#flow.plan.records[this.type]!;
    return {
      record: record.name,
      offset,
      values: this.#texts(this.findings.some((finding) => finding.field === null)),
      findings: this.findings.map((finding) => ({ record: 0, offset, ...finding })),
    };
  }

  /**
   * Of the last record by field, whatever became of it: where something is wrong with a field, its text as it stood in the file. Null where absent,
   * a JSON object or list, or in a record that can't be taken apart.
   */
  fieldTexts(): Record<string, string | null> {
    const texts = this.#texts(!this.#isRead);
    if (!this.#isRead) return texts;
    for (const [index, { plan, problem, text }] of this.#readers[this.type]!.entries())
      if (problem !== null && this.#text.kinds[index] !== 'other') texts[plan.name] = text;
    return texts;
  }

  #texts(isBroken: boolean): Record<string, string | null> {
    const readers = this.#readers[this.type]!;
    const texts = this.#flow.plan.records[this.type]!.fields.map((field, index) => {
      const reader = readers[index]!;
      return [field.name, isBroken || reader.problem !== null || reader.value === null ? null : valueText(reader.value)];
    });
    return Object.fromEntries(texts) as Record<string, string | null>;
  }

  #unreadableAmounts(): RecordAmount[] {
    const { sums } = this.#flow;
    const unreadable = this.type < 0 ? sums.sums.map((_, index) => index) : sums.byType[this.type]!.map((field) => field.sum);
    return unreadable.map((sum) => ({ sum, currency: '', amount: null }));
  }

  #checkFields(): void {
    const readers = this.#readers[this.type]!;
    const { texts, kinds } = this.#text;
    for (let index = 0; index < readers.length; index++) {
      const reader = readers[index]!;
      reader.read(texts[index]!, kinds[index]!);
      this.#values[index] = reader.problem === null ? reader.value : null;
      if (reader.problem === null) continue;
      this.findings.push(this.#placed({ code: reader.problem.code, field: reader.plan.name, rule: null, message: reader.problem.message }));
    }
  }

  /** With the line of the file as received; what a pack noted has it already. */
  #placed(finding: RecordFinding): RecordFinding {
    const field = this.#lineFields?.[this.type] ?? -1;
    return field < 0 ? finding : { ...finding, message: `${placeInFile(this.#text.texts[field]!)}${finding.message}` };
  }

  #takeNotes(): void {
    const { notes } = this.#text;
    this.hasNotes = notes !== null;
    if (notes === null) return;
    const { findings, warnings } = readPackNotes(notes);
    this.findings.push(...findings);
    this.warnings.push(...warnings);
  }

  #takeKeysAndAmounts(): void {
    const readers = this.#readers[this.type]!;
    this.keys = this.#flow.hashedKeys.map((key) => {
      const fields = key.fields[this.type];
      if (fields === null || fields === undefined) return null;
      const values = fields.map((index) => readers[index]!.text);
      return values.every((value) => value === null) ? null : values;
    });
    for (const { field, sum, currencyField, factor } of this.#flow.sums.byType[this.type]!) {
      const reader = readers[field]!;
      if (reader.text === null) continue;
      const currencyReader = currencyField === null ? null : readers[currencyField]!;
      const currency = currencyOf(currencyReader === null || currencyReader.problem !== null ? null : currencyReader.text);
      const { unscaled } = reader;
      this.amounts.push({ sum, currency, amount: unscaled === null ? null : unscaled * factor });
    }
  }

  #decide(): 'valid' | 'rejected' | 'filtered' {
    const { plan } = this.#flow;
    this.scope.values = this.#values;
    this.scope.fieldMap = this.#fieldMaps[this.type]!;
    this.scope.output.length = 0;
    this.#applyRules();
    if (this.findings.length > 0) return 'rejected';
    if (!plan.records[this.type]!.counted) return 'filtered';
    for (const filter of plan.filters) {
      const isFiltered = this.#condition(filter.when, filter.id);
      if (isFiltered === null) return 'rejected';
      if (isFiltered) return 'filtered';
    }
    for (let index = 0; index < plan.output.length; index++) {
      try {
        this.scope.output[index] = evaluate(plan.output[index]!.value, this.scope);
      } catch (error) {
        this.#fail(error, { field: plan.output[index]!.name, rule: null });
        return 'rejected';
      }
    }
    return this.#route() && this.#writeBodies() ? 'valid' : 'rejected';
  }

  #applyRules(): void {
    for (const rule of this.#recordRules) {
      const holds = this.#condition(rule.assert, rule.id);
      if (holds !== false) continue;
      const finding = this.#placed({ code: rule.code, field: null, rule: rule.id, message: rule.message });
      if (rule.severity === 'warn') this.warnings.push(finding);
      else this.findings.push(finding);
    }
  }

  /** Null after a failure, which is a finding. */
  #condition(expression: Expression, rule: string): boolean | null {
    try {
      return evaluateBoolean(expression, this.scope);
    } catch (error) {
      this.#fail(error, { field: null, rule });
      return null;
    }
  }

  #fail(error: unknown, at: { field: string | null; rule: string | null }): void {
    if (!(error instanceof ExpressionFailure)) throw error;
    this.findings.push(this.#placed({ code: expressionErrors.E_EXPRESSION, ...at, message: error.message }));
  }

  #route(): boolean {
    const { routes } = this.#flow.plan;
    const targets: number[] = [];
    let hasMatched = false;
    for (const rule of routes.rules) {
      const matches = this.#condition(rule.when, rule.id);
      if (matches === null) return false;
      if (!matches) continue;
      hasMatched = true;
      targets.push(...rule.to);
      if (routes.mode === 'first') break;
    }
    this.routeSet = this.#routeSets.numberOf(hasMatched ? targets : routes.default);
    return true;
  }

  #writeBodies(): boolean {
    const lines = new Map<number, string>();
    for (const target of this.#routeSets.sets[this.routeSet]!) {
      const body = this.#bodyOf[target]!;
      let line: string | BodyProblem | undefined = lines.get(body);
      line ??= this.#bodies[body]!(this.scope.output);
      if (typeof line !== 'string') {
        const { name } = this.#flow.plan.output[line.output]!;
        this.findings.push(this.#placed({ code: line.code, field: name, rule: null, message: line.message }));
        return false;
      }
      lines.set(body, line);
      this.lines.push(line);
    }
    return true;
  }
}
