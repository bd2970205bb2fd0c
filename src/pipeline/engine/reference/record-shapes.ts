/**
 * From a row to a record: its type and one text per field of that type (docs/record-rules.md, sections 2 and 4). One
 * function per format; a row of broken structure has a problem and perhaps a type.
 */
import type { FieldPlan, JsonLinesPlan, Plan, RecordPlan } from '../plan.ts';
import { absentField, type FieldText } from './field-checks.ts';
import { JsonProblem, type JsonValue, readJsonObject } from './json-document.ts';
import { shapeRanges } from './range-shapes.ts';
import type { Row } from './rows.ts';
import { broken, type Shape } from './shape.ts';

export type { Shape } from './shape.ts';

/** `columns`: names of the header row, null without one. */
export function shapeRecord(plan: Plan, row: Row, columns: readonly string[] | null): Shape {
  const only = plan.records.length === 1 && plan.records[0]!.tag === null ? plan.records[0]! : null;
  if (row.problem !== null) return { type: null, texts: [], problem: row.problem, notes: [] };
  switch (plan.format.type) {
    case 'delimited':
      return shapeCells(plan, row, columns, only);
    case 'fixed-width':
      return shapeRanges(plan, plan.format, row, only);
    case 'json-lines':
      return shapeObject(plan, plan.format, row, only);
  }
}

function findByTag(plan: Plan, tag: string | undefined): RecordPlan | null {
  return tag === undefined ? null : (plan.records.find((record) => record.tag === tag) ?? null);
}

function shapeCells(plan: Plan, row: Row, columns: readonly string[] | null, only: RecordPlan | null): Shape {
  const format = plan.format as Extract<Plan['format'], { type: 'delimited' }>;
  const cells = row.cells!;
  const type = only ?? findByTag(plan, format.discriminator === null ? undefined : cells[format.discriminator]);
  if (type === null) return broken(null, 'E_TAG', 'unknown record type');
  const expected = columns?.length ?? Math.max(0, ...type.fields.map((field) => columnOf(field, null) + 1));
  if (format.columns === 'exact' && cells.length !== expected) return broken(type, 'E_FIELD_COUNT', `expected ${expected} fields`);
  const texts = type.fields.map((field): FieldText => {
    const text = cells[columnOf(field, columns)];
    return text === undefined ? absentField : { kind: 'text', text };
  });
  return { type, texts, problem: null, notes: [] };
}

function columnOf(field: FieldPlan, columns: readonly string[] | null): number {
  const at = field.at as Extract<FieldPlan['at'], { column: number }>;
  return columns === null || at.header === null ? at.column : columns.indexOf(at.header);
}

function shapeObject(plan: Plan, format: JsonLinesPlan, row: Row, only: RecordPlan | null): Shape {
  let document: ReturnType<typeof readJsonObject>;
  try {
    document = readJsonObject(row.content.toString('utf8'));
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return broken(only, error.code, error.message);
  }
  const tag = format.discriminator === null ? undefined : document.members.get(format.discriminator);
  const type = only ?? findByTag(plan, tag?.kind === 'string' ? tag.value : undefined);
  if (type === null) return broken(null, 'E_TAG', 'unknown record type');
  if (format.unknownKeys === 'reject') {
    const known = new Set([
      format.discriminator,
      ...(format.pack === undefined ? [] : ['findings']),
      ...type.fields.map((field) => pathOf(field)[0]),
    ]);
    for (const key of document.members.keys()) if (!known.has(key)) return broken(type, 'E_UNKNOWN_KEY', 'a key is not known to the flow');
  }
  const texts = type.fields.map((field) => fieldTextOf(followPath(document, pathOf(field))));
  const notes = format.pack === undefined ? undefined : document.members.get('findings');
  return { type, texts, problem: null, notes: notes?.kind === 'string' ? notes.value.split('\n').map((note) => note.split('\t')) : [] };
}

function pathOf(field: FieldPlan): readonly string[] {
  return (field.at as Extract<FieldPlan['at'], { path: readonly string[] }>).path;
}

/** `severity`: `error` or `warn`. */
export function notedFindings(
  { notes }: Shape,
  severity: string,
): { code: string; field: string | null; rule: string | null; message: string }[] {
  return notes
    .filter(([said]) => said === severity)
    .map(([, code, field, rule, message]) => ({ code: code!, field: field || null, rule: rule || null, message: message! }));
}

/** Adds to a finding about a record of a pack where it begins in the file as received; a noted one says so itself. */
export function placedFinding(
  { format }: Pick<Plan, 'format'>,
  { type, texts }: Shape,
): <Finding extends { readonly message: string }>(finding: Finding) => Finding {
  const isOfPack = format.type === 'json-lines' && format.pack !== undefined;
  const at = isOfPack && type !== null ? type.fields.findIndex(({ name }) => name === 'line') : -1;
  const line = texts[at];
  if (line === undefined || line.kind === 'absent' || !/^[0-9]{1,16}$/.test(line.text)) return (finding) => finding;
  return (finding) => ({ ...finding, message: `line ${line.text}: ${finding.message}` });
}

/** Steps through objects only. */
function followPath(document: JsonValue, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const key of path) value = value?.kind === 'object' ? value.members.get(key) : undefined;
  return value;
}

function fieldTextOf(value: JsonValue | undefined): FieldText {
  switch (value?.kind) {
    case undefined:
    case 'null':
      return absentField;
    case 'string':
      return { kind: 'string', text: value.value };
    case 'number':
      return { kind: 'number', text: value.text };
    case 'boolean':
      return { kind: 'boolean', text: String(value.value) };
    case 'array':
    case 'object':
      return { kind: 'other', text: value.kind };
  }
}
