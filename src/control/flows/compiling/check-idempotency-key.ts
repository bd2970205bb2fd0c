/**
 * Whether two records of a file could be sent under one Idempotency-Key of the flow's own: a service that honours keys would
 * take the second for a repetition of the first, and its payment would be lost without an error. A key that is no text of a
 * field with `unique: file` is refused; one that is computed of such a field is a warning, as nobody can tell.
 */
import type { Expression } from '../../../pipeline/engine/expressions/expression.ts';
import type { FieldPlan, OutputFieldPlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { never } from './compile-rules.ts';

interface KeyContext {
  readonly output: readonly OutputFieldPlan[];
  readonly records: readonly RecordPlan[];
}

/** `name`: the output field; one that is not there, or whose expression is a mistake, is not judged. */
export function checkIdempotencyKey(name: string, { output, records }: KeyContext, path: Path, report: Report): void {
  const value = output.find((field) => field.name === name)?.value;
  if (value === undefined || value === never) return;
  const add = (severity: 'error' | 'warning', message: string): void =>
    report.add({ code: flowErrors.E_CONFIG_IDEMPOTENCY_KEY, path, message, severity, atValue: true });
  const unique = (field: string): boolean => fieldsNamed(field, records).every((one) => one.unique === 'file');
  if (value.kind !== 'field') {
    if (value.type !== 'bool' && fieldNames(value).some(unique))
      add('warning', `out.${name} is computed: records for which it comes out the same are sent under one key`);
    else add('error', `out.${name} is made of no field with \`unique: file\`: two records could be sent under one key`);
    return;
  }
  const spelled = fieldsNamed(value.name, records).find((field) => !hasOneSpelling(field));
  if (!unique(value.name)) add('error', `${value.name} is not unique: two records could be sent under one key; add \`unique: file\``);
  // `unique` compares what stands in the file, where 7 and 007 differ; in the output they are one number.
  else if (spelled !== undefined)
    add('error', `${value.name} is of type ${spelled.type}, which has several spellings of a value; ${remedy(spelled)}`);
}

/** Fields of the record alone: an output field sees no others. */
function fieldNames(value: Expression): string[] {
  switch (value.kind) {
    case 'field':
      return [value.name];
    case 'call':
      return value.arguments.flatMap(fieldNames);
    case 'in':
      return fieldNames(value.value);
    case 'literal':
    case 'statistic':
      return [];
  }
}

/** In every type that has one: it stands in for that of the first. */
function fieldsNamed(name: string, records: readonly RecordPlan[]): FieldPlan[] {
  return records.filter(({ role }) => role === 'data').flatMap(({ fields }) => fields.filter((field) => field.name === name));
}

/** Whether different texts of the field are different values. A moment by its own format has as many digits as its letters. */
function hasOneSpelling({ type, pattern, dateFormat }: FieldPlan): boolean {
  switch (type) {
    case 'int':
      return pattern !== null && /^\^?\[1-9\](?:\[0-9\]|\\d)[*+]?\$?$/.test(pattern) && pattern.startsWith('^') === pattern.endsWith('$');
    case 'decimal':
      return false;
    case 'datetime':
      return dateFormat !== null;
    default:
      return true;
  }
}

function remedy({ type }: FieldPlan): string {
  return type === 'int' ? 'make it a string, or give it the pattern "[1-9][0-9]*"' : 'use a string as key';
}
