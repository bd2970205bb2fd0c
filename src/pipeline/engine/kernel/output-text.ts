/**
 * Source that appends the text of an output value to `B` at `o`, in the common forms: fields, literals, upper, lower, trim,
 * substring, mask, concat, conditional, dates, minor units, padding. Text goes from bytes to bytes without a string.
 */
import { literalValue } from '../expressions/evaluate.ts';
import type { Expression } from '../expressions/expression.ts';
import { parseMomentPattern } from '../expressions/moments.ts';
import { valueText } from '../expressions/values.ts';
import type { FieldPlan } from '../plan.ts';
import type { ExpressionCode } from './expression-code.ts';
import { type DateShape, dateShape, hasDateNumber, hasNumber, scaleOf } from './field-code.ts';
import { packBytes, type SourceContext } from './source-context.ts';

/** How text is going to stand in its line: escaped as in a JSON string, or as it is. */
export type TextForm = 'json' | 'raw';

/** Code and the most bytes it appends: `fixed` plus `records` times the record's length. */
export interface TextCode {
  readonly code: string;
  readonly fixed: number;
  readonly records: number;
  /** Fields whose text is copied: in JSON form their `f<index>` must not ask for an escape … */
  readonly copied: ReadonlySet<number>;
  /** … unless nothing but this one's text is, so that it can be escaped where it was written. */
  readonly alone?: number;
}

/** A stretch of the record's own bytes, perhaps with another case. */
interface Stretch {
  readonly field: number;
  /** Statements that set the variables in `start` and `end`. */
  readonly setup: string;
  readonly start: string;
  readonly end: string;
  readonly letters: 'as they are' | 'upper' | 'lower' | 'upperAscii' | 'lowerAscii';
  /** Positions were counted in bytes, so the text has to be ASCII. */
  readonly countsBytes: boolean;
}

type Call = Extract<Expression, { kind: 'call' }>;

const noFields: ReadonlySet<number> = new Set();
const textFields: ReadonlySet<string> = new Set(['string', 'iban', 'bic', 'aba-routing', 'lei', 'isin', 'currency', 'country', 'luhn']);
const padWidthMax = 10_000;

export class OutputText {
  readonly #context: SourceContext;
  readonly #conditions: ExpressionCode;
  readonly #form: TextForm;

  constructor(context: SourceContext, conditions: ExpressionCode, form: TextForm) {
    this.#context = context;
    this.#conditions = conditions;
    this.#form = form;
  }

  /** Null when the form is not known. Absent fields set the record aside, unless the caller has looked before. */
  text(expression: Expression): TextCode | null {
    switch (expression.kind) {
      case 'literal':
        return expression.value === null ? null : this.#literal(valueText(literalValue(expression.type, expression.value)!));
      case 'field':
        return expression.scope === 'record' ? this.#field(expression.index) : null;
      case 'call':
        return this.#call(expression);
      case 'in':
      case 'statistic':
        return null;
    }
  }

  #literal(value: string): TextCode {
    const text = this.#form === 'json' ? JSON.stringify(value).slice(1, -1) : value;
    const bytes = Buffer.from(text, 'utf8');
    return { code: storeBytes(bytes), fixed: bytes.length, records: 0, copied: noFields };
  }

  #present(index: number): string {
    return this.#context.isOptional(index) ? `if(a${index}===1)break row;` : '';
  }

  #field(index: number): TextCode | null {
    const field = this.#context.field(index);
    const present = this.#present(index);
    if (textFields.has(field.type)) {
      return {
        code: `${present}${copyCode(`s${index}`, `e${index}`, longestText(field))}`,
        fixed: 0,
        records: 1,
        copied: new Set([index]),
        ...(field.type === 'string' ? { alone: index } : {}),
      };
    }
    if (hasNumber(field)) {
      const write = scaleOf(field) === 0 ? `o=writeInteger(B,o,u${index});` : `o=writeDecimal(B,o,u${index},${scaleOf(field)});`;
      return { code: present + write, fixed: 40, records: 0, copied: noFields };
    }
    if (field.type === 'boolean') {
      const [yes, no] = [Buffer.from('true'), Buffer.from('false')];
      return { code: `${present}if(v${index}===1){${storeBytes(yes)}}else{${storeBytes(no)}}`, fixed: 5, records: 0, copied: noFields };
    }
    return hasDateNumber(field) ? this.#date(index, field, 'yyyy-MM-dd') : null;
  }

  #date(index: number, field: FieldPlan, pattern: string): TextCode | null {
    const parts = parseMomentPattern(pattern);
    const shape = dateShape(field);
    if (parts === null || shape === null) return null;
    if (pattern === 'yyyy-MM-dd' && field.dateFormat === null) {
      return { code: `${this.#present(index)}${copyCode(`s${index}`, `e${index}`, 10)}`, fixed: 10, records: 0, copied: noFields };
    }
    let code = this.#present(index);
    let fixed = 0;
    for (const part of parts) {
      const piece = 'literal' in part ? this.#literal(part.literal) : dateToken(index, shape, part.token);
      if (piece === null) return null;
      code += piece.code;
      fixed += piece.fixed;
    }
    return { code, fixed, records: 0, copied: noFields };
  }

  #call(call: Call): TextCode | null {
    const [first, second, third] = call.arguments as readonly [Expression, Expression, Expression];
    switch (call.name) {
      case 'concat':
        return sequence(this.text(first), this.text(second));
      case 'conditional':
        return this.#conditional(first, this.text(second), this.text(third));
      case 'coalesce':
        return call.arguments.length === 2 ? this.#coalesce(first, this.text(second)) : null;
      case 'toString':
        return first.type === 'datetime' || first.type === 'time' ? null : this.text(first);
      case 'minorUnits':
        return this.#minorUnits(first);
      case 'formatDate':
        return first.kind === 'field' &&
          first.scope === 'record' &&
          second.kind === 'literal' &&
          hasDateNumber(this.#context.field(first.index))
          ? this.#date(first.index, this.#context.field(first.index), second.value ?? '')
          : null;
      case 'mask':
        return this.#mask(first, second, third);
      case 'padLeft':
      case 'padRight':
        return this.#pad(call.name, first, second, third);
      default: {
        const stretch = this.#stretch(call);
        return stretch === null ? null : this.#copyStretch(stretch);
      }
    }
  }

  #minorUnits(value: Expression): TextCode | null {
    const number = this.#conditions.number(value);
    if (number === null) return null;
    const { index } = number.field;
    return { code: `${this.#present(index)}o=writeInteger(B,o,u${index});`, fixed: 40, records: 0, copied: noFields };
  }

  #conditional(test: Expression, yes: TextCode | null, no: TextCode | null): TextCode | null {
    if (yes === null || no === null) return null;
    return {
      code: `if(${this.#conditions.condition(test)}){${yes.code}}else{${no.code}}if(slow===1)break row;`,
      fixed: Math.max(yes.fixed, no.fixed),
      records: Math.max(yes.records, no.records),
      copied: new Set([...yes.copied, ...no.copied]),
    };
  }

  #coalesce(value: Expression, otherwise: TextCode | null): TextCode | null {
    const text = this.text(value);
    if (value.kind !== 'field' || value.scope !== 'record' || text === null || otherwise === null) return null;
    if (!this.#context.isOptional(value.index)) return text;
    return {
      code: `if(a${value.index}===1){${otherwise.code}}else{${text.code}}`,
      fixed: Math.max(text.fixed, otherwise.fixed),
      records: Math.max(text.records, otherwise.records),
      copied: new Set([...text.copied, ...otherwise.copied]),
    };
  }

  /** The record's own bytes that an expression selects, or null. */
  #stretch(expression: Expression): Stretch | null {
    if (expression.kind === 'field') {
      const { index, scope } = expression;
      if (scope !== 'record' || !textFields.has(this.#context.field(index).type)) return null;
      return {
        field: index,
        setup: this.#present(index),
        start: `s${index}`,
        end: `e${index}`,
        letters: 'as they are',
        countsBytes: false,
      };
    }
    if (expression.kind !== 'call') return null;
    const inner = this.#stretch(expression.arguments[0]!);
    if (inner === null) return null;
    switch (expression.name) {
      case 'upperAscii':
      case 'lowerAscii':
        return inner.letters === 'as they are' ? { ...inner, letters: expression.name } : null;
      case 'upper':
      case 'lower':
        return inner.letters === 'as they are' ? { ...inner, letters: expression.name } : null;
      case 'trim':
        return this.#trimmed(inner);
      case 'substring':
        return this.#substring(inner, expression);
      default:
        return null;
    }
  }

  /** White space within ASCII; other text is set aside. */
  #trimmed(inner: Stretch): Stretch {
    const [start, end] = [this.#context.temporary(), this.#context.temporary()];
    const isSpace = (at: string) => `(b[${at}]===32||(b[${at}]-9>>>0)<=4)`;
    const setup = `${inner.setup}${start}=${inner.start};${end}=${inner.end};while(${start}<${end}&&${isSpace(start)})${start}++;while(${end}>${start}&&${isSpace(`${end}-1`)})${end}--;`;
    return { ...inner, setup, start, end, countsBytes: true };
  }

  #substring(inner: Stretch, call: Call): Stretch | null {
    const positions = call.arguments
      .slice(1)
      .map((argument) => (argument.kind === 'literal' && argument.type === 'int' ? Number(argument.value) : Number.NaN));
    if (positions.some((position) => !Number.isSafeInteger(position) || Math.abs(position) > 1e9)) return null;
    const [start, end] = [this.#context.temporary(), this.#context.temporary()];
    const clamped = (position: number) => (position <= 0 ? inner.start : `min(${inner.end},${inner.start}+${position})`);
    const to = positions.length > 1 ? clamped(positions[1]!) : inner.end;
    const setup = `${inner.setup}${start}=${clamped(positions[0]!)};${end}=max(${start},${to});`;
    return { ...inner, setup, start, end, countsBytes: true };
  }

  #copyStretch(stretch: Stretch): TextCode {
    const { field, setup, start, end, letters, countsBytes } = stretch;
    const copy = letters === 'as they are' ? copyCode(start, end) : letterCode(stretch, letters);
    return { code: `${asciiOnly(field, countsBytes)}${setup}${copy}`, fixed: 0, records: 1, copied: new Set([field]), alone: field };
  }

  #mask(value: Expression, first: Expression, last: Expression): TextCode | null {
    const stretch = this.#stretch(value);
    const [keepFirst, keepLast] = [countOf(first), countOf(last)];
    if (stretch === null || keepFirst === null || keepLast === null || stretch.letters !== 'as they are') return null;
    const { start, end } = stretch;
    const code =
      `${asciiOnly(stretch.field, true)}${stretch.setup}{const w=${end}-${start};if(w<=${keepFirst + keepLast}){for(let k=0;k<w;k++)B[o++]=42;}else{` +
      `${[0, 8, 16, 24].map((at) => `D.setFloat64(o+${at},${starsDouble},true);`).join('')}for(let k=32;k<w;k+=8)D.setFloat64(o+k,${starsDouble},true);` +
      `${copyShort('o', start, keepFirst)}${copyShort(`o+w-${keepLast}`, `${end}-${keepLast}`, keepLast)}o+=w;}}`;
    return { code, fixed: 0, records: 1, copied: new Set([stretch.field]) };
  }

  #pad(side: 'padLeft' | 'padRight', value: Expression, width: Expression, fill: Expression): TextCode | null {
    const inner = this.text(value);
    const columns = countOf(width);
    if (inner === null || columns === null || columns > padWidthMax || fill.kind !== 'literal' || fill.value === null) return null;
    const bytes = Buffer.from(fill.value, 'utf8');
    if (bytes.length !== 1 || (this.#form === 'json' && (bytes[0]! < 0x20 || bytes[0] === 0x22 || bytes[0] === 0x5c))) return null;
    if (!isAsciiExpression(value)) return null;
    const start = this.#context.temporary();
    const ascii = [...inner.copied].map((field) => asciiOnly(field, true)).join('');
    const missing = `const w=${columns}-(o-${start});if(w>0){`;
    const shift =
      side === 'padLeft' ? `B.copyWithin(${start}+w,${start},o);B.fill(${bytes[0]},${start},${start}+w);` : `B.fill(${bytes[0]},o,o+w);`;
    return {
      code: `${ascii}${start}=o;${inner.code}{${missing}${shift}o+=w;}}`,
      fixed: inner.fixed + columns,
      records: inner.records,
      copied: inner.copied,
    };
  }
}

/** Most bytes of a field's text, where its type or its values bound them. */
function longestText(field: FieldPlan): number | null {
  switch (field.type) {
    case 'iban':
      return 34;
    case 'currency':
      return 3;
    case 'country':
      return 2;
    default:
      return field.enum === null ? null : Math.max(0, ...field.enum.map((value) => Buffer.byteLength(value, 'utf8')));
  }
}

/** Literals in it are ASCII, so that bytes are code points; fields are looked at when the record is there. */
function isAsciiExpression(expression: Expression): boolean {
  switch (expression.kind) {
    case 'literal':
      return /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/.test(expression.value ?? '');
    case 'field':
      return true;
    case 'call':
      return expression.arguments.every(isAsciiExpression);
    case 'in':
    case 'statistic':
      return false;
  }
}

function asciiOnly(field: number, isNeeded: boolean): string {
  return isNeeded ? `if((f${field}&2)!==0)break row;` : '';
}

function sequence(first: TextCode | null, second: TextCode | null): TextCode | null {
  if (first === null || second === null) return null;
  return {
    code: first.code + second.code,
    fixed: first.fixed + second.fixed,
    records: first.records + second.records,
    copied: new Set([...first.copied, ...second.copied]),
  };
}

/** A literal count that is not negative and small. */
function countOf(expression: Expression): number | null {
  if (expression.kind !== 'literal' || expression.type !== 'int') return null;
  const count = Number(expression.value);
  return Number.isSafeInteger(count) && count >= 0 && count <= 1e6 ? count : null;
}

function dateToken(index: number, shape: DateShape, token: string): TextCode | null {
  const s = `s${index}`;
  if (token === 'yyyy')
    return { code: `D.setInt32(o,I.getInt32(${s}+${shape.year},true),true);o+=4;`, fixed: 4, records: 0, copied: noFields };
  if (token !== 'MM' && token !== 'dd') return null;
  return {
    code: `D.setInt16(o,I.getInt16(${s}+${token === 'MM' ? shape.month : shape.day},true),true);o+=2;`,
    fixed: 2,
    records: 0,
    copied: noFields,
  };
}

function copyShort(to: string, from: string, count: number): string {
  if (count === 0) return '';
  if (count === 4) return `D.setInt32(${to},I.getInt32(${from},true),true);`;
  return `for(let k=0;k<${count};k++)B[${to}+k]=b[${from}+k];`;
}

const starsDouble = Buffer.from('********').readDoubleLE(0);

/**
 * Eight bytes a step. Where `most`, the longest the text can be, is small, all steps run unasked: a branch that is guessed
 * wrong costs more than they do. What is written beyond the end goes into slack that is overwritten or never sent.
 */
export function copyCode(start: string, end: string, most: number | null = null): string {
  if (most === null || most > longestUnasked) {
    return `{const w=${end}-${start};for(let k=0;k<w;k+=8)D.setFloat64(o+k,I.getFloat64(${start}+k,true),true);o+=w;}`;
  }
  const steps = Array.from({ length: Math.ceil(most / 8) }, (_, step) => step * 8);
  return `${steps.map((step) => `D.setFloat64(o+${step},I.getFloat64(${start}+${step},true),true);`).join('')}o+=${end}-${start};`;
}

/** Within the slack of input and output buffers. */
const longestUnasked = 40;

/** Upper and lower case of Unicode change more than ASCII: other text goes through `X`, which may set the record aside. */
function letterCode(stretch: Stretch, letters: Exclude<Stretch['letters'], 'as they are'>): string {
  const { field, start, end } = stretch;
  const ascii = caseCode(start, end, letters === 'upper' || letters === 'upperAscii' ? 'upper' : 'lower');
  if (letters === 'upperAscii' || letters === 'lowerAscii') return ascii;
  return `if((f${field}&2)===0)${ascii}else{o=${letters}(${start},${end},B,o);if(o<0)break row;}`;
}

/** ASCII letters only, four bytes a step: 0x20 is flipped where a byte is a letter of the other case and below 0x80. */
function caseCode(start: string, end: string, letters: 'upper' | 'lower'): string {
  const [low, high] = letters === 'upper' ? ['0x1f1f1f1f', '0x05050505'] : ['0x3f3f3f3f', '0x25252525'];
  return (
    `{const w=${end}-${start};for(let k=0;k<w;k+=4){const x=I.getInt32(${start}+k,true),h=x&0x7f7f7f7f;` +
    `D.setInt32(o+k,x^((((h+${low})^(h+${high}))&~x&0x80808080)>>>2),true);}o+=w;}`
  );
}

/** Stores constant bytes, eight at a time where they fit. */
export function storeBytes(bytes: Buffer): string {
  let code = '';
  let at = 0;
  for (; bytes.length - at >= 8; at += 8) code += `D.setFloat64(o+${at},${bytes.readDoubleLE(at)},true);`;
  const left = bytes.length - at;
  if (left >= 5) {
    const rest = Buffer.alloc(8, 0x20);
    bytes.copy(rest, 0, at);
    code += `D.setFloat64(o+${at},${rest.readDoubleLE(0)},true);`;
  } else if (left === 1) code += `B[o+${at}]=${bytes[at]};`;
  else if (left === 2) code += `D.setInt16(o+${at},${packBytes(bytes, at, 2)},true);`;
  else if (left >= 3) code += `D.setInt32(o+${at},${packBytes(bytes, at, left)},true);`;
  return bytes.length === 0 ? '' : `${code}o+=${bytes.length};`;
}
