/**
 * What the parts of a generated kernel share while its source is made: constants, temporaries, and what each field of the
 * main record type has to leave behind for expressions. Every literal enters the source as a number or through a
 * constant; text of a plan never becomes code.
 */
import type { CompiledFlow } from '../compile-flow.ts';
import type { Expression } from '../expressions/expression.ts';
import type { FieldPlan, RecordPlan } from '../plan.ts';
import type { CharacterRange } from './span-function.ts';

/** What generated code has to compute about a field beyond accepting it. */
export interface FieldUse {
  date: boolean;
}

export class SourceContext {
  readonly flow: CompiledFlow;
  readonly record: RecordPlan;
  readonly uses: readonly FieldUse[];
  /** Tables that generated code reaches as `c0`, `c1`, … */
  readonly constants: (Uint8Array | Int32Array)[] = [];
  /** The positions among them of those that scans read. */
  readonly scans = new Set<number>();
  /** Classes of characters that are run over many at once. */
  readonly spans: (readonly CharacterRange[])[] = [];
  /** Expressions that `X.test` and `X.write` evaluate, by number. */
  readonly evaluated: { readonly expression: Expression; readonly fields: readonly number[] }[] = [];
  #temporaries = 0;

  /** What to do with a text that is not all ASCII: the page of another encoding than UTF-8 is the slow path's. */
  readonly notAscii: string;

  constructor(flow: CompiledFlow) {
    const { format } = flow.plan;
    this.notAscii = format.type === 'json-lines' || format.encoding === undefined ? 'if(!validLine(rs))break row;hi=0;' : 'break row;';
    this.flow = flow;
    this.record = flow.plan.records[flow.mainType]!;
    this.uses = this.record.fields.map(() => ({ date: false }));
  }

  field(index: number): FieldPlan {
    return this.record.fields[index]!;
  }

  isOptional(index: number): boolean {
    return !this.field(index).required;
  }

  constant(table: Uint8Array | Int32Array): string {
    this.constants.push(table);
    return `c${this.constants.length - 1}`;
  }

  /** The name of a function that scans by this table. */
  scan(table: Uint8Array): string {
    this.constants.push(table);
    this.scans.add(this.constants.length - 1);
    return `scan${this.constants.length - 1}`;
  }

  /** The name of a function that runs over characters of these ranges. */
  span(ranges: readonly CharacterRange[]): string {
    const isSame = (other: readonly CharacterRange[]) => JSON.stringify(other) === JSON.stringify(ranges);
    const known = this.spans.findIndex(isSame);
    if (known >= 0) return `span${known}`;
    return `span${this.spans.push(ranges) - 1}`;
  }

  /** A variable of the record's block, reused by no one else. */
  temporary(): string {
    return `t${this.#temporaries++}`;
  }

  get temporaries(): string[] {
    return Array.from({ length: this.#temporaries }, (_, index) => `t${index}`);
  }

  /** Number of an expression that the evaluator computes, and code that gives it its fields' places. */
  evaluate(expression: Expression): { readonly number: number; readonly places: string } {
    const fields = [...fieldsOf(expression)];
    this.evaluated.push({ expression, fields });
    const places = fields.map(
      (index) => `P[${index * 2}]=${this.isOptional(index) ? `a${index}===1?-1:s${index}` : `s${index}`},P[${index * 2 + 1}]=e${index},`,
    );
    return { number: this.evaluated.length - 1, places: places.join('') };
  }
}

/** Record fields that an expression without `out` references reads. */
export function fieldsOf(expression: Expression, into = new Set<number>()): Set<number> {
  switch (expression.kind) {
    case 'field':
      if (expression.scope === 'record') into.add(expression.index);
      break;
    case 'call':
      for (const argument of expression.arguments) fieldsOf(argument, into);
      break;
    case 'in':
      fieldsOf(expression.value, into);
      break;
    case 'literal':
    case 'statistic':
      break;
  }
  return into;
}

/** Replaces references to output fields by what they are made of; outputs see only the record and the header. */
export function inlineOutputs(expression: Expression, outputs: readonly Expression[]): Expression {
  switch (expression.kind) {
    case 'field':
      return expression.scope === 'out' ? outputs[expression.index]! : expression;
    case 'call':
      return { ...expression, arguments: expression.arguments.map((argument) => inlineOutputs(argument, outputs)) };
    case 'in':
      return { ...expression, value: inlineOutputs(expression.value, outputs) };
    case 'literal':
    case 'statistic':
      return expression;
  }
}

/** Little-endian number of up to four bytes, as an int32 that generated code compares with. */
export function packBytes(bytes: Uint8Array, start: number, count: number): number {
  let packed = 0;
  for (let index = 0; index < count; index++) packed |= bytes[start + index]! << (8 * index);
  return packed;
}

/** Code that is true when the bytes at `at` are these. Loads reach at most three bytes beyond them. */
export function matchesBytes(at: string, bytes: Uint8Array): string {
  const tests: string[] = [];
  let index = 0;
  for (; bytes.length - index >= 4; index += 4) tests.push(`I.getInt32(${at}+${index},true)===${packBytes(bytes, index, 4)}`);
  const left = bytes.length - index;
  if (left > 0 && bytes.length >= 4) tests.push(`I.getInt32(${at}+${bytes.length - 4},true)===${packBytes(bytes, bytes.length - 4, 4)}`);
  else if (left === 1) tests.push(`b[${at}]===${bytes[index]}`);
  else if (left === 2) tests.push(`I.getUint16(${at},true)===${packBytes(bytes, index, 2)}`);
  else if (left === 3) tests.push(`(I.getInt32(${at},true)&0xffffff)===${packBytes(bytes, index, 3)}`);
  return tests.length === 0 ? 'true' : tests.join('&&');
}
