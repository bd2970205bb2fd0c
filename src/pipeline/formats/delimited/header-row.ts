/**
 * Checks a header row against the flow's fields. Names are compared exactly. Messages name the flow's fields only,
 * never a text of the file.
 */
import { type DelimitedPlan, headerColumnsMax, headerRowBytesMax, type RecordPlan } from '../../engine/plan.ts';
import type { DamageCode } from '../split-ledger.ts';

export interface HeaderProblem {
  readonly code: DamageCode;
  readonly field?: string;
  readonly message: string;
}

/** Of a row that is not read for its length. */
export const longHeaderRow: HeaderProblem = { code: 'E_HEADER_ROW', message: `the header row is longer than ${headerRowBytesMax} bytes` };

/** Empty when every field finds its column. Without fields (parsing without a flow) only the names themselves are checked. */
export function checkHeaderRow(columns: readonly string[] | null, format: DelimitedPlan, records: readonly RecordPlan[]): HeaderProblem[] {
  if (columns === null)
    return [
      {
        code: 'E_HEADER_ROW',
        message: "the header row cannot be read: it is no text of the flow's encoding, or a quote in it is misplaced",
      },
    ];
  if (columns.length > headerColumnsMax)
    return [{ code: 'E_HEADER_ROW', message: `the header row has more than ${headerColumnsMax} columns` }];
  return [...findDuplicates(columns), ...findMissing(columns, format, records)];
}

/** The delimiters that files have most. */
const usualDelimiters = [',', ';', '\t', '|'];

/** Behind a message of a missing column, where the row was read as one column and another delimiter stands in it. */
function otherDelimiter(columns: readonly string[], { delimiter }: Pick<DelimitedPlan, 'delimiter'>): string {
  const wanted = String.fromCharCode(delimiter);
  const found = columns.length === 1 ? usualDelimiters.find((each) => each !== wanted && columns[0]!.includes(each)) : undefined;
  return found === undefined ? '' : `: it has no delimiter ${JSON.stringify(wanted)}, but ${JSON.stringify(found)}`;
}

function findDuplicates(columns: readonly string[]): HeaderProblem[] {
  const problems: HeaderProblem[] = [];
  const positions = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    const first = positions.get(name);
    if (first === undefined) positions.set(name, index);
    else if (name !== '')
      problems.push({ code: 'E_COLUMN_DUPLICATE', message: `columns ${first + 1} and ${index + 1} of the header row have the same name` });
  }
  return problems;
}

function findMissing(columns: readonly string[], format: DelimitedPlan, records: readonly RecordPlan[]): HeaderProblem[] {
  const problems: HeaderProblem[] = [];
  const [names, reported] = [new Set(columns), new Set<string>()];
  const suffix = otherDelimiter(columns, format);
  for (const record of records) {
    for (const field of record.fields) {
      const name = 'column' in field.at ? field.at.header : null;
      if (name === null || names.has(name) || reported.has(name) || (format.columns === 'lenient' && !field.required)) continue;
      reported.add(name);
      problems.push({
        code: 'E_COLUMN_MISSING',
        field: field.name,
        message: `the header row has no column ${JSON.stringify(name)}${suffix}`,
      });
    }
  }
  return problems;
}
