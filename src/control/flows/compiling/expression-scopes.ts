/** What the expressions of a flow may name, by where they stand, and how their mistakes are reported. */
import { checkExpression } from '../../../pipeline/engine/expressions/check.ts';
import type { Environment, FieldBinding } from '../../../pipeline/engine/expressions/environment.ts';
import type { Expression, ValueType } from '../../../pipeline/engine/expressions/expression.ts';
import type { OutputFieldPlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import { valueTypeOf } from '../../../pipeline/engine/records/record-scope.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { summedCurrencies } from './summed-currencies.ts';

/** Roots of later versions. */
const later = ['calendar', 'flag', 'lookup', 'env', 'tenant'];

export interface FlowScopes {
  /** Record rules, filters and output fields. */
  readonly record: Environment;
  readonly file: Environment;
  /** Routes; `output` is what transforms made. */
  routes(output: readonly OutputFieldPlan[]): Environment;
  /** What targets compute when records are sent: nothing but the output is at hand then. */
  targets(output: readonly OutputFieldPlan[]): Environment;
}

export function flowScopes(records: readonly RecordPlan[]): FlowScopes {
  const data = records.filter((record) => record.role === 'data');
  const main = data[0]!;
  const header = records.find((record) => record.role === 'header');
  const trailer = records.find((record) => record.role === 'trailer');
  const recordFields = bindings(main);
  const hiddenFields = new Map(
    data
      .slice(1)
      .flatMap((other) =>
        other.fields
          .filter((field) => !main.fields.some((own) => own.name === field.name))
          .map((field) => [field.name, `${field.name} is a field of ${other.name}; expressions see the fields of ${main.name}`] as const),
      ),
  );
  const fileOnly = 'only rules of scope file see it, at the end of the file';
  const perRecord = { header: fileOnly, trailer: fileOnly, stats: fileOnly };
  const base = { statistics: null, later, hiddenFields };
  return {
    record: { ...base, scopes: { record: recordFields }, absent: { ...perRecord, out: 'only routes see the output' } },
    file: {
      scopes: {
        ...(header === undefined ? {} : { header: bindings(header) }),
        ...(trailer === undefined ? {} : { trailer: bindings(trailer) }),
      },
      statistics: {
        sums: uniqueSums(data),
        recordTypes: data.map((record) => record.name),
      },
      absent: {
        record: 'a file rule sees header, trailer and stats',
        out: 'a file rule sees header, trailer and stats',
        ...(header === undefined ? { header: 'the schema has no header' } : {}),
        ...(trailer === undefined ? { trailer: 'the schema has no trailer' } : {}),
      },
      later,
      hiddenFields: new Map(),
    },
    routes: (output) => ({
      ...base,
      scopes: { record: recordFields, out: outputBindings(output) },
      absent: perRecord,
    }),
    targets: (output) => ({
      ...base,
      hiddenFields: new Map(),
      scopes: { out: outputBindings(output) },
      absent: { ...perRecord, record: 'a target sees out, the output' },
    }),
  };
}

function uniqueSums(data: readonly RecordPlan[]) {
  const sums = data.flatMap((record) => record.fields.filter((field) => field.sum));
  const names = [...new Set(sums.map((field) => field.name))];
  return names.map((name) => {
    const alike = sums.filter((field) => field.name === name);
    return { field: name, type: valueTypeOf(alike[0]!.type), currencies: summedCurrencies(name, data) };
  });
}

function outputBindings(output: readonly OutputFieldPlan[]): FieldBinding[] {
  return output.map((field, index) => ({ name: field.name, type: field.type, index }));
}

function bindings(record: RecordPlan): FieldBinding[] {
  return record.fields.map((field, index) => ({ name: field.name, type: valueTypeOf(field.type), index }));
}

/** Null after a finding. */
export function compileExpression(
  request: { source: string; path: Path; environment: Environment; expected: ValueType | null },
  report: Report,
): Expression | null {
  const checked = checkExpression(request);
  for (const { code, message, range } of checked.problems) report.add({ code, path: request.path, message, offset: range.start });
  return checked.expression;
}
