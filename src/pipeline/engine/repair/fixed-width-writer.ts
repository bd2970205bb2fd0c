/** Writes a fixed-width record again with other texts in some of its fields, each in the place that it has, in bytes of the window. */
import { isHeldInBytes, writeHeldBytes } from '../fields/held-numbers.ts';
import type { FieldPlan, FixedWidthPlan } from '../plan.ts';
import { textPageOf } from '../records/text-page.ts';
import { translated, windowTable } from '../records/window-bytes.ts';

const space = 0x20;

type TextsByIndex = ReadonlyMap<number, string | null>;
/** Null when a text has no place in the record. */
export type FixedWidthWriter = (content: Buffer, fields: readonly FieldPlan[], texts: TextsByIndex) => Buffer | null;

export function createFixedWidthWriter(format: FixedWidthPlan): FixedWidthWriter {
  return format.positions === 'characters' ? writeCharacters : createByteWriter(format);
}

function createByteWriter(format: FixedWidthPlan): FixedWidthWriter {
  const page = textPageOf(format);
  const table = windowTable(format);
  const bytesOf = (field: FieldPlan, text: string, length: number): Buffer | null => {
    if (!isHeldInBytes(field)) return page.encode(text);
    const held = writeHeldBytes(field.usage as 'packed' | 'binary', text, length);
    return held === null ? null : translated(held, table);
  };
  return (content, fields, texts) => {
    let bytes = Buffer.from(content);
    for (const [index, text] of texts) {
      const { at } = fields[index]!;
      if (!('start' in at)) return null;
      const value = bytesOf(fields[index]!, text ?? '', at.length);
      if (value === null || value.length > at.length) return null;
      if (bytes.length < at.start + at.length) bytes = Buffer.concat([bytes, Buffer.alloc(at.start + at.length - bytes.length, space)]);
      bytes.fill(space, at.start, at.start + at.length);
      value.copy(bytes, at.start);
    }
    return bytes;
  };
}

const writeCharacters: FixedWidthWriter = (content, fields, texts) => {
  const characters = Array.from(content.toString('utf8'));
  for (const [index, text] of texts) {
    const { at } = fields[index]!;
    if (!('start' in at)) return null;
    const value = Array.from(text ?? '');
    if (value.length > at.length) return null;
    while (characters.length < at.start + at.length) characters.push(' ');
    characters.splice(at.start, at.length, ...value, ...Array.from({ length: at.length - value.length }, () => ' '));
  }
  return Buffer.from(characters.join(''), 'utf8');
};
