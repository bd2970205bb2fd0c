/** What expressions see while one record is judged: its fields, the header's values, and the output made so far. */

import type { EnvelopeRecord } from '../chunk.ts';
import type { EvaluationScope, Statistic } from '../expressions/evaluate.ts';
import { literalValue } from '../expressions/evaluate.ts';
import type { Scope, ValueType } from '../expressions/expression.ts';
import { ExpressionFailure } from '../expressions/expression-errors.ts';
import type { Value } from '../expressions/values.ts';
import type { FieldType, Plan, RecordPlan } from '../plan.ts';

export class RecordScope implements EvaluationScope {
  readonly #headerPlan: RecordPlan | null;
  #headerValues: readonly Value[];
  /** Values of the record's own type, by field index. */
  values: readonly Value[] = [];
  /** From the field indexes that expressions use to those of the record's type; -1: the type has no such field. */
  fieldMap: readonly number[] = [];
  readonly output: Value[] = [];

  constructor(plan: Plan) {
    this.#headerPlan = plan.records.find((record) => record.role === 'header') ?? null;
    this.#headerValues = this.#headerPlan?.fields.map(() => null) ?? [];
  }

  setHeader(header: EnvelopeRecord): void {
    if (this.#headerPlan !== null) this.#headerValues = envelopeValues(this.#headerPlan, header);
  }

  field(scope: Scope, index: number): Value {
    switch (scope) {
      case 'record': {
        const own = this.fieldMap[index] ?? -1;
        return own < 0 ? null : this.values[own]!;
      }
      case 'out':
        return this.output[index] ?? null;
      case 'header':
        return this.#headerValues[index] ?? null;
      case 'trailer':
        throw new ExpressionFailure('the trailer is known at the end of the file only');
    }
  }

  statistic(_name: Statistic): Value {
    throw new ExpressionFailure('totals are known at the end of the file only');
  }
}

/** Values of an envelope record from their exact texts. */
export function envelopeValues(plan: RecordPlan, envelope: EnvelopeRecord): Value[] {
  return plan.fields.map((field) => literalValue(valueTypeOf(field.type), envelope.values[field.name] ?? null));
}

export function valueTypeOf(type: FieldType): ValueType {
  switch (type) {
    case 'int':
    case 'decimal':
    case 'date':
    case 'time':
    case 'datetime':
      return type;
    case 'boolean':
      return 'bool';
    default:
      return 'string';
  }
}
