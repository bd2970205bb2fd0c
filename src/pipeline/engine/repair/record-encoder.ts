/**
 * Writes a record again with other texts in some of its fields, in the flow's own format, as bytes of the window. What is written is read back by the
 * reader of the format: a text that would come out as another one has no place in it.
 */
import { trimSpaces } from '../fields/field-reader.ts';
import { isHeldInBytes } from '../fields/held-numbers.ts';
import type { DelimitedPlan, FieldPlan, Plan } from '../plan.ts';
import { columnOf, splitCells } from '../records/delimited-reader.ts';
import { createRecordReader } from '../records/record-reader.ts';
import { createRecordText, type RecordText } from '../records/record-text.ts';
import { textPageOf } from '../records/text-page.ts';
import { isWithoutLineEnds } from '../records/window-bytes.ts';
import { createFixedWidthWriter } from './fixed-width-writer.ts';
import { encodeJsonLine } from './json-line.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** By index in the record's type; null: the field is to be absent. */
export type NewTexts = ReadonlyMap<number, string | null>;

export interface RecordEncoder {
  /** Null when a text has no place in the format. `read`: the record as it was read. */
  encode(content: Buffer, read: RecordText, texts: NewTexts): Buffer | null;
}

export function createRecordEncoder(plan: Plan, columns: readonly string[] | null): RecordEncoder {
  const readAgain = createRecordReader(plan, columns);
  const again = createRecordText();
  const write = createWriter(plan, columns);
  return {
    encode(content, read, texts) {
      const { fields } = plan.records[read.type]!;
      const written = write(content, { fields, read, texts });
      if (written === null || !keepsItsEnd(plan, content, written)) return null;
      const problem = readAgain(written, 0, written.length, again);
      if (problem !== null || again.type !== read.type) return null;
      const isSame = fields.every((field, index) => {
        const expected = texts.has(index) ? texts.get(index)! : read.texts[index]!;
        return sameText(field, again.texts[index]!, expected);
      });
      return isSame ? written : null;
    },
  };
}

/** Only quoted cells may hold a line end; without line ends a record keeps its length. */
function keepsItsEnd({ format }: Plan, content: Buffer, written: Buffer): boolean {
  if (isWithoutLineEnds(format)) return written.length === content.length;
  const mayHoldLineEnds = format.type === 'delimited' && format.quote !== null;
  return written.at(-1) !== carriageReturn && (mayHoldLineEnds || !written.includes(lineFeed));
}

/** Absent and empty are one; spaces count where they are not trimmed, zeros before a number held in bytes never. */
function sameText(field: FieldPlan, left: string | null, right: string | null): boolean {
  const plain = (text: string | null) => {
    if (text === null) return '';
    if (isHeldInBytes(field) && /^-?[0-9]+$/.test(text)) return String(BigInt(text));
    return field.trim ? trimSpaces(text) : text;
  };
  return plain(left) === plain(right);
}

interface Change {
  readonly fields: readonly FieldPlan[];
  readonly read: RecordText;
  readonly texts: NewTexts;
}

type Writer = (content: Buffer, change: Change) => Buffer | null;

function createWriter(plan: Plan, columns: readonly string[] | null): Writer {
  const { format } = plan;
  switch (format.type) {
    case 'delimited':
      return (content, change) => writeDelimited(format, columns, content, change);
    case 'fixed-width': {
      const write = createFixedWidthWriter(format);
      return (content, { fields, texts }) => write(content, fields, texts);
    }
    case 'json-lines':
      return encodeJsonLine;
  }
}

function writeDelimited(
  format: DelimitedPlan,
  columns: readonly string[] | null,
  content: Buffer,
  { fields, texts }: Change,
): Buffer | null {
  const cells: string[] = [];
  const page = textPageOf(format);
  if (splitCells(page.decode(content, 0, content.length), format, cells) !== null) return null;
  for (const [index, text] of texts) {
    const column = columnOf(fields[index]!, columns);
    if (column < 0) return null;
    while (cells.length <= column) cells.push('');
    cells[column] = text ?? '';
  }
  const written = cells.map((cell, at) => writeCell(format, cell, { isFirst: at === 0, isOnly: cells.length === 1 }));
  return written.includes(null) ? null : page.encode(written.join(String.fromCharCode(format.delimiter)));
}

/** Null where the text would need quotes and the format has none. */
function writeCell(format: DelimitedPlan, text: string, place: { readonly isFirst: boolean; readonly isOnly: boolean }): string | null {
  const { delimiter, quote, comment, escape: escaping } = format;
  const marks = [delimiter, quote, escaping].flatMap((unit) => (unit === null ? [] : [String.fromCharCode(unit)]));
  const isComment = place.isFirst && comment !== null && text.startsWith(String.fromCharCode(comment));
  const isBlank = place.isOnly && text === '';
  if (!isComment && !isBlank && !/[\r\n]/.test(text) && !marks.some((mark) => text.includes(mark))) return text;
  if (quote === null) return null;
  const mark = String.fromCharCode(quote);
  const escapeMark = escaping === null ? mark : String.fromCharCode(escaping);
  const escaped = [...text].map((character) => (character === mark || character === escapeMark ? `${escapeMark}${character}` : character));
  return `${mark}${escaped.join('')}${mark}`;
}
