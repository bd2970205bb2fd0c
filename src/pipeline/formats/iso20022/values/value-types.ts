/** The simple types of the definitions by name, each with the check of the schema and, for codes, of the code list behind it. */
import { checkBic, checkCountry, checkCurrency, checkIsin, checkLei } from './code-values.ts';
import { checkIban } from './iban.ts';
import { checkDate, checkDateTime, checkTime, checkYear, checkYearMonth } from './moment-values.ts';
import { checkBoolean, checkOneOrMore, type DecimalFacets, decimalOf } from './number-values.ts';
import { eitherOf, patternOf, textOf } from './text-values.ts';
import { type ValueCheck, ValueProblem } from './value-problem.ts';

/** How the currency of an amount is checked; null: the type has no currency. */
export type CurrencyUse = 'active' | 'historic' | null;

/** What of a check can be said without asking it; it is right for texts that have this form, and others may be right too. */
export type ValueForm =
  | { readonly kind: 'text'; readonly least: number; readonly most: number }
  | { readonly kind: 'decimal'; readonly totalDigits: number; readonly fractionDigits: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'iban' };

export interface ValueType {
  readonly check: ValueCheck;
  readonly currency: CurrencyUse;
  readonly form: ValueForm | null;
}

const both =
  (schema: ValueCheck, business: ValueCheck): ValueCheck =>
  (bytes, from, to) =>
    schema(bytes, from, to) ?? business(bytes, from, to);

const unsigned = { totalDigits: 18, isNegativeAllowed: false } as const;
const bic = eitherOf(patternOf('A{6}b{1}o{1}'), patternOf('A{6}b{1}o{1}u{3}'));
const bic2014 = eitherOf(patternOf('u{4}A{2}u{2}'), patternOf('u{4}A{2}u{5}'));

const notBase64 = new ValueProblem('schema', 'schema-binary', 'the text is no base64, or has none or too many bytes');

/** Up to `bytesMax` bytes in base64 (XML Schema part 2, section 3.2.16). */
function base64Of(bytesMax: number): ValueCheck {
  return (bytes, from, to) => {
    const text = bytes.toString('latin1', from, to).replaceAll(/[ \t\r\n]+/g, '');
    const isForm =
      /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) &&
      !/[^AQgw]==$/.test(text) &&
      !/[^AEIMQUYcgkosw048]=$/.test(text.replace(/==$/, ''));
    const size = Buffer.byteLength(text, 'base64');
    return isForm && size >= 1 && size <= bytesMax ? null : notBase64;
  };
}

const decimal = (facets: DecimalFacets, currency: CurrencyUse = null): ValueType => ({
  check: decimalOf(facets),
  currency,
  form: { kind: 'decimal', totalDigits: facets.totalDigits, fractionDigits: facets.fractionDigits },
});

const named: Readonly<Record<string, ValueType | ValueCheck>> = {
  country: both(patternOf('A{2}'), checkCountry),
  currency: both(patternOf('A{3}'), checkCurrency),
  language: patternOf('a{2}'),
  phone: patternOf("'+'n{1,3}'-'p{1,30}"),
  bic: both(bic, checkBic),
  bic2014: both(bic2014, checkBic),
  lei: both(patternOf('u{18}n{2}'), checkLei),
  iban: { check: both(patternOf('A{2}n{2}c{1,30}'), checkIban), currency: null, form: { kind: 'iban' } },
  /** As version 1 of account reports has it. */
  iban2006: both(patternOf('l{2}n{2}c{1,30}'), checkIban),
  ibei: patternOf('A{2}i{7}n{1}'),
  chips: patternOf("'C''H'n{6}"),
  isin: both(patternOf('u{12}'), checkIsin),
  isin2015: both(patternOf('A{2}u{9}n{1}'), checkIsin),
  uuid: patternOf("h{8}'-'h{4}'-''4'h{3}'-'v{1}h{3}'-'h{12}"),
  boolean: checkBoolean,
  date: { check: checkDate, currency: null, form: { kind: 'date' } },
  dateTime: checkDateTime,
  time: checkTime,
  gYear: checkYear,
  gYearMonth: checkYearMonth,
  amount: decimal({ ...unsigned, fractionDigits: 5 }, 'historic'),
  settled: decimal({ ...unsigned, fractionDigits: 5 }, 'active'),
  amount13: decimal({ ...unsigned, fractionDigits: 13 }, 'historic'),
  implied: decimal({ ...unsigned, fractionDigits: 5 }),
  decimal: decimal({ totalDigits: 18, fractionDigits: 17, isNegativeAllowed: true }),
  nonNegative: decimal({ ...unsigned, fractionDigits: 17 }),
  rate: decimal({ totalDigits: 11, fractionDigits: 10, isNegativeAllowed: true }),
  baseRate: decimal({ totalDigits: 11, fractionDigits: 10, isNegativeAllowed: true }),
  number: decimal({ totalDigits: 18, fractionDigits: 0, isNegativeAllowed: true }),
  positive: both(decimalOf({ ...unsigned, fractionDigits: 0 }), checkOneOrMore),
  binary10k: base64Of(10_240),
};

/** `x35` text, `n15` digits, `n8to28` digits, `N3` exactly three digits, `X4` and `c4` letters and digits, `p15` digits with an optional +. */
function sizedCheck(name: string): ValueType | ValueCheck | null {
  const [, kind, size, most] = /^([xnNXcp])([0-9]+)(?:to([0-9]+))?$/.exec(name) ?? [];
  if (kind === undefined || size === undefined) return null;
  if (kind === 'x') return { check: textOf(1, Number(size)), currency: null, form: { kind: 'text', least: 1, most: Number(size) } };
  if (kind === 'N') return patternOf(`n{${size}}`);
  if (kind === 'X') return patternOf(`c{${size}}`);
  if (kind === 'c') return patternOf(`c{1,${size}}`);
  if (kind === 'p') return patternOf(`'+'{0,1}n{1,${size}}`);
  return patternOf(most === undefined ? `n{1,${size}}` : `n{${size},${most}}`);
}

/** Throws for a name that is no simple type: the definitions are part of the product. */
export function valueType(name: string): ValueType {
  const found = named[name] ?? sizedCheck(name);
  if (found === null) throw new Error(`type ${name} is not defined`);
  return typeof found === 'function' ? { check: found, currency: null, form: null } : found;
}
