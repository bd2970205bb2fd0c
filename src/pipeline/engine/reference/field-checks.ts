/**
 * One field of the reference parser: from text to value, in the order of docs/record-rules.md (section 3). Returns the
 * first problem; whether the text could be read as its type is told apart, because amounts depend on it.
 */
import { compilePattern } from '../expressions/patterns.ts';
import { compareNumbers, compareTexts, type Decimal, type Value } from '../expressions/values.ts';
import type { FieldPlan, FormatPlan } from '../plan.ts';
import { ibanMistake, isBicText, isCountryText, isCurrencyText, isIsinText, isLeiText, isLuhnText, isRoutingText } from './code-checks.ts';
import { readMomentText } from './moment-checks.ts';
import { readTextNumber } from './number-forms.ts';
import type { RowProblem } from './rows.ts';

/**
 * A field as it stands in its record. `kind` is that of the JSON value; texts of other formats are `text`, and `unreadable`
 * are bytes, in hexadecimal, that should have been a packed decimal.
 */
export interface FieldText {
  readonly kind: 'absent' | 'text' | 'string' | 'number' | 'boolean' | 'other' | 'unreadable';
  readonly text: string;
}

export interface CheckedField {
  /** After trim; null when absent. */
  readonly text: string | null;
  /** Null when absent or not readable as its type, and where the length of what is no amount is wrong. */
  readonly value: Value;
  readonly problem: RowProblem | null;
}

export const absentField: FieldText = { kind: 'absent', text: '' };

type Reading = { readonly value: Exclude<Value, null> } | { readonly problem: RowProblem };

export function checkField(field: FieldPlan, raw: FieldText, format: FormatPlan): CheckedField {
  const trimmed = field.trim ? raw.text.replace(/^ +/, '').replace(/ +$/, '') : raw.text;
  if (raw.kind === 'absent' || trimmed === '') {
    const problem = field.required ? { code: 'E_REQUIRED', message: 'required' } : null;
    return { text: null, value: null, problem };
  }
  if (raw.kind === 'unreadable') return { text: trimmed, value: null, problem: { code: 'E_PACKED', message: 'not a packed decimal' } };
  const text = field.usage === 'zoned' || field.usage === 'overpunch' ? readTextNumber(field, format, trimmed) : trimmed;
  if (text === null) {
    const message = field.usage === 'zoned' ? 'not a zoned decimal' : 'not an overpunched number';
    return { text: trimmed, value: null, problem: { code: 'E_ZONED', message } };
  }
  const wrongKind = checkKind(field, raw.kind);
  if (wrongKind !== null) return { text, value: null, problem: wrongKind };
  const wrongLength = checkLength(field, text);
  if (wrongLength !== null && !field.sum) return { text, value: null, problem: wrongLength };
  const reading = readValue(field, text);
  if ('problem' in reading) return { text, value: null, problem: wrongLength ?? reading.problem };
  return { text, value: reading.value, problem: wrongLength ?? checkValue(field, text, reading.value) };
}

function checkKind(field: FieldPlan, kind: FieldText['kind']): RowProblem | null {
  const isNumeric = field.type === 'int' || field.type === 'decimal';
  const isAccepted =
    kind === 'text' || (field.type === 'boolean' ? kind === 'boolean' : kind === 'string' || (kind === 'number' && isNumeric));
  return isAccepted
    ? null
    : { code: 'E_TYPE', message: `not a JSON ${field.type === 'boolean' ? 'boolean' : isNumeric ? 'number or string' : 'string'}` };
}

function checkLength(field: FieldPlan, text: string): RowProblem | null {
  if (field.minLength === null && field.maxLength === null) return null;
  const length = Array.from(text).length;
  const isRight = (field.minLength === null || length >= field.minLength) && (field.maxLength === null || length <= field.maxLength);
  return isRight ? null : { code: 'E_LENGTH', message: lengthText(field) };
}

function lengthText({ minLength, maxLength }: FieldPlan): string {
  if (minLength === null) return `longer than ${maxLength} characters`;
  return maxLength === null ? `shorter than ${minLength} characters` : `not ${minLength} to ${maxLength} characters long`;
}

function checkValue(field: FieldPlan, text: string, value: Exclude<Value, null>): RowProblem | null {
  if (field.enum !== null && !field.enum.includes(text)) return { code: 'E_ENUM', message: 'not an allowed value' };
  if (field.pattern !== null && !matchesPattern(field.pattern, text)) return { code: 'E_PATTERN', message: 'does not match the pattern' };
  if (field.min !== null && compareWithBound(field, value, field.min) < 0) return { code: 'E_RANGE', message: 'out of bounds' };
  if (field.max !== null && compareWithBound(field, value, field.max) > 0) return { code: 'E_RANGE', message: 'out of bounds' };
  return null;
}

function matchesPattern(pattern: string, text: string): boolean {
  const isAnchored = pattern.startsWith('^') || /(?<!\\)(\\\\)*\$$/.test(pattern);
  return compilePattern(pattern, isAnchored ? 'part' : 'whole')(text);
}

/** Bounds are in canonical form. A datetime is compared with its bound as both are written, without zone; a missing fraction is none. */
function compareWithBound(field: FieldPlan, value: Exclude<Value, null>, bound: string): number {
  if (field.type === 'int') return compareNumbers(value as bigint, BigInt(bound));
  if (field.type === 'decimal') return compareNumbers(value as Decimal, readExplicitDecimal(bound));
  if (field.type === 'datetime' || field.type === 'time') {
    const limit = readMomentText(field.type, null, bound) ?? bound;
    return compareTexts(withMilliseconds(value as string), withMilliseconds(limit));
  }
  return compareTexts(String(value), bound);
}

function withMilliseconds(moment: string): string {
  return moment.replace(/Z$/, '').replace(/(:[0-9]{2})$/, '$1.000');
}

function readExplicitDecimal(text: string): Decimal {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return { unscaled: BigInt(whole + fraction), scale: fraction.length };
}

function readValue(field: FieldPlan, text: string): Reading {
  const accept = (isRight: boolean, code: string, message: string): Reading => (isRight ? { value: text } : { problem: { code, message } });
  switch (field.type) {
    case 'string':
      return { value: text };
    case 'int':
      return readInt(text);
    case 'decimal':
      return readDecimalText(field, text);
    case 'date':
      return readMoment(field, text, { code: 'E_DATE', message: `not a date as ${field.dateFormat ?? 'yyyy-MM-dd'}` });
    case 'time':
      return readMoment(field, text, { code: 'E_TIME', message: `not a time of day as ${field.dateFormat ?? 'HH:mm:ss'}` });
    case 'datetime':
      return readMoment(field, text, {
        code: 'E_DATETIME',
        message: `not a date and time as ${field.dateFormat ?? 'yyyy-MM-ddTHH:mm:ss'}`,
      });
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : accept(false, 'E_BOOLEAN', 'neither true nor false');
    case 'iban': {
      const mistake = ibanMistake(text);
      return accept(mistake === null, 'E_IBAN', `not an IBAN: ${mistake}`);
    }
    case 'bic':
      return accept(isBicText(text), 'E_BIC', 'not a BIC');
    case 'aba-routing':
      return accept(isRoutingText(text), 'E_ABA', 'not an ABA routing number');
    case 'lei':
      return accept(isLeiText(text), 'E_LEI', 'not a legal entity identifier');
    case 'isin':
      return accept(isIsinText(text), 'E_ISIN', 'not an ISIN');
    case 'currency':
      return accept(isCurrencyText(text), 'E_CURRENCY', 'not a currency code');
    case 'country':
      return accept(isCountryText(text), 'E_COUNTRY', 'not a country code');
    case 'luhn':
      return accept(isLuhnText(text), 'E_LUHN', 'not a number with a valid Luhn digit');
  }
}

function readMoment(field: FieldPlan, text: string, problem: RowProblem): Reading {
  const value = readMomentText(field.type as 'date' | 'time' | 'datetime', field.dateFormat, text);
  return value === null ? { problem } : { value };
}

function readInt(text: string): Reading {
  if (!/^-?[0-9]+$/.test(text)) return { problem: { code: 'E_INT', message: 'not an integer' } };
  const value = hasDigitsOver(text, 19) ? null : BigInt(text);
  if (value === null || BigInt.asIntN(64, value) !== value) return { problem: { code: 'E_RANGE', message: 'integer beyond 64 bits' } };
  return { value };
}

function readDecimalText(field: FieldPlan, text: string): Reading {
  const { point, scale } = field;
  const match = (point === 'implied' ? /^(-?)([0-9]+)$/ : /^(-?)([0-9]+)(?:\.([0-9]+))?$/).exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null) return { problem: { code: 'E_DECIMAL', message: 'not a decimal number' } };
  if (fraction.length > scale) {
    return { problem: { code: 'E_DECIMAL', message: `more digits after the point than its scale of ${scale}` } };
  }
  const digits = point === 'implied' ? match[2]! : match[2]! + fraction.padEnd(scale, '0');
  if (hasDigitsOver(digits, 38)) return { problem: { code: 'E_RANGE', message: 'more than 38 digits' } };
  const magnitude = BigInt(digits);
  return { value: { unscaled: match[1] === '-' ? -magnitude : magnitude, scale } };
}

/** Told from the text: a number as long as a record may be takes long to make. */
function hasDigitsOver(text: string, digitsMax: number): boolean {
  return text.replace(/^-?0*/, '').length > digitsMax;
}
