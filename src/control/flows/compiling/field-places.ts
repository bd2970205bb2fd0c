/** Where the fields of a record type are, by format, and that no two are in one place. */
import type { FieldPlan, FormatPlan } from '../../../pipeline/engine/plan.ts';
import type { FieldDefinition, FieldDefinitions } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

export type FieldPlace = FieldPlan['at'];

interface PlacesRequest {
  readonly fields: FieldDefinitions;
  readonly format: FormatPlan;
  readonly path: Path;
}

const placeKeys = { delimited: 'column', 'fixed-width': 'at', 'json-lines': 'path' } as const;

/** One place per field, in order; after a finding some of them may be made up. */
export function placeFields(request: PlacesRequest, report: Report): FieldPlace[] {
  const { fields, format, path } = request;
  const own = placeKeys[format.type];
  for (const [name, field] of Object.entries(fields)) {
    for (const key of Object.values(placeKeys)) {
      if (key === own || field[key] === undefined) continue;
      report.add({ code: flowErrors.E_CONFIG_LAYOUT, path: [...path, name, key], message: `${key} is not for ${format.type}; use ${own}` });
    }
  }
  switch (format.type) {
    case 'fixed-width':
      return placeRanges(request, format, report);
    case 'delimited':
      return placeColumns(request, format, report);
    case 'json-lines':
      return placePaths(request, report);
  }
}

type Range = { readonly start: number; readonly length: number };

function placeRanges({ fields, path }: PlacesRequest, format: Extract<FormatPlan, { type: 'fixed-width' }>, report: Report): FieldPlace[] {
  const refuse = (name: string, message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_LAYOUT, path: [...path, name, 'at'], message });
  const placed: { name: string; range: Range }[] = [];
  const places = Object.entries(fields).map(([name, field]) => {
    if (field.at === undefined) {
      report.add({
        code: flowErrors.E_CONFIG_LAYOUT,
        path: [...path, name],
        message: `at is missing in ${name}: [first position, length], counted from 1`,
      });
      return { start: 0, length: 1 };
    }
    const range = { start: field.at[0] - 1, length: field.at[1] };
    placed.push({ name, range });
    return range;
  });
  placed.sort((a, b) => a.range.start - b.range.start);
  for (const [index, { name, range }] of placed.entries()) {
    const before = placed.slice(0, index).find((other) => endOf(other.range) > range.start);
    if (before !== undefined) refuse(name, `${name} overlaps ${before.name}, which ends at byte ${endOf(before.range)}`);
    if (format.recordLength !== null && endOf(range) > format.recordLength)
      refuse(name, `${name} ends at byte ${endOf(range)}; a record has ${format.recordLength}`);
    const tag = format.discriminator;
    const isTag = tag !== null && tag.start === range.start && tag.length === range.length;
    if (tag !== null && !isTag && range.start < endOf(tag) && tag.start < endOf(range))
      refuse(name, `${name} overlaps the record tag at byte ${tag.start + 1}`);
  }
  return places;
}

function endOf(range: Range): number {
  return range.start + range.length;
}

function placeColumns({ fields, path }: PlacesRequest, format: Extract<FormatPlan, { type: 'delimited' }>, report: Report): FieldPlace[] {
  const taken = new Map<string, string>();
  let previous = -1;
  return Object.entries(fields).map(([name, field]) => {
    const place = columnOf(name, field, { format, previous });
    if ('problem' in place) {
      report.add({
        code: flowErrors.E_CONFIG_LAYOUT,
        path: [...path, name, ...(field.column === undefined ? [] : ['column'])],
        message: place.problem,
      });
      return { column: 0, header: null };
    }
    previous = place.column;
    const label = place.header === null ? `column ${place.column + 1}` : `column ${JSON.stringify(place.header)}`;
    const other = taken.get(label);
    if (other !== undefined)
      report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path: [...path, name], message: `${name} and ${other} are both ${label}` });
    taken.set(label, name);
    return place;
  });
}

function columnOf(
  name: string,
  field: FieldDefinition,
  context: { format: Extract<FormatPlan, { type: 'delimited' }>; previous: number },
): { column: number; header: string | null } | { problem: string } {
  const { column } = field;
  if (typeof column === 'number') return { column: column - 1, header: null };
  if (context.format.header) return { column: context.previous + 1, header: column ?? name };
  if (column !== undefined) return { problem: 'a column has a name only with header: true; give its number from 1' };
  if (context.format.discriminator !== null)
    return { problem: `column is missing in ${name}: with record tags every field says its column` };
  return { column: context.previous + 1, header: null };
}

function placePaths({ fields, path }: PlacesRequest, report: Report): FieldPlace[] {
  const taken: { name: string; steps: readonly string[] }[] = [];
  return Object.entries(fields).map(([name, field]) => {
    const steps = typeof field.path === 'string' ? field.path.split('.') : (field.path ?? [name]);
    const at = [...path, name, ...(field.path === undefined ? [] : ['path'])];
    if (steps.some((step) => step === '') || steps.length > 16)
      report.add({ code: flowErrors.E_CONFIG_LAYOUT, path: at, message: 'a path has 1 to 16 keys, none of them empty' });
    const other = taken.find((candidate) => isPrefix(candidate.steps, steps) || isPrefix(steps, candidate.steps));
    if (other !== undefined) {
      const isSame = other.steps.length === steps.length;
      const message = isSame
        ? `${name} and ${other.name} are both at ${steps.join('.')}`
        : `${name} and ${other.name}: one is inside the other`;
      report.add({ code: isSame ? flowErrors.E_CONFIG_DUPLICATE : flowErrors.E_CONFIG_LAYOUT, path: at, message });
    }
    taken.push({ name, steps });
    return { path: steps };
  });
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.every((step, index) => long[index] === step);
}
