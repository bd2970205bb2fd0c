/** The key of a message: the value of an expression over the output fields, read back from the record's line. */
import { evaluate, literalValue } from '../../engine/expressions/evaluate.ts';
import type { Expression } from '../../engine/expressions/expression.ts';
import { ExpressionFailure } from '../../engine/expressions/expression-errors.ts';
import { valueText } from '../../engine/expressions/values.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';

/** `false`: the expression has no value for this record. Null: it is absent, and the message has no key. */
export type KeyReader = (json: Buffer) => Buffer | null | false;

export function createKeyReader(key: Expression | null, output: readonly OutputFieldPlan[]): KeyReader {
  if (key === null) return () => null;
  return (json) => {
    const record = readRecord(json);
    try {
      const value = evaluate(key, {
        field: (_scope, index) => literalValue(output[index]!.type, textOf(record, output[index]!.name)),
        statistic: () => null,
      });
      return value === null ? null : Buffer.from(valueText(value));
    } catch (error) {
      if (error instanceof ExpressionFailure) return false;
      throw error;
    }
  };
}

interface ReadRecord {
  readonly json: string;
  readonly values: Readonly<Record<string, unknown>>;
}

function readRecord(json: Buffer): ReadRecord {
  const text = json.toString();
  return { json: text, values: JSON.parse(text) as Record<string, unknown> };
}

/** Null where it is absent. */
function textOf({ json, values }: ReadRecord, name: string): string | null {
  const value = values[name] ?? null;
  if (value === null || typeof value === 'string') return value;
  return typeof value === 'number' && !Number.isSafeInteger(value) ? asWritten(json, name) : String(value);
}

/** As a number of JavaScript it would be another one. */
function asWritten(json: string, name: string): string {
  const texts = JSON.parse(json, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? context!.source : value,
  ) as Record<string, string>;
  return texts[name]!;
}
