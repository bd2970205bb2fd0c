/** The file header (01) and the group header (02), field by field. */
import type { RecordFields } from './record-fields.ts';

const required = { required: true } as const;
const optional = { required: false } as const;

const versionRead = 2;

/** Gives the physical record length, null where none is declared. */
export function readFileHeader(fields: RecordFields, allowsOtherVersions: boolean): { readonly lineBytes: number | null } {
  fields.text('sender', required);
  fields.text('receiver', required);
  fields.date('fileCreatedDate', required);
  fields.time('fileCreatedTime', required);
  fields.text('fileIdNumber', required);
  const lineBytes = fields.number('physicalRecordLength', optional);
  fields.number('blockSize', optional);
  const version = fields.number('versionNumber', required);
  if (version !== null && version !== versionRead) {
    const severity = allowsOtherVersions ? 'warn' : 'error';
    fields.report('version', 'versionNumber', `the version is ${version}, ${versionRead} is read`, severity);
  }
  fields.endOfRecord();
  return { lineBytes: lineBytes === 0 ? null : lineBytes };
}

/** Gives the currency of the group, null where none is declared. */
export function readGroupHeader(fields: RecordFields): { readonly currency: string | null } {
  fields.text('receiver', optional);
  fields.text('originator', required);
  readStatus(fields);
  fields.date('asOfDate', required);
  fields.time('asOfTime', optional);
  const currency = fields.currency('currencyCode');
  const modifier = fields.number('asOfDateModifier', { ...optional, rule: 'as-of-date-modifier' });
  if (modifier !== null && (modifier < 1 || modifier > 4)) {
    fields.report('as-of-date-modifier', 'asOfDateModifier', `the modifier is ${modifier}, not 1 to 4`);
  }
  fields.endOfRecord();
  return { currency };
}

function readStatus(fields: RecordFields): void {
  const status = fields.number('groupStatus', { ...optional, rule: 'group-status' });
  if (status === null ? fields.record.isFieldEmpty : status === 0) {
    fields.report('group-status', 'groupStatus', 'the status is empty or 0 and read as 1', 'warn');
  } else if (status !== null && status > 4) fields.report('group-status', 'groupStatus', `the status is ${status}, not 1 to 4`);
}
