/**
 * Source that accepts one field at `s<i>`: sets `e<i>` and whatever expressions need, or leaves the record to the slow path
 * with `break row`. It accepts a subset of what the slow path accepts, with the same values.
 */
import { parseMomentPattern } from '../expressions/moments.ts';
import { type PatternAtom, parseSimplePattern } from '../fields/simple-pattern.ts';
import type { FieldPlan } from '../plan.ts';
import { heldNumberCode } from './held-number-code.ts';
import { matchesBytes, packBytes, type SourceContext } from './source-context.ts';
import type { CharacterRange } from './span-function.ts';

/** How a layout finds the end of a text, and which bytes may not be run over before it is known. */
export interface TextLayout {
  /** Sets `e<i>` and `f<i>` (1: needs an escape in JSON, 2: not ASCII) by scanning from `s<i>`. */
  scan(index: number): string;
  /** Upper bound of the field where it is known beforehand: a variable's name. */
  bound(index: number): string | null;
  /** Bytes that end or interrupt a field: code that runs over characters must not take them. */
  readonly reserved: ReadonlySet<number>;
}

/** Enumerations beyond this are looked up by the slow check's set. */
const enumValuesMax = 32;
const fixedLengthMax = 48;
/** Runs that may be at least so long are run over 16 bytes at a time, unless their class has more ranges. */
const spanLengthMin = 16;
const spanRangesMax = 4;
/** Digits that a double holds exactly, the scale's zeros included. */
const exactDigits = 15;

export function fieldCode(context: SourceContext, layout: TextLayout, index: number): string {
  const field = context.field(index);
  const code = typeCode(context, layout, index, field);
  return code ?? checkedText(context, layout, index);
}

/** What values of fields of other types than string are written with. */
const isOfTypes = (byte: number): boolean => /[-.A-Za-z0-9]/.test(String.fromCharCode(byte));

/** False where a byte that ends or interrupts fields may be in the value of one, which code that knows its values would run over. */
export function endsApart({ reserved }: TextLayout, fields: readonly FieldPlan[]): boolean {
  const literals = fields.flatMap((field) => (field.type === 'date' ? (dateShape(field)?.literals ?? []) : []));
  return ![...reserved].some((byte) => isOfTypes(byte)) && !literals.some(({ byte }) => reserved.has(byte));
}

/** Whether `v<index>` holds the position in the field's enum. */
export function hasEnumIndex(field: FieldPlan, reserved: ReadonlySet<number>): boolean {
  if (field.type !== 'string' || field.enum === null || field.pattern !== null || field.min !== null || field.max !== null) return false;
  if (field.minLength !== null || field.maxLength !== null || field.enum.length > enumValuesMax) return false;
  return field.enum.every((value) => {
    const bytes = Buffer.from(value, 'utf8');
    return (
      bytes.length > 0 &&
      bytes.length <= fixedLengthMax &&
      bytes.every((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && !reserved.has(byte))
    );
  });
}

/** A text whose checks beyond its end are the slow path's own, called on it. */
function checkedText(context: SourceContext, layout: TextLayout, index: number): string {
  const field = context.field(index);
  return `${layout.scan(index)}${validText(context, index)}if(!X.accepts(${index},s${index},e${index}))break row;${field.type === 'boolean' ? `v${index}=b[s${index}]===116?1:0;` : ''}`;
}

/** `hi` is 2 until the record is known to be valid UTF-8. */
function validText(context: SourceContext, index: number): string {
  return `if((f${index}&hi)!==0){${context.notAscii}}`;
}

function typeCode(context: SourceContext, layout: TextLayout, index: number, field: FieldPlan): string | null {
  switch (field.type) {
    case 'string':
      return stringCode(context, layout, index, field);
    case 'int':
    case 'decimal':
      return numberCode(context, layout, index, field);
    case 'date':
      return hasDateNumber(field) ? dateCode(context, index, dateShape(field)!) : null;
    case 'boolean':
      return hasExtraChecks(field) ? null : booleanCode(index);
    case 'iban':
      return hasExtraChecks(field) ? null : ibanCode(index);
    case 'currency':
      return hasExtraChecks(field) ? null : `if(!isCurrency(s${index}))break row;e${index}=s${index}+3;`;
    case 'country':
      return hasExtraChecks(field) ? null : `if(!isCountry(s${index}))break row;e${index}=s${index}+2;`;
    case 'time':
    case 'datetime':
    case 'bic':
    case 'aba-routing':
    case 'lei':
    case 'isin':
    case 'luhn':
      return null;
  }
}

/** A country with several structures has length 0 here and is asked of the slow check. */
function ibanCode(index: number): string {
  return `e${index}=s${index}+iban(s${index}+WINDOW,IBANS);if(e${index}===s${index})break row;`;
}

function booleanCode(index: number): string {
  const [yes, no] = [Buffer.from('true'), Buffer.from('false')];
  return `if(${matchesBytes(`s${index}`, yes)}){v${index}=1;e${index}=4}else if(${matchesBytes(`s${index}`, no)}){v${index}=0;e${index}=5}else break row;e${index}+=s${index};`;
}

function stringCode(context: SourceContext, layout: TextLayout, index: number, field: FieldPlan): string | null {
  if (field.min !== null || field.max !== null) return null;
  if (hasEnumIndex(field, layout.reserved)) return enumCode(index, field.enum!);
  if (field.enum !== null) return null;
  if (field.pattern === null) return `${layout.scan(index)}${validText(context, index)}${lengthCode(index, field)}`;
  const pattern = parseSimplePattern(field.pattern);
  if (pattern === null) return null;
  const atoms = [...pattern.atoms, ...pattern.optional];
  const canRun = atoms.every((atom) => atom.members.every((isMember, unit) => !isMember || !layout.reserved.has(unit)));
  const known = layout.bound(index);
  if (canRun && known === null && !field.trim) {
    const flags = atoms.some((atom) => atom.members.some((isMember, unit) => isMember && needsEscape(unit))) ? 1 : 0;
    return `f${index}=${flags};${patternCode(context, index, pattern, null)}${lengthCode(index, field)}`;
  }
  return `${layout.scan(index)}if((f${index}&2)!==0)break row;${patternCode(context, index, pattern, `e${index}`)}${lengthCode(index, field)}`;
}

function needsEscape(unit: number): boolean {
  return unit < 0x20 || unit === 0x22 || unit === 0x5c;
}

/** `bound`: the end is known and the pattern has to reach exactly it; else the run's end is the field's end. */
function patternCode(
  context: SourceContext,
  index: number,
  pattern: { readonly atoms: readonly PatternAtom[]; readonly optional: readonly PatternAtom[] },
  bound: string | null,
): string {
  const run = (atom: PatternAtom): string => atomCode(context, atom, bound);
  const group =
    pattern.optional.length === 0
      ? ''
      : `if(${bound === null ? '' : `k<${bound}&&`}${memberTest(context, pattern.optional[0]!, 'b[k]')}){${pattern.optional.map(run).join('')}}`;
  const end = bound === null ? `e${index}=k;` : `if(k!==${bound})break row;`;
  return `{let k=s${index},z=0;${pattern.atoms.map(run).join('')}${group}${end}}`;
}

function atomCode(context: SourceContext, atom: PatternAtom, bound: string | null): string {
  const inBound = bound === null ? '' : `k<${bound}&&`;
  if (atom.min === atom.max && atom.min <= fixedLengthMax) return fixedAtomCode(context, atom, bound);
  const limits = [atom.min > 0 ? `k-z<${atom.min}` : '', atom.max < Number.MAX_SAFE_INTEGER ? `k-z>${atom.max}` : ''].filter(
    (limit) => limit !== '',
  );
  const check = limits.length > 0 ? `if(${limits.join('||')})break row;` : '';
  const ranges = rangesOf(atom);
  // A class with the line feed could run beyond the window.
  if (atom.max >= spanLengthMin && ranges.length <= spanRangesMax && !atom.members[0x0a]) {
    const end = `${context.span(ranges)}(k)`;
    return `z=k;k=${bound === null ? end : `min(${end},${bound})`};${check}`;
  }
  return `z=k;while(${inBound}${memberTest(context, atom, 'b[k]')})k++;${check}`;
}

function rangesOf({ members }: PatternAtom): CharacterRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const [unit, isMember] of members.entries()) {
    if (!isMember) continue;
    const before = ranges.at(-1);
    if (before?.last === unit - 1) before.last = unit;
    else ranges.push({ first: unit, last: unit });
  }
  return ranges;
}

/** A fixed count is checked in place, digits four at a time. */
function fixedAtomCode(context: SourceContext, atom: PatternAtom, bound: string | null): string {
  const isDigits = atom.members.every((isMember, unit) => isMember === (unit >= 0x30 && unit <= 0x39));
  const tests: string[] = [];
  let at = 0;
  for (; isDigits && atom.min - at >= 4; at += 4) tests.push(notFourDigits(`k+${at}`));
  for (; at < atom.min; at++) tests.push(`!(${memberTest(context, atom, `b[k+${at}]`)})`);
  if (bound !== null) tests.unshift(`k+${atom.min}>${bound}`);
  return tests.length === 0 ? '' : `if(${tests.join('||')})break row;k+=${atom.min};`;
}

/** Bytes 0x30 to 0x39 keep their high nibble, also after adding six to the low one. -252645136 is 0xf0f0f0f0. */
function notFourDigits(at: string): string {
  const word = `I.getInt32(${at},true)`;
  return `(${word}&-252645136)!==0x30303030||(${word}+0x06060606&-252645136)!==0x30303030`;
}

function memberTest(context: SourceContext, atom: PatternAtom, byte: string): string {
  const members = atom.members.flatMap((isMember, unit) => (isMember ? [unit] : []));
  if (members.length === 1) return `${byte}===${members[0]}`;
  const [first, last] = [members[0]!, members.at(-1)!];
  if (last - first + 1 === members.length) return `(${byte}-${first}>>>0)<=${last - first}`;
  const table = new Uint8Array(256);
  for (const unit of members) table[unit] = 1;
  return `${context.constant(table)}[${byte}]===1`;
}

function lengthCode(index: number, field: FieldPlan): string {
  const size = `((f${index}&2)!==0?codePoints(s${index},e${index}):e${index}-s${index})`;
  const tests = [
    field.minLength !== null && field.minLength > 1 ? `${size}<${field.minLength}` : '',
    field.maxLength !== null ? `e${index}-s${index}>${field.maxLength}&&${size}>${field.maxLength}` : '',
  ].filter((test) => test !== '');
  return tests.map((test) => `if(${test})break row;`).join('');
}

/** Longer values first, so that the first match is the whole text if the text is a value at all. */
function enumCode(index: number, values: readonly string[]): string {
  const ordered = values.map((value, position) => ({ bytes: Buffer.from(value, 'utf8'), position }));
  ordered.sort((a, b) => b.bytes.length - a.bytes.length);
  const branches = ordered.map(({ bytes, position }) => `if(${enumTest(bytes, index)}){v${index}=${position};w=${bytes.length}}`);
  // Nothing is computed in the branches: a value that first occurs late must not cost the kernel its compiled form.
  return `{let w=0;const x=I.getInt32(s${index},true);${branches.join('else ')}else break row;e${index}=s${index}+w;}`;
}

function enumTest(bytes: Buffer, index: number): string {
  if (bytes.length > 4) return `x===${packBytes(bytes, 0, 4)}&&${matchesBytes(`s${index}`, bytes)}`;
  const mask = bytes.length === 4 ? '' : `&${2 ** (8 * bytes.length) - 1}`;
  return `(x${mask})===${packBytes(bytes, 0, bytes.length)}`;
}

/** Whether the field's code leaves its unscaled number in `u<index>`. */
export function hasNumber(field: FieldPlan): boolean {
  if (field.type !== 'int' && field.type !== 'decimal') return false;
  const scale = scaleOf(field);
  return scale < exactDigits && [field.min, field.max].every((bound) => bound === null || unscaledLiteral(bound, scale) !== null);
}

/** Digits after the point of the number in `u<index>`. */
export function scaleOf(field: FieldPlan): number {
  return field.type === 'decimal' ? field.scale : 0;
}

/** Whether the field's code leaves `D<index>` (yyyymmdd), if it is used. */
export function hasDateNumber(field: FieldPlan): boolean {
  return field.type === 'date' && !hasExtraChecks(field) && dateShape(field) !== null;
}

function hasExtraChecks(field: FieldPlan): boolean {
  return [field.enum, field.pattern, field.minLength, field.maxLength, field.min, field.max].some((check) => check !== null);
}

/** Digits with an optional minus; more than a double holds exactly goes to the slow path. */
function numberCode(context: SourceContext, layout: TextLayout, index: number, field: FieldPlan): string | null {
  if (!hasNumber(field)) return null;
  const scale = scaleOf(field);
  if (field.usage !== undefined)
    return heldNumberCode(context, index, { start: `s${index}`, end: `z${index}` }) + boundCode(index, field, scale);
  const pattern = field.pattern === null ? null : parseSimplePattern(field.pattern);
  const isAsked = field.enum !== null || field.minLength !== null || (field.pattern !== null && pattern === null);
  const asked = isAsked ? `if(!X.accepts(${index},s${index},e${index}))break row;` : '';
  const bounds = boundCode(index, field, scale);
  const bound = layout.bound(index);
  const more = bound === null ? '' : `k<${bound}&&`;
  const digits = `while(${more}((d=b[k]-48)>>>0)<=9){u=u*10+d;k++}`;
  const hasFraction = field.type === 'decimal' && field.point === 'explicit' && scale > 0;
  const table = hasFraction ? context.constant(powersUpTo(scale)) : '';
  const fraction = hasFraction
    ? `let q=0;if(${more}b[k]===46){k++;const y=k;${digits}q=k-y;if(q<1||q>${scale}||n+q>${exactDigits})break row;}u=u*${table}[${scale}-q];`
    : '';
  const shift = hasFraction ? scale : 0;
  // Nine digits with the scale's zeros fit 32 bits; longer numbers are read again as doubles.
  const wide = `if(n>${9 - shift})u${index}=wide(s${index},k,${shift});else u${index}=m===1?0-u:u;`;
  const length = field.maxLength === null ? '' : `if(e${index}-s${index}>${field.maxLength})break row;`;
  return (
    `{let k=s${index},u=0,d=0,m=0;m=${more}b[k]===45?1:0;k+=m;const z=k;${digits}const n=k-z;if(n<1||n>${exactDigits - shift})break row;${fraction}` +
    `${wide}e${index}=k;}${bounds}${length}${pattern === null ? '' : patternCode(context, index, pattern, `e${index}`)}${asked}`
  );
}

/** Only numbers of at most nine digits are scaled with them. */
function powersUpTo(scale: number): Int32Array {
  return Int32Array.from({ length: scale + 1 }, (_, exponent) => (exponent > 9 ? 0 : 10 ** exponent));
}

function boundCode(index: number, field: FieldPlan, scale: number): string {
  const low = field.min === null ? '' : `if(u${index}<${unscaledLiteral(field.min, scale)})break row;`;
  const high = field.max === null ? '' : `if(u${index}>${unscaledLiteral(field.max, scale)})break row;`;
  return low + high;
}

/** A decimal text as an integer at `scale`, null when it has more digits or is not exact as a double. */
export function unscaledLiteral(text: string, scale: number): number | null {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) return null;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return null;
  const digits = match[2]! + fraction.padEnd(scale, '0');
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) return null;
  return match[1] === '-' && value !== 0 ? -value : value;
}

/** Where year, month and day stand in the field's text, and which bytes surround them. */
export interface DateShape {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly length: number;
  readonly literals: readonly { readonly at: number; readonly byte: number }[];
}

/** Null unless the format has each of year, month and day once and nothing else but ASCII. */
export function dateShape(field: FieldPlan): DateShape | null {
  const parts = parseMomentPattern(field.dateFormat ?? 'yyyy-MM-dd');
  if (parts === null) return null;
  const places = new Map<string, number>();
  const literals: { at: number; byte: number }[] = [];
  let at = 0;
  for (const part of parts) {
    if ('literal' in part) {
      const byte = part.literal.charCodeAt(0);
      if (part.literal.length !== 1 || byte > 0x7e || byte < 0x20) return null;
      literals.push({ at: at++, byte });
    } else {
      if (places.has(part.token) || !['yyyy', 'MM', 'dd'].includes(part.token)) return null;
      places.set(part.token, at);
      at += part.token.length;
    }
  }
  if (places.size !== 3 || at > fixedLengthMax) return null;
  return { year: places.get('yyyy')!, month: places.get('MM')!, day: places.get('dd')!, length: at, literals };
}

/** Days of each month in a leap year. */
const longestMonths = Uint8Array.from([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

function dateCode(context: SourceContext, index: number, shape: DateShape): string {
  const s = `s${index}`;
  const two = (at: number) => ({ high: `b[${s}+${at}]-48`, low: `b[${s}+${at + 1}]-48` });
  const month = two(shape.month);
  const day = two(shape.day);
  const literals = shape.literals.map(({ at, byte }) => `b[${s}+${at}]!==${byte}||`).join('');
  const year = `((b[${s}+${shape.year}]-48)*1000+(b[${s}+${shape.year + 1}]-48)*100+(b[${s}+${shape.year + 2}]-48)*10+b[${s}+${shape.year + 3}]-48)`;
  const number = context.uses[index]!.date ? `D${index}=${year}*10000+m*100+d;` : '';
  return (
    `{const h=${month.high},l=${month.low},i=${day.high},j=${day.low},m=h*10+l,d=i*10+j;` +
    `if(${literals}(h>>>0)>9||(l>>>0)>9||(i>>>0)>9||(j>>>0)>9||m<1||m>12||d<1||d>31||${notFourDigits(`${s}+${shape.year}`)}||I.getInt32(${s}+${shape.year},true)===0x30303030)break row;` +
    `if(d>${context.constant(longestMonths)}[m]||(m===2&&d===29&&!isLeap(${year})))break row;${number}e${index}=${s}+${shape.length};}`
  );
}
