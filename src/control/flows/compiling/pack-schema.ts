/**
 * A flow whose format is a pack needs no schema: the pack has one. What the flow says of a field in a schema of its own is added to
 * it and may only ask for more; fields of its own, types and places it can't give. Totals of the file are compared by rules of the pack.
 */

import type { PackPlan } from '../../../pipeline/engine/plan.ts';
import type { PackField, PackFlow, PackSchema } from '../../../pipeline/formats/pack.ts';
import { packFlows } from '../../../pipeline/formats/pack-flows.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { FieldDefinition, FieldDefinitions, FlowSpec, FormatDefinition, RuleDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

type Schema = NonNullable<FlowSpec['schema']>;

/** With the schema and the rules of its pack, where its format is one; as it is otherwise. Null: it has no schema at all. */
export function withPackSchema(spec: FlowSpec, report: Report | null): (FlowSpec & { readonly schema: Schema }) | null {
  const { format } = spec;
  if (!isPack(format)) {
    if (spec.schema !== undefined) return { ...spec, schema: spec.schema };
    report?.add({ code: flowErrors.E_CONFIG_KEY, path: ['spec'], message: 'schema is missing in spec: the record types of the file' });
    return null;
  }
  const pack = schemaOf(format);
  if ('problem' in pack) {
    const isGiven = format[pack.key] !== undefined && format[pack.key] !== null;
    if (isGiven)
      report?.add({ code: flowErrors.E_CONFIG_VALUE, path: ['spec', 'format', pack.key], message: `${pack.key}: ${pack.problem}` });
    else
      report?.add({
        code: flowErrors.E_CONFIG_KEY,
        path: ['spec', 'format'],
        message: `${pack.key} is missing in format: ${pack.problem}`,
      });
    return null;
  }
  const own = spec.schema;
  if (own?.records !== undefined)
    report?.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: ['spec', 'schema', 'records'],
      message: `the records of ${format.type} are the pack's own; write what you add to their fields under record`,
    });
  const refined = (part: 'header' | 'record' | 'trailer', fields: FieldDefinitions) =>
    refine(fields, own?.[part]?.fields ?? {}, { path: ['spec', 'schema', part, 'fields'], pack: format.type }, report);
  /** Of a part that the pack does not have too, so that what is said of its fields is refused. */
  const envelope = (part: 'header' | 'trailer') => {
    const fields = refined(part, pack[part] === null ? {} : definitionsOf(pack[part]));
    return pack[part] === null ? {} : { [part]: { tag: part, fields } };
  };
  return {
    ...spec,
    schema: {
      ...envelope('header'),
      record: { tag: 'record', key: own?.record?.key ?? pack.key, fields: refined('record', definitionsOf(pack.record)) },
      ...envelope('trailer'),
    },
    validate: [...pack.totals.map(ruleOf), ...(spec.validate ?? [])],
  };
}

export function isPack(format: FormatDefinition): format is Extract<FormatDefinition, { readonly type: PackPlan['name'] }> {
  return Object.hasOwn(packFlows, format.type);
}

/** As given, defaults filled in. */
export function packSettings(format: Extract<FormatDefinition, { readonly type: PackPlan['name'] }>): PackPlan['settings'] {
  return Object.fromEntries(packOf(format.type).settings.map((setting) => [setting.name, format[setting.name] ?? setting.default]));
}

function packOf(name: PackPlan['name']): PackFlow {
  return packFlows[name]!;
}

function schemaOf(format: Extract<FormatDefinition, { readonly type: PackPlan['name'] }>) {
  return packOf(format.type).schema(new Map(Object.entries(packSettings(format))));
}

function ruleOf(total: PackSchema['totals'][number]): RuleDefinition {
  return { ...total, scope: 'file', severity: 'error', onFail: 'hold-file' };
}

/** Of every line: where in the file as received its record begins. */
const place = { line: { type: 'int', required: true }, offset: { type: 'int', required: true } } as const satisfies Record<
  string,
  PackField
>;

function definitionsOf(fields: Readonly<Record<string, PackField>>): FieldDefinitions {
  const all: Readonly<Record<string, PackField>> = { ...place, ...fields };
  return Object.fromEntries(
    Object.entries(all).map(([name, field]): [string, FieldDefinition] => [
      name,
      {
        ...field,
        required: field.required ?? false,
        point: 'explicit',
        usage: 'text',
        sign: 'trailing',
        sum: field.sum ?? false,
        mask: field.mask ?? 'none',
      },
    ]),
  );
}

const masks = ['none', 'last4', 'all'] as const;

function refine(
  fields: FieldDefinitions,
  own: FieldDefinitions,
  { path, pack }: { readonly path: Path; readonly pack: string },
  report: Report | null,
): FieldDefinitions {
  const refined: Record<string, FieldDefinition> = { ...fields };
  for (const [name, given] of Object.entries(own)) {
    const field = fields[name];
    if (field === undefined) {
      const nearest = nearestName(name, Object.keys(fields));
      report?.add({
        code: flowErrors.E_CONFIG_REFERENCE,
        path: [...path, name],
        message: `${pack} has no field ${name}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
      });
      continue;
    }
    for (const key of ['at', 'column', 'path', 'format', 'currency'] as const)
      if (given[key] !== undefined)
        report?.add({
          code: flowErrors.E_CONFIG_CONFLICT,
          path: [...path, name, key],
          message: `${key} of ${name} is the pack's own; leave it out`,
        });
    if (given.type !== field.type || (given.scale ?? 0) > (field.scale ?? 0))
      report?.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path: [...path, name, given.type === field.type ? 'scale' : 'type'],
        message: `${name} of ${pack} is ${field.type}${field.scale === undefined ? '' : ` with scale ${field.scale} at most`}`,
      });
    refined[name] = {
      ...field,
      ...withoutDefaults(given),
      type: field.type,
      required: field.required || given.required,
      sum: field.sum || given.sum,
      mask: masks[Math.max(masks.indexOf(field.mask), masks.indexOf(given.mask))]!,
    };
  }
  return refined;
}

/** What narrows the values. */
function withoutDefaults({ scale, trim, minLength, maxLength, pattern, enum: allowed, min, max, unique, class: kind }: FieldDefinition) {
  const given = { scale, trim, minLength, maxLength, pattern, enum: allowed, min, max, unique, class: kind };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<FieldDefinition>;
}
