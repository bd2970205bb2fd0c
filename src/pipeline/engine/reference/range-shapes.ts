/** From a row of a fixed-width file to its type and texts, for the reference parser (docs/record-rules.md, section 2). */
import type { FieldPlan, FixedWidthPlan, Plan, RecordPlan } from '../plan.ts';
import { absentField, type FieldText } from './field-checks.ts';
import { isInBytes, readBytesNumber } from './number-forms.ts';
import { encodingOf, fileBytes, findByteProblem, findTextProblem, textOf } from './page-text.ts';
import type { Row, RowProblem } from './rows.ts';
import { broken, type Shape } from './shape.ts';

type Range = Extract<FieldPlan['at'], { start: number }>;

/** The record as positions count it: one entry a byte, or one a character. */
interface Cells {
  readonly length: number;
  readonly unit: 'bytes' | 'characters';
  text(range: Range): string;
  /** Whether text of the range cannot be read, because it starts or ends inside a character. */
  isCut(range: Range): boolean;
}

/** `only`: the one type of the file, where types have no tags. */
export function shapeRanges(plan: Plan, format: FixedWidthPlan, row: Row, only: RecordPlan | null): Shape {
  const hasBytes = plan.records.some(({ fields }) => fields.some(isInBytes));
  const cells = format.positions === 'characters' ? characterCells(row.content) : byteCells(format, row.content, hasBytes);
  const type = only ?? typeOf(plan, cells, format.discriminator!);
  if (type === null) return broken(null, 'E_TAG', 'unknown record type');
  const problem = hasBytes ? problemOfTexts(format, type, row.content) : null;
  if (problem !== null) return { type: null, texts: [], problem, notes: [] };
  const width = format.recordLength ?? Math.max(0, ...type.fields.map((field) => rangeOf(field).start + rangeOf(field).length));
  const isShort = cells.length < width && format.shortLines === 'reject';
  if (isShort || (cells.length > width && /[^ ]/.test(cells.text({ start: width, length: cells.length - width }))))
    return broken(type, 'E_WIDTH', `expected ${width} ${cells.unit}, found ${cells.length}`);
  if (type.fields.some((field) => !isInBytes(field) && cells.isCut(rangeOf(field))))
    return broken(type, 'E_WIDTH', 'a field boundary cuts a character');
  const texts = type.fields.map((field): FieldText => {
    if (isInBytes(field)) return bytesText(field, format, row.content);
    const range = rangeOf(field);
    const missing = Math.min(range.length, Math.max(0, range.start + range.length - cells.length));
    return { kind: 'text', text: cells.text(range) + ' '.repeat(missing) };
  });
  return { type, texts, problem: null, notes: [] };
}

function rangeOf(field: FieldPlan): Range {
  return field.at as Range;
}

function typeOf(plan: Plan, cells: Cells, range: Range): RecordPlan | null {
  if (cells.isCut(range)) return null;
  const tag = trimSpaces(cells.text(range));
  return plan.records.find((record) => record.tag !== null && trimSpaces(record.tag) === tag) ?? null;
}

function trimSpaces(text: string): string {
  return text.replace(/^ +/, '').replace(/ +$/, '');
}

function characterCells(content: Buffer): Cells {
  const characters = Array.from(content.toString('utf8'));
  return {
    length: characters.length,
    unit: 'characters',
    text: ({ start, length }) => characters.slice(start, start + length).join(''),
    isCut: () => false,
  };
}

function byteCells(format: FixedWidthPlan, content: Buffer, hasBytes: boolean): Cells {
  const isContinuation = (at: number) => at < content.length && content[at]! >= 0x80 && content[at]! <= 0xbf;
  const slice = ({ start, length }: Range) => content.subarray(start, start + length);
  return {
    length: content.length,
    unit: 'bytes',
    text: (range) => textOf(format, slice(range)),
    isCut(range) {
      if (encodingOf(format) !== 'utf-8') return false;
      if (hasBytes) return findByteProblem(format, slice(range), 0) !== null;
      return isContinuation(range.start) || isContinuation(range.start + range.length);
    },
  };
}

/** Everything that is no number in bytes has to be text: bytes first, then NUL. */
function problemOfTexts(format: FixedWidthPlan, type: RecordPlan, content: Buffer): RowProblem | null {
  const numbers = type.fields.filter(isInBytes).map(rangeOf);
  const texts: { start: number; end: number }[] = [];
  for (let at = 0; at < content.length; at++) {
    if (numbers.some(({ start, length }) => at >= start && at < start + length)) continue;
    const last = texts.at(-1);
    if (last?.end === at) last.end++;
    else texts.push({ start: at, end: at + 1 });
  }
  const problems = texts.map(({ start, end }) => findTextProblem(format, content.subarray(start, end), start));
  return problems.find((problem) => problem?.code === 'E_ENCODING') ?? problems.find((problem) => problem !== null) ?? null;
}

/** A number that the record is too short for is absent, or bytes that are none when its start is there. */
function bytesText(field: FieldPlan, format: FixedWidthPlan, content: Buffer): FieldText {
  const { start, length } = rangeOf(field);
  if (start >= content.length) return absentField;
  const bytes = fileBytes(format, content.subarray(start, start + length));
  const digits = bytes.length < length ? null : readBytesNumber(field, bytes);
  return digits === null ? { kind: 'unreadable', text: `0x${bytes.toString('hex')}` } : { kind: 'text', text: digits };
}
