/** From the fields of one record type to the Plan's: types, options and bounds. Where each is, is `field-places.ts`. */

import { expressionProblems } from '../../../pipeline/engine/expressions/expression-errors.ts';
import { parseMomentPattern } from '../../../pipeline/engine/expressions/moments.ts';
import { patternProblem } from '../../../pipeline/engine/expressions/patterns.ts';
import { compareMoments, compareNumbers, compareTexts, parseDecimal, parseInteger } from '../../../pipeline/engine/expressions/values.ts';
import { createMomentReader } from '../../../pipeline/engine/fields/moment-types.ts';
import type { FieldPlan, FormatPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { FieldDefinition, FieldDefinitions } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { placeFields } from './field-places.ts';
import { checkUsage, checkUsages, isHeldNumber, numberForm } from './field-usages.ts';

export interface FieldsRequest {
  readonly fields: FieldDefinitions;
  readonly format: FormatPlan;
  readonly path: Path;
  readonly isEnvelope: boolean;
}

const momentTypes = ['date', 'time', 'datetime'];

export function compileFields(request: FieldsRequest, report: Report): FieldPlan[] {
  const { fields, format, path } = request;
  const names = Object.keys(fields);
  const places = placeFields(request, report);
  checkUsages(request, report);
  return names.map((name, index) => {
    const field = fields[name]!;
    const at = [...path, name];
    checkUsage({ field, format, path: at }, report);
    checkField({ field, path: at, isEnvelope: request.isEnvelope }, report);
    return {
      name,
      type: field.type,
      at: places[index]!,
      required: field.required,
      trim: field.trim ?? format.type === 'fixed-width',
      minLength: field.minLength ?? null,
      maxLength: field.maxLength ?? null,
      pattern: field.pattern ?? null,
      enum: field.enum ?? null,
      min: field.min ?? null,
      max: field.max ?? null,
      point: isHeldNumber(field) ? 'implied' : field.point,
      scale: field.type === 'decimal' ? (field.scale ?? 0) : 0,
      ...numberForm(field),
      dateFormat: field.format ?? null,
      unique: field.unique ?? null,
      sum: field.sum,
      currencyField: currencyIndex({ name, fields, path: at }, report),
      mask: field.mask,
      class: field.class ?? null,
      search: null,
    };
  });
}

interface FieldCheck {
  readonly field: FieldDefinition;
  readonly path: Path;
  readonly isEnvelope: boolean;
}

function checkField(check: FieldCheck, report: Report): void {
  const { field, path } = check;
  const conflict = (key: string, message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, key], message });
  if (field.type === 'decimal' && field.scale === undefined) {
    report.add({
      code: flowErrors.E_CONFIG_KEY,
      path,
      message: `scale is missing in ${path.at(-1)}: a decimal says how many digits it has after the point`,
    });
  }
  if (field.type !== 'decimal' && field.scale !== undefined) conflict('scale', `scale is for decimals, not for ${field.type}`);
  if (field.type !== 'decimal' && field.point === 'implied') conflict('point', `point is for decimals, not for ${field.type}`);
  if (field.sum && field.type !== 'decimal' && field.type !== 'int') conflict('sum', `only decimal and int are summed, not ${field.type}`);
  if (field.currency !== undefined && !field.sum) conflict('currency', 'currency is for summed fields; add sum: true or leave it out');
  if (check.isEnvelope && field.sum) conflict('sum', 'header and trailer fields are not summed');
  if (check.isEnvelope && field.unique !== undefined) conflict('unique', 'header and trailer are there once');
  if ((field.minLength ?? 0) > (field.maxLength ?? Number.POSITIVE_INFINITY)) conflict('minLength', 'minLength is greater than maxLength');
  if (field.mask !== 'none' && field.class === undefined && field.type === 'boolean') conflict('mask', 'a boolean has nothing to mask');
  checkPattern(check, report);
  checkMomentFormat(check, report);
  checkBounds(check, report);
}

function checkPattern({ field, path }: FieldCheck, report: Report): void {
  if (field.pattern === undefined) return;
  const wrong = patternProblem(field.pattern);
  if (wrong !== null) report.add({ code: expressionProblems.E_PATTERN_REFUSED, path: [...path, 'pattern'], message: wrong, atValue: true });
}

/** Which parts a format must and may hold. */
const momentParts: Readonly<Record<string, { readonly needed: readonly string[]; readonly allowed: readonly string[] }>> = {
  date: { needed: ['yyyy'], allowed: ['yyyy', 'MM', 'dd'] },
  time: { needed: ['HH'], allowed: ['HH', 'mm', 'ss', 'SSS'] },
  datetime: { needed: ['yyyy', 'HH'], allowed: ['yyyy', 'MM', 'dd', 'HH', 'mm', 'ss', 'SSS'] },
};

function checkMomentFormat({ field, path }: FieldCheck, report: Report): void {
  if (field.format === undefined) return;
  const refuse = (message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_VALUE, path: [...path, 'format'], message, atValue: true });
  if (!momentTypes.includes(field.type)) {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, 'format'],
      message: `format is for date, time and datetime, not for ${field.type}`,
    });
    return;
  }
  const tokens = parseMomentPattern(field.format)?.flatMap((part) => ('token' in part ? [part.token] : []));
  const parts = momentParts[field.type]!;
  if (tokens === undefined) refuse('format holds letters other than yyyy MM dd HH mm ss SSS, T and Z');
  else if (new Set(tokens).size !== tokens.length) refuse('format holds a part twice');
  else if (tokens.some((token) => !parts.allowed.includes(token))) refuse(`format of a ${field.type} may hold ${parts.allowed.join(' ')}`);
  else if (parts.needed.some((token) => !(tokens as string[]).includes(token)))
    refuse(`format of a ${field.type} must hold ${parts.needed.join(' ')}`);
  else if (field.at !== undefined && field.format.length > field.at[1])
    refuse(`format is ${field.format.length} characters, and the field ${field.at[1]} bytes`);
}

type Compare = (left: string, right: string) => number;

/** Null when the text is no value of the field's type. */
function boundReader(field: FieldDefinition): { isValue(text: string): boolean; compare: Compare } | null {
  switch (field.type) {
    case 'int':
      return { isValue: (text) => succeeds(() => parseInteger(text)), compare: (a, b) => compareNumbers(parseInteger(a), parseInteger(b)) };
    case 'decimal':
      return {
        isValue: (text) => succeeds(() => parseDecimal(text)) && parseDecimal(text).scale <= (field.scale ?? 18),
        compare: (a, b) => compareNumbers(parseDecimal(a), parseDecimal(b)),
      };
    case 'date':
    case 'time':
    case 'datetime': {
      const read = createMomentReader(field.type, null);
      return { isValue: (text) => read(text) !== null, compare: (a, b) => compareMoments(read(a)!, read(b)!) };
    }
    case 'string':
      return { isValue: () => true, compare: compareTexts };
    default:
      return null;
  }
}

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

function checkBounds({ field, path }: FieldCheck, report: Report): void {
  const bounds = (['min', 'max'] as const).filter((key) => field[key] !== undefined);
  if (bounds.length === 0) return;
  const reader = boundReader(field);
  if (reader === null) {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, bounds[0]!],
      message: `${field.type} has no least or greatest value`,
    });
    return;
  }
  const wrong = bounds.filter((key) => !reader.isValue(field[key]!));
  const kind = momentTypes.includes(field.type)
    ? `${field.type} in ISO 8601`
    : field.type === 'decimal'
      ? `decimal of at most ${field.scale ?? 18} digits after the point`
      : field.type;
  for (const key of wrong)
    report.add({ code: flowErrors.E_CONFIG_VALUE, path: [...path, key], message: `${key} must be a ${kind}`, atValue: true });
  if (wrong.length > 0 || bounds.length < 2) return;
  const isReversed = succeeds(() => reader.compare(field.min!, field.max!)) ? reader.compare(field.min!, field.max!) > 0 : true;
  if (isReversed)
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'min'], message: 'min is greater than max: no value fits' });
}

function currencyIndex(request: { name: string; fields: FieldDefinitions; path: Path }, report: Report): number | null {
  const { name, fields, path } = request;
  const currency = fields[name]!.currency;
  if (currency === undefined) return null;
  const names = Object.keys(fields);
  const index = names.indexOf(currency);
  const at = [...path, 'currency'];
  if (index < 0) {
    const nearest = nearestName(currency, names);
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: at,
      message: `no field ${currency}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
      atValue: true,
    });
    return null;
  }
  const { type } = fields[currency]!;
  if (type !== 'string' && type !== 'currency') {
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: at,
      message: `${currency} is ${type}; a currency is a string or currency field`,
      atValue: true,
    });
  }
  return index;
}
