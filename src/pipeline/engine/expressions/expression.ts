/**
 * The typed expression tree that CEL text is checked into. Evaluated by `evaluate.ts` (the meaning), compiled by the
 * kernel for the common forms (the speed); a differential fuzz holds the two equal. Plain data, JSON-safe.
 */

/** `decimal` carries its scale in the value: unscaled bigint + scale. Strings are sequences of code points. */
export type ValueType = 'string' | 'int' | 'decimal' | 'bool' | 'date' | 'time' | 'datetime' | 'null';

export type Scope = 'record' | 'out' | 'header' | 'trailer';

export type Expression =
  | {
      readonly kind: 'literal';
      readonly type: ValueType /** int and decimal as exact text, bool as 'true'/'false', dates as ISO 8601. */;
      readonly value: string | null;
    }
  | {
      readonly kind: 'field';
      readonly type: ValueType;
      readonly scope: Scope;
      /** Field index in its record type, or output field index for `out`. */
      readonly index: number;
      readonly name: string;
    }
  /** File scope only: `stats.records|valid|rejected|filtered`, `stats.sum.f`, `stats.sumBy.f[currency]`, `stats.count.type`. */
  | {
      readonly kind: 'statistic';
      readonly type: ValueType;
      readonly name: 'records' | 'valid' | 'rejected' | 'filtered' | 'sum' | 'sumBy' | 'count';
      readonly field: string | null;
      readonly key: string | null;
    }
  | { readonly kind: 'call'; readonly type: ValueType; readonly name: FunctionName; readonly arguments: readonly Expression[] }
  /** `value in [a, b, …]` with literals only. */
  | { readonly kind: 'in'; readonly type: 'bool'; readonly value: Expression; readonly list: readonly Expression[] };

/**
 * Operators and functions, one list. `&&`, `||`, `?:` evaluate as CEL says (short-circuit, an error on one side of
 * `&&`/`||` is absorbed when the other side decides). Everything else: a null operand is E_EXPRESSION, except in
 * `isNull`, `coalesce`, `==` and `!=` against the literal null.
 */
export type FunctionName =
  | 'and'
  | 'or'
  | 'not'
  | 'conditional'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'modulo'
  | 'negate'
  | 'divide' /* (a, b, scale, 'half-up'|'half-even'|'down') */
  | 'concat'
  | 'size'
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'matches' /* literal RE2 pattern, partial match */
  | 'substring' /* (text, from) | (text, from, to), clamped */
  | 'trim'
  | 'upper'
  | 'upperAscii'
  | 'lower'
  | 'lowerAscii'
  | 'replace'
  | 'padLeft'
  | 'padRight' /* (text, width, fill) */
  | 'mask' /* (text, keepFirst, keepLast): the middle becomes '*' */
  | 'toString'
  | 'toInt'
  | 'toDecimal' /* ('1.50') or (int) */
  | 'minorUnits' /* decimal → int of its unscaled value */
  | 'year'
  | 'month'
  | 'day'
  | 'formatDate' /* (date|datetime, literal pattern) */
  | 'isNull'
  | 'coalesce';
