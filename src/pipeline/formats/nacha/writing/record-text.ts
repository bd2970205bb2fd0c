/** Records as text, one character for each column: their fields, and records made of fields. */
import type { FieldLayout, RecordLayout } from '../field-layouts.ts';
import { writtenWithout } from '../field-values.ts';

const fieldsByName = new Map<RecordLayout, ReadonlyMap<string, FieldLayout>>();

function fieldAt(layout: RecordLayout, name: string): FieldLayout {
  let fields = fieldsByName.get(layout);
  if (fields === undefined) fieldsByName.set(layout, (fields = new Map(layout.fields.map((field) => [field.name, field]))));
  return fields.get(name)!;
}

export function fieldOf(layout: RecordLayout, text: string, name: string): string {
  const { at, length } = fieldAt(layout, name);
  return text.slice(at, at + length);
}

/** A number is filled with zeros, a text with spaces; the value fits. */
export function withField(
  layout: RecordLayout,
  text: string,
  { name, value }: { readonly name: string; readonly value: string | number },
): string {
  const { at, length } = fieldAt(layout, name);
  const written = typeof value === 'number' ? String(value).padStart(length, '0') : value.padEnd(length);
  return text.slice(0, at) + written + text.slice(at + length);
}

/** Values fit; those of digits are filled with zeros, others with spaces. */
export function recordOf(layout: RecordLayout, values: Readonly<Record<string, string>>): string {
  let text = '';
  for (const field of layout.fields) {
    const value = values[field.name];
    if (value === undefined) text += writtenWithout(field);
    else text += field.kind === 'digits' ? value.padStart(field.length, '0') : value.padEnd(field.length);
  }
  return text;
}
