/**
 * Source that writes a record's whole line in one body format to `B` from `o` on. Constants between values are joined, so
 * that a line is few stores and copies.
 */

import { ndjsonPrefixes } from '../bodies/body-writer.ts';
import type { Expression } from '../expressions/expression.ts';
import type { BodyPlan } from '../plan.ts';
import type { ExpressionCode } from './expression-code.ts';
import { OutputText, storeBytes, type TextCode } from './output-text.ts';
import type { SourceContext } from './source-context.ts';

export interface BodyCode {
  readonly code: string;
  /** The line has at most `fixed` bytes plus `records` times the record's length. */
  readonly fixed: number;
  readonly records: number;
}

/** Longest text that the evaluator may add to a line here; longer ones take the slow path. */
export const evaluatedBytesMax = 4_096;

export interface LineParts {
  /** The expressions of the output fields, free of references to other outputs. */
  readonly outputs: readonly Expression[];
  /** Texts stand in the record as they are meant, not as in JSON. */
  readonly isRaw: boolean;
}

/** Null: no line in this form is known. */
export function bodyCode(context: SourceContext, conditions: ExpressionCode, body: BodyPlan, parts: LineParts): BodyCode | null {
  switch (body.format) {
    case 'ndjson':
      return ndjsonCode(context, conditions, parts);
    case 'csv':
      return csvCode(context, conditions, body, parts.outputs);
    case 'fixed-width':
      return fixedWidthCode(context, conditions, body, parts.outputs);
  }
}

const noFields: ReadonlySet<number> = new Set();
const evaluatedSize = (fixed: number) => ({ fixed, records: 0, copied: noFields });

/** Collects code and constants in order. */
class LineCode {
  #code = '';
  #pending = '';
  fixed = 0;
  /** How often each field is copied: together fields are no longer than their record. */
  readonly #copies = new Map<number, number>();

  constant(text: string): void {
    this.#pending += text;
  }

  add(code: string, size: { readonly fixed: number; readonly records: number; readonly copied: ReadonlySet<number> }): void {
    this.#flush();
    this.#code += code;
    this.fixed += size.fixed;
    for (const field of size.copied) this.#copies.set(field, (this.#copies.get(field) ?? 0) + size.records);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending, 'utf8');
    this.#code += storeBytes(bytes);
    this.fixed += bytes.length;
    this.#pending = '';
  }

  finish(): BodyCode {
    this.#flush();
    return { code: this.#code, fixed: this.fixed, records: Math.max(0, ...this.#copies.values()) };
  }
}

/** The condition under which an output is null though its record is fine: an absent optional field as it is. */
function absence(context: SourceContext, output: Expression): string | null {
  return output.kind === 'field' && output.scope === 'record' && context.isOptional(output.index) ? `a${output.index}===1` : null;
}

/** An absent field has been looked for already. */
function withoutAbsence(code: TextCode, output: Expression): string {
  return output.kind === 'field' ? code.code.replace(`if(a${output.index}===1)break row;`, '') : code.code;
}

/** Escaped where it stands: twice as long at the most. */
function withEscapes(text: TextCode, field: number): TextCode {
  const code = `{const y=o;${text.code}if((f${field}&1)!==0){o=escape(B,y,o);if(o<0)break row;}}`;
  return { ...text, code, records: text.records * 2, copied: text.copied };
}

function ndjsonCode(context: SourceContext, conditions: ExpressionCode, { outputs, isRaw }: LineParts): BodyCode {
  const line = new LineCode();
  const texts = new OutputText(context, conditions, 'json');
  const prefixes = ndjsonPrefixes(context.flow.plan.output);
  const copied = new Set<number>();
  for (const [position, output] of outputs.entries()) {
    const plain = texts.text(output);
    const escaped = isRaw ? plain?.alone : undefined;
    const text = plain === null || escaped === undefined ? plain : withEscapes(plain, escaped);
    line.constant(prefixes[position]!);
    if (text === null) {
      const { number, places } = context.evaluate(output);
      line.add(`o=(${places}X.writeJson(${number},B,o));if(o<0)break row;`, evaluatedSize(evaluatedBytesMax));
      continue;
    }
    if (escaped === undefined) for (const field of text.copied) copied.add(field);
    const quote = output.type === 'int' || output.type === 'bool' ? '' : '"';
    const absent = absence(context, output);
    if (absent === null) {
      line.constant(quote);
      line.add(text.code, text);
      line.constant(quote);
    } else {
      const [open, none] = [storeBytes(Buffer.from(quote)), storeBytes(Buffer.from('null'))];
      line.add(`if(${absent}){${none}}else{${open}${withoutAbsence(text, output)}${open}}`, {
        fixed: text.fixed + 6,
        records: text.records,
        copied: text.copied,
      });
    }
  }
  line.constant(outputs.length === 0 ? '{}\n' : '}\n');
  const finished = line.finish();
  const flags = [...copied].map((field) => `f${field}`).join('|');
  return { ...finished, code: copied.size === 0 ? finished.code : `if(((${flags})&1)!==0)break row;${finished.code}` };
}

function csvCode(
  context: SourceContext,
  conditions: ExpressionCode,
  body: Extract<BodyPlan, { format: 'csv' }>,
  outputs: readonly Expression[],
): BodyCode {
  const line = new LineCode();
  const texts = new OutputText(context, conditions, 'raw');
  for (const [position, output] of outputs.entries()) {
    if (position > 0) line.constant(String.fromCharCode(body.delimiter));
    const text = texts.text(output);
    if (text === null) {
      const { number, places } = context.evaluate(output);
      line.add(`{const y=o;o=(${places}X.writeText(${number},B,o));if(o<0)break row;if(S.wasNull===0)o=cell(B,y,o,${body.delimiter});}`, {
        ...evaluatedSize(evaluatedBytesMax * 2 + 2),
      });
      continue;
    }
    const absent = absence(context, output);
    const cell = `{const y=o;${absent === null ? text.code : withoutAbsence(text, output)}o=cell(B,y,o,${body.delimiter});}`;
    line.add(absent === null ? cell : `if(${absent}){}else${cell}`, {
      fixed: text.fixed * 2 + 2,
      records: text.records * 2,
      copied: text.copied,
    });
  }
  line.constant(body.lineEnd);
  return line.finish();
}

function fixedWidthCode(
  context: SourceContext,
  conditions: ExpressionCode,
  body: Extract<BodyPlan, { format: 'fixed-width' }>,
  outputs: readonly Expression[],
): BodyCode {
  const line = new LineCode();
  const texts = new OutputText(context, conditions, 'raw');
  for (const [position, output] of outputs.entries()) {
    const { width, align, pad } = body.columns[position]!;
    const text = texts.text(output);
    const absent = text === null ? null : absence(context, output);
    let write: string;
    if (text === null) {
      const { number, places } = context.evaluate(output);
      write = `o=(${places}X.writeText(${number},B,o));if(o<0)break row;`;
    } else write = absent === null ? text.code : `if(${absent}){}else{${withoutAbsence(text, output)}}`;
    line.add(`{const y=o;${write}o=column(B,y,o,${width},${align === 'left' ? 1 : 0},${pad});if(o<0)break row;}`, {
      fixed: (text?.fixed ?? evaluatedBytesMax) + width,
      records: text?.records ?? 0,
      copied: text?.copied ?? noFields,
    });
  }
  line.constant(body.lineEnd);
  return line.finish();
}
