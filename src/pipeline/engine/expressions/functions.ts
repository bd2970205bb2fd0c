/**
 * The functions of the language as data: how each is written, what it takes and gives. The checker reads this table;
 * docs/flow-definition.md lists it. The meaning of each is in `evaluate.ts`.
 */
import type { FunctionName, ValueType } from './expression.ts';

/** `number`: int or decimal; `moment`: date or datetime; `any`: every type but null; `literal:…`: written out, not computed. */
export type ParameterType =
  | ValueType
  | 'number'
  | 'moment'
  | 'any'
  | 'text-or-number'
  | 'literal:pattern'
  | 'literal:moment'
  | 'literal:int'
  | 'literal:rounding'
  | 'literal:fill';

export interface FunctionSignature {
  readonly call: FunctionName;
  /** `method`: x.f(…), `function`: f(x, …). */
  readonly style: 'method' | 'function' | 'both';
  readonly parameters: readonly ParameterType[];
  /** How many of the last parameters may be left out. */
  readonly optional?: number;
  readonly result: ValueType;
}

export const functionSignatures: Readonly<Record<string, FunctionSignature>> = {
  size: { call: 'size', style: 'both', parameters: ['string'], result: 'int' },
  startsWith: { call: 'startsWith', style: 'method', parameters: ['string', 'string'], result: 'bool' },
  endsWith: { call: 'endsWith', style: 'method', parameters: ['string', 'string'], result: 'bool' },
  contains: { call: 'contains', style: 'method', parameters: ['string', 'string'], result: 'bool' },
  matches: { call: 'matches', style: 'both', parameters: ['string', 'literal:pattern'], result: 'bool' },
  substring: { call: 'substring', style: 'method', parameters: ['string', 'int', 'int'], optional: 1, result: 'string' },
  trim: { call: 'trim', style: 'method', parameters: ['string'], result: 'string' },
  upper: { call: 'upper', style: 'method', parameters: ['string'], result: 'string' },
  upperAscii: { call: 'upperAscii', style: 'method', parameters: ['string'], result: 'string' },
  lower: { call: 'lower', style: 'method', parameters: ['string'], result: 'string' },
  lowerAscii: { call: 'lowerAscii', style: 'method', parameters: ['string'], result: 'string' },
  replace: { call: 'replace', style: 'method', parameters: ['string', 'string', 'string'], result: 'string' },
  padLeft: { call: 'padLeft', style: 'method', parameters: ['string', 'literal:int', 'literal:fill'], result: 'string' },
  padRight: { call: 'padRight', style: 'method', parameters: ['string', 'literal:int', 'literal:fill'], result: 'string' },
  mask: { call: 'mask', style: 'both', parameters: ['string', 'literal:int', 'literal:int'], result: 'string' },
  string: { call: 'toString', style: 'function', parameters: ['any'], result: 'string' },
  int: { call: 'toInt', style: 'function', parameters: ['text-or-number'], result: 'int' },
  decimal: { call: 'toDecimal', style: 'function', parameters: ['text-or-number'], result: 'decimal' },
  minorUnits: { call: 'minorUnits', style: 'function', parameters: ['decimal'], result: 'int' },
  div: { call: 'divide', style: 'function', parameters: ['number', 'number', 'literal:int', 'literal:rounding'], result: 'decimal' },
  year: { call: 'year', style: 'method', parameters: ['moment'], result: 'int' },
  month: { call: 'month', style: 'method', parameters: ['moment'], result: 'int' },
  day: { call: 'day', style: 'method', parameters: ['moment'], result: 'int' },
  formatDate: { call: 'formatDate', style: 'method', parameters: ['moment', 'literal:moment'], result: 'string' },
};

/** Written like functions, but with a meaning of their own in the checker. */
export const specialForms = ['has', 'coalesce', 'date', 'time', 'datetime'] as const;

/** Functions of CEL or of other products that authors may try, and what to write instead. */
export const insteadOf: Readonly<Record<string, string>> = {
  double: "decimal('…')",
  uint: 'int(…)',
  timestamp: "datetime('…')",
  duration: 'no durations: compare dates',
  now: 'no clock: the result of a file must not depend on when it runs',
  charAt: '.substring(i, i + 1)',
  length: '.size()',
  toUpperCase: '.upper()',
  toLowerCase: '.lower()',
  toString: 'string(x)',
  includes: '.contains(…)',
  slice: '.substring(from, to)',
  getFullYear: '.year()',
  getMonth: '.month()',
  getDate: '.day()',
  isBlank: ".trim() == ''",
};
