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
    const record = readTexts(json);
    try {
      const value = evaluate(key, {
        field: (_scope, index) => literalValue(output[index]!.type, record[output[index]!.name] ?? null),
        statistic: () => null,
      });
      return value === null ? null : Buffer.from(valueText(value));
    } catch (error) {
      if (error instanceof ExpressionFailure) return false;
      throw error;
    }
  };
}

/** Numbers and booleans as they are written: as numbers of JavaScript large ones would be others. */
function readTexts(json: Buffer): Record<string, string | null> {
  return JSON.parse(json.toString(), (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' || typeof value === 'boolean' ? context!.source : value,
  ) as Record<string, string | null>;
}
