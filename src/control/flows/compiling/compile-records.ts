/** From `spec.schema` to the Plan's record types: which there are, how they are told apart, their keys. */

import type { FormatPlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { FieldDefinitions, FlowSpec, RecordDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { compileFields } from './compile-fields.ts';

const unseenShown = 5;

interface NamedType {
  readonly name: string;
  readonly role: RecordPlan['role'];
  readonly path: Path;
  readonly definition: Omit<RecordDefinition, 'counted'> & { readonly counted?: boolean };
}

/** Null when there is no data record type at all. The first data type of the Plan is a counted one: expressions see its fields. */
export function compileRecords(spec: FlowSpec, format: FormatPlan, report: Report): RecordPlan[] | null {
  const types = listTypes(spec, report);
  if (types === null) return null;
  checkTags(types, format, report);
  const records = types.map((type) => compileType(type, format, report));
  checkSharedFields(records, types, report);
  const first = records.findIndex((record) => record.counted);
  if (first < 0) {
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: ['spec', 'schema', 'records'],
      message: 'no record type is counted: the file would have no records',
    });
    return null;
  }
  const main = records[first]!;
  warnOfUnseen(records, main, report);
  return [
    ...records.filter((record) => record.role === 'header'),
    main,
    ...records.filter((record) => record.role !== 'header' && record !== main),
  ];
}

/** Expressions and outputs have the fields of the main type: what others have of their own leads nowhere. */
function warnOfUnseen(records: readonly RecordPlan[], main: RecordPlan, report: Report): void {
  const seen = new Set(main.fields.map(({ name }) => name));
  for (const { name, role, counted, fields } of records) {
    const unseen = fields.filter((field) => !seen.has(field.name)).map((field) => field.name);
    if (role !== 'data' || !counted || unseen.length === 0) continue;
    const many = unseen.length > unseenShown ? ` and ${unseen.length - unseenShown} more` : '';
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: ['spec', 'schema', 'records', name],
      severity: 'warning',
      message: `${unseen.slice(0, unseenShown).join(', ')}${many} of ${name} are checked, and go nowhere: expressions and outputs have the fields of ${main.name}, the first counted record type; give what they have in common the same names, or make two flows of it`,
    });
  }
}

function listTypes(spec: FlowSpec, report: Report): NamedType[] | null {
  const { header, record, records, trailer } = spec.schema!;
  const path: Path = ['spec', 'schema'];
  if (record !== undefined && records !== undefined) {
    report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, 'records'], message: 'record and records: write one of the two' });
    return null;
  }
  if (record === undefined && records === undefined) {
    report.add({ code: flowErrors.E_CONFIG_KEY, path, message: 'record is missing in schema: the fields of a record' });
    return null;
  }
  const data: NamedType[] =
    record === undefined
      ? Object.entries(records!).map(([name, definition]) => ({ name, role: 'data', path: [...path, 'records', name], definition }))
      : [{ name: 'record', role: 'data', path: [...path, 'record'], definition: record }];
  for (const type of data) {
    if (records !== undefined && (type.name === 'header' || type.name === 'trailer')) {
      report.add({
        code: flowErrors.E_CONFIG_DUPLICATE,
        path: type.path,
        message: `${type.name} is a key of schema itself, not a name of a record type`,
      });
    }
  }
  return [
    ...(header === undefined ? [] : [{ name: 'header', role: 'header' as const, path: [...path, 'header'], definition: header }]),
    ...data,
    ...(trailer === undefined ? [] : [{ name: 'trailer', role: 'trailer' as const, path: [...path, 'trailer'], definition: trailer }]),
  ];
}

function checkTags(types: readonly NamedType[], format: FormatPlan, report: Report): void {
  const hasTags = format.discriminator !== null;
  if (types.length > 1 && !hasTags) {
    report.add({
      code: flowErrors.E_CONFIG_KEY,
      path: ['spec', 'format'],
      message: 'discriminator is missing in format: it says where the tag of each record type is',
    });
  }
  const taken = new Map<string, string>();
  for (const { name, path, definition } of types) {
    const { tag } = definition;
    if (tag === undefined) {
      if (hasTags) report.add({ code: flowErrors.E_CONFIG_KEY, path, message: `tag is missing in ${name}` });
      continue;
    }
    const refuse = (code: string, message: string): void => report.add({ code, path: [...path, 'tag'], message });
    if (!hasTags) refuse(flowErrors.E_CONFIG_CONFLICT, 'a tag needs a discriminator in format, which says where it is');
    const compared = format.type === 'fixed-width' ? tag.replace(/^ +| +$/g, '') : tag;
    const other = taken.get(compared);
    if (other !== undefined) refuse(flowErrors.E_CONFIG_DUPLICATE, `${name} and ${other} have the same tag`);
    taken.set(compared, name);
    if (format.type === 'fixed-width' && format.discriminator !== null && Buffer.byteLength(tag) > format.discriminator.length) {
      refuse(flowErrors.E_CONFIG_LAYOUT, `the tag is longer than the ${format.discriminator.length} bytes of the discriminator`);
    }
  }
}

function compileType(type: NamedType, format: FormatPlan, report: Report): RecordPlan {
  const { name, role, path, definition } = type;
  const fields = compileFields({ fields: definition.fields, format, path: [...path, 'fields'], isEnvelope: role !== 'data' }, report);
  return {
    name,
    role,
    tag: definition.tag ?? null,
    counted: role === 'data' && (definition.counted ?? true),
    key: keyIndexes(
      definition.key ?? [],
      definition.fields,
      { path, mayLack: format.type === 'json-lines' && format.pack !== undefined },
      report,
    ),
    fields,
  };
}

/** `mayLack`: records of the format are known to have only some of them. */
function keyIndexes(
  key: readonly string[],
  fields: FieldDefinitions,
  { path, mayLack }: { readonly path: Path; readonly mayLack: boolean },
  report: Report,
): number[] {
  const names = Object.keys(fields);
  const seen = new Set<string>();
  return key.flatMap((name, position) => {
    const at = [...path, 'key', position];
    const index = names.indexOf(name);
    if (index < 0) {
      const nearest = nearestName(name, names);
      report.add({
        code: flowErrors.E_CONFIG_REFERENCE,
        path: at,
        message: `no field ${name}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
      });
      return [];
    }
    if (seen.has(name)) report.add({ code: flowErrors.E_CONFIG_DUPLICATE, path: at, message: `${name} is in the key twice` });
    seen.add(name);
    if (!fields[name]!.required && !mayLack) {
      report.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path: at,
        severity: 'warning',
        message: `${name} is in the key but not required: records without it have no key`,
      });
    }
    return [index];
  });
}

/** A field that stands in for another type's of the same name must mean the same. */
function checkSharedFields(records: readonly RecordPlan[], types: readonly NamedType[], report: Report): void {
  const first = new Map<string, { type: string; scale: number; sum: boolean; owner: string }>();
  for (const [index, record] of records.entries()) {
    if (record.role !== 'data') continue;
    for (const field of record.fields) {
      const known = first.get(field.name);
      if (known === undefined) first.set(field.name, { type: field.type, scale: field.scale, sum: field.sum, owner: record.name });
      else if (known.type !== field.type || known.scale !== field.scale || known.sum !== field.sum) {
        const path = [...types[index]!.path, 'fields', field.name];
        report.add({
          code: flowErrors.E_CONFIG_CONFLICT,
          path,
          message: `${field.name} has another type, scale or sum than in ${known.owner}; fields of one name are alike in all record types`,
        });
      }
    }
  }
}
