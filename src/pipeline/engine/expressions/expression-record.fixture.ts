/** A record and an environment for tests of expressions: CEL text in, value or failure out. */
import { checkExpression } from './check.ts';
import type { Environment, FieldBinding } from './environment.ts';
import { evaluate } from './evaluate.ts';
import { ExpressionFailure } from './expression-errors.ts';
import { isDecimal, type Value, valueText } from './values.ts';

const values: Readonly<Record<string, readonly [FieldBinding['type'], Value]>> = {
  name: ['string', 'Ada'],
  spaced: ['string', ' \u00a0x y\t'],
  emoji: ['string', 'a😀b'],
  empty: ['string', ''],
  digits: ['string', '0042'],
  gone: ['string', null],
  count: ['int', 7n],
  largest: ['int', 2n ** 63n - 1n],
  smallest: ['int', -(2n ** 63n)],
  noCount: ['int', null],
  amount: ['decimal', { unscaled: 1250n, scale: 2 }],
  huge: ['decimal', { unscaled: 10n ** 37n, scale: 0 }],
  noAmount: ['decimal', null],
  flag: ['bool', true],
  noFlag: ['bool', null],
  day: ['date', '2026-02-28'],
  noon: ['time', '12:00:00'],
  local: ['datetime', '2026-02-28T12:30:45.125'],
  utc: ['datetime', '2026-02-28T12:30:45Z'],
};
const fields = Object.entries(values).map(([name, [type]], index): FieldBinding => ({ name, type, index }));
const record = Object.values(values).map(([, value]) => value);

export const recordEnvironment: Environment = {
  scopes: { record: fields },
  statistics: null,
  absent: { out: 'only routes see the output' },
  later: ['calendar'],
  hiddenFields: new Map([['other', 'other is a field of batch']]),
};

/** Exact text of the result, `null`, or `failure`; throws when the checker refuses the text. */
export function resultOf(source: string): string {
  const { expression, problems } = checkExpression({ source, environment: recordEnvironment, expected: null });
  if (expression === null) throw new Error(problems.map((found) => `${found.code}: ${found.message}`).join('; '));
  try {
    const value = evaluate(expression, { field: (_scope, index) => record[index]!, statistic: () => null });
    if (value === null) return 'null';
    return isDecimal(value) ? `decimal ${valueText(value)}` : valueText(value);
  } catch (error) {
    if (error instanceof ExpressionFailure) return 'failure';
    throw error;
  }
}
