/**
 * Checks one field's text against its plan, in the order that docs/record-rules.md gives (section 3), and makes its
 * value. The exact meaning of a field; generated kernels may only be faster.
 */
import { fieldErrors } from '../engine-errors.ts';
import { compilePattern } from '../expressions/patterns.ts';
import { textSize } from '../expressions/text-functions.ts';
import { compareMoments, compareNumbers, compareTexts, type Decimal, parseDecimal, type Value } from '../expressions/values.ts';
import type { FieldPlan, FormatPlan, RecordPlan } from '../plan.ts';
import { receivedTable } from '../records/window-bytes.ts';
import { ibanFault, isBic, isCountry, isCurrency, isIsin, isLei, isLuhn, isRoutingNumber } from './code-types.ts';
import { FieldProblem } from './field-problem.ts';
import { createSignedReader, type SignedReader } from './held-numbers.ts';
import { createMomentReader } from './moment-types.ts';
import { readDecimal, readInteger } from './number-types.ts';
import { isAnchored, parseSimplePattern, simpleExpression } from './simple-pattern.ts';

type Present = Exclude<Value, null>;
/**
 * The kind of a JSON value; texts of delimited and fixed-width records are `text`. `unreadable`: the text is bytes in
 * hexadecimal that should have been a packed decimal.
 */
export type TextKind = 'text' | 'string' | 'number' | 'boolean' | 'other' | 'unreadable';

/** Null text: absent. `value` is set whenever the type check passed, also when another check failed. */
export class FieldReader {
  readonly plan: FieldPlan;
  readonly #readType: (text: string) => Present | FieldProblem;
  readonly #matches: ((text: string) => boolean) | null;
  readonly #allowed: ReadonlySet<string> | null;
  readonly #min: Present | null;
  readonly #max: Present | null;
  readonly #readSigned: SignedReader | null;
  readonly #problems: ReturnType<typeof describeProblems>;
  /** Result of the last `read`. */
  value: Value = null;
  text: string | null = null;
  problem: FieldProblem | null = null;

  /** `format`: of the plan that the field is part of. */
  constructor(plan: FieldPlan, format: FormatPlan) {
    this.plan = plan;
    this.#readSigned = createSignedReader(plan, receivedTable(format));
    this.#readType = createTypeReader(plan);
    this.#matches = plan.pattern === null ? null : createMatcher(plan.pattern);
    this.#allowed = plan.enum === null ? null : new Set(plan.enum);
    this.#min = plan.min === null ? null : readBound(plan, plan.min);
    this.#max = plan.max === null ? null : readBound(plan, plan.max);
    this.#problems = describeProblems(plan);
  }

  /** The number just read, without its point; null for a text that is none. */
  get unscaled(): bigint | null {
    const { value } = this;
    return value === null ? null : typeof value === 'bigint' ? value : (value as Decimal).unscaled;
  }

  read(raw: string | null, kind: TextKind): void {
    const text = raw !== null && this.plan.trim ? trimSpaces(raw) : raw;
    this.value = null;
    if (text === null || text === '') {
      this.text = null;
      this.problem = this.plan.required ? this.#problems.required : null;
      return;
    }
    const digits = this.#readSigned === null ? text : this.#readSigned(text);
    this.text = digits ?? text;
    this.problem = digits === null ? this.#problems.sign : this.#check(digits, kind);
  }

  #check(text: string, kind: TextKind): FieldProblem | null {
    const { plan } = this;
    if (kind === 'unreadable') return this.#problems.packed;
    if (!acceptsKind(plan, kind)) return this.#problems.kind;
    const hasLength = isAsLong(text, plan);
    // The amount of a rejected record counts: it is read whatever its length.
    if (!hasLength && !plan.sum) return this.#problems.length;
    const value = this.#readType(text);
    if (!(value instanceof FieldProblem)) this.value = value;
    if (!hasLength) return this.#problems.length;
    if (value instanceof FieldProblem) return value;
    if (this.#allowed !== null && !this.#allowed.has(text)) return this.#problems.enum;
    if (this.#matches !== null && !this.#matches(text)) return this.#problems.pattern;
    if (this.#min !== null && compareBound(value, this.#min, plan) < 0) return this.#problems.range;
    if (this.#max !== null && compareBound(value, this.#max, plan) > 0) return this.#problems.range;
    return null;
  }
}

const readersByRecord = new WeakMap<RecordPlan, { readonly format: FormatPlan; readonly readers: readonly FieldReader[] }>();

/** The readers of a record type of a format, made once: their patterns and sets are worth keeping. Results are to be taken at once. */
export function fieldReaders(record: RecordPlan, format: FormatPlan): readonly FieldReader[] {
  const kept = readersByRecord.get(record);
  if (kept?.format === format) return kept.readers;
  const readers = record.fields.map((field) => new FieldReader(field, format));
  readersByRecord.set(record, { format, readers });
  return readers;
}

/** Spaces U+0020 only. */
export function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) === 0x20) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isAsLong(text: string, { minLength, maxLength }: FieldPlan): boolean {
  if (minLength === null && maxLength === null) return true;
  const size = textSize(text);
  return size >= (minLength ?? 0) && size <= (maxLength ?? Number.POSITIVE_INFINITY);
}

function acceptsKind(plan: FieldPlan, kind: TextKind): boolean {
  if (kind === 'text') return true;
  if (plan.type === 'boolean') return kind === 'boolean';
  return kind === 'string' || (kind === 'number' && (plan.type === 'int' || plan.type === 'decimal'));
}

/** RE2 is loaded only where a pattern needs it. */
function createMatcher(pattern: string): (text: string) => boolean {
  const simple = parseSimplePattern(pattern);
  if (simple === null) return compilePattern(pattern, isAnchored(pattern) ? 'part' : 'whole');
  const expression = simpleExpression(simple);
  return (text) => expression.test(text);
}

/** One for each fault: problems are compared by identity. */
const ibanProblems = {
  country: new FieldProblem(fieldErrors.E_IBAN, 'not an IBAN: it begins with no country that has them'),
  length: new FieldProblem(fieldErrors.E_IBAN, 'not an IBAN: it is not as long as those of its country'),
  characters: new FieldProblem(fieldErrors.E_IBAN, 'not an IBAN: its country has letters and digits in other places'),
  'check digits': new FieldProblem(fieldErrors.E_IBAN, 'not an IBAN: its check digits are wrong'),
} as const;

function readIban(text: string): string | FieldProblem {
  const fault = ibanFault(text);
  return fault === null ? text : ibanProblems[fault];
}

function createTypeReader(plan: FieldPlan): (text: string) => Present | FieldProblem {
  const among = (isOne: (text: string) => boolean, code: string, message: string) => {
    const problem = new FieldProblem(code, message);
    return (text: string) => (isOne(text) ? text : problem);
  };
  switch (plan.type) {
    case 'string':
      return (text) => text;
    case 'int':
      return readInteger;
    case 'decimal':
      return (text) => readDecimal(text, plan);
    case 'date':
    case 'time':
    case 'datetime':
      return createMomentTypeReader(plan.type, plan.dateFormat);
    case 'boolean': {
      const problem = new FieldProblem(fieldErrors.E_BOOLEAN, 'neither true nor false');
      return (text) => (text === 'true' ? true : text === 'false' ? false : problem);
    }
    case 'iban':
      return readIban;
    case 'bic':
      return among(isBic, fieldErrors.E_BIC, 'not a BIC');
    case 'aba-routing':
      return among(isRoutingNumber, fieldErrors.E_ABA, 'not an ABA routing number');
    case 'lei':
      return among(isLei, fieldErrors.E_LEI, 'not a legal entity identifier');
    case 'isin':
      return among(isIsin, fieldErrors.E_ISIN, 'not an ISIN');
    case 'currency':
      return among(isCurrency, fieldErrors.E_CURRENCY, 'not a currency code');
    case 'country':
      return among(isCountry, fieldErrors.E_COUNTRY, 'not a country code');
    case 'luhn':
      return among(isLuhn, fieldErrors.E_LUHN, 'not a number with a valid Luhn digit');
  }
}

const moments = {
  date: [fieldErrors.E_DATE, 'not a date', 'yyyy-MM-dd'],
  time: [fieldErrors.E_TIME, 'not a time of day', 'HH:mm:ss'],
  datetime: [fieldErrors.E_DATETIME, 'not a date and time', 'yyyy-MM-ddTHH:mm:ss'],
} as const;

function createMomentTypeReader(type: 'date' | 'time' | 'datetime', format: string | null): (text: string) => string | FieldProblem {
  const read = createMomentReader(type, format);
  const [code, what, usual] = moments[type];
  const problem = new FieldProblem(code, `${what} as ${format ?? usual}`);
  return (text) => read(text) ?? problem;
}

/** Bounds are written in canonical form: ISO 8601, decimals with a point and of any scale. */
function readBound(plan: FieldPlan, text: string): Present {
  if (plan.type === 'decimal') return parseDecimal(text);
  const value = createTypeReader({ ...plan, dateFormat: null })(text);
  if (value instanceof FieldProblem) throw new Error(`bound of field ${JSON.stringify(plan.name)} is no ${plan.type}`);
  return value;
}

function compareBound(value: Present, bound: Present, plan: FieldPlan): number {
  if (plan.type === 'int' || plan.type === 'decimal') return compareNumbers(value as bigint | Decimal, bound as bigint | Decimal);
  if (plan.type === 'datetime' || plan.type === 'time') return compareWithoutZones(value as string, bound as string);
  return compareTexts(String(value), String(bound));
}

/** A bound without an offset applies to the moment as written and the other way round. */
function compareWithoutZones(value: string, bound: string): number {
  return compareMoments(withoutZone(value), withoutZone(bound));
}

function withoutZone(moment: string): string {
  return moment.endsWith('Z') ? moment.slice(0, -1) : moment;
}

function describeProblems(plan: FieldPlan) {
  return {
    required: new FieldProblem(fieldErrors.E_REQUIRED, 'required'),
    kind: new FieldProblem(
      fieldErrors.E_TYPE,
      `not a JSON ${plan.type === 'boolean' ? 'boolean' : plan.type === 'int' || plan.type === 'decimal' ? 'number or string' : 'string'}`,
    ),
    packed: new FieldProblem(fieldErrors.E_PACKED, 'not a packed decimal'),
    sign: new FieldProblem(fieldErrors.E_ZONED, plan.usage === 'overpunch' ? 'not an overpunched number' : 'not a zoned decimal'),
    length: new FieldProblem(fieldErrors.E_LENGTH, describeLength(plan)),
    enum: new FieldProblem(fieldErrors.E_ENUM, 'not an allowed value'),
    pattern: new FieldProblem(fieldErrors.E_PATTERN, 'does not match the pattern'),
    range: new FieldProblem(fieldErrors.E_RANGE, 'out of bounds'),
  };
}

function describeLength(plan: FieldPlan): string {
  if (plan.minLength !== null && plan.maxLength !== null) return `not ${plan.minLength} to ${plan.maxLength} characters long`;
  return plan.minLength !== null ? `shorter than ${plan.minLength} characters` : `longer than ${plan.maxLength} characters`;
}
