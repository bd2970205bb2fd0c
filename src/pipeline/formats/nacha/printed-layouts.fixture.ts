/** Writes a record of a parsed document again, by the layout of its name: to show that nothing of it was lost. */
import { addenda } from './addenda-layouts.ts';
import type { FieldLayout, RecordLayout } from './field-layouts.ts';
import * as records from './record-layouts.ts';

type Parsed = Readonly<Record<string, unknown>> & { readonly written?: Readonly<Record<string, string>> };

const byName = new Map<string, RecordLayout>([...Object.values(records), ...Object.values(addenda)].map((layout) => [layout.name, layout]));
byName.set('entryDetail', records.entryDetail);

export function layoutsByName(name: string, parsed: Parsed): string | undefined {
  const layout = name === 'entryDetail' && isNameFirst(parsed) ? records.nameFirstEntryDetail : byName.get(name);
  return layout?.fields.map((field) => written(field, parsed)).join('');
}

function isNameFirst({ individualName }: Parsed): boolean {
  return String(individualName).length === 15;
}

function written({ name, at, length, kind, literal, prints }: FieldLayout, parsed: Parsed): string {
  const kept = parsed.written?.[name === 'reserved' && prints === 'hidden' ? `reserved${at + 1}` : name];
  if (kept !== undefined) return kept;
  if (prints === 'hidden') return (literal ?? '').padEnd(length);
  const value = String(parsed[name]);
  if (prints === 'routing' || prints === 'origin') return ` ${value}`.padEnd(length);
  return prints === 'number' || (kind === 'digits' && prints === 'text') ? value.padStart(length, '0') : value.padEnd(length);
}
