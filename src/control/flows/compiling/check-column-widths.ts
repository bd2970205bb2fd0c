/**
 * Columns of a fixed-width target that are narrower than the input field they are written from can be: each longer value
 * would reject its record. A warning, since rules of the flow may see to it that none comes.
 */
import type { BodyPlan, FieldPlan, OutputFieldPlan, RecordPlan } from '../../../pipeline/engine/plan.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

interface ColumnContext {
  readonly output: readonly OutputFieldPlan[];
  readonly records: readonly RecordPlan[];
}

type Column = Extract<BodyPlan, { format: 'fixed-width' }>['columns'][number];

/** `columns`: one for each output field. Computed fields are not judged. */
export function checkColumnWidths(columns: readonly Column[], { output, records }: ColumnContext, path: Path, report: Report): void {
  for (const [index, { name, value }] of output.entries()) {
    if (value.kind !== 'field') continue;
    const { width } = columns[index]!;
    const fields = records
      .filter(({ role }) => role === 'data')
      .flatMap((record) => record.fields.filter((field) => field.name === value.name));
    const bytes = Math.max(0, ...fields.map(bytesMaxOf));
    if (bytes <= width) continue;
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: [...path, name],
      severity: 'warning',
      message: `${value.name} can have ${bytes} bytes: a value that is longer than the ${width} of this column rejects its record (E_OUTPUT_WIDTH)`,
    });
  }
}

/** As short as its shortest value is written, for types whose values all have about one length. */
const bytesOfType: Readonly<Partial<Record<FieldPlan['type'], number>>> = {
  date: 10,
  time: 8,
  datetime: 19,
  boolean: 5,
  iban: 15,
  bic: 8,
  'aba-routing': 9,
  lei: 20,
  isin: 12,
  currency: 3,
  country: 2,
};

/** As far as the schema says how long its values are in the output; 0: it does not. A limit in characters counts as one in bytes. */
function bytesMaxOf({ type, at, enum: choices, maxLength }: FieldPlan): number {
  if (choices !== null) return Math.max(...choices.map((choice) => Buffer.byteLength(choice)));
  const known = bytesOfType[type];
  if (known !== undefined) return known;
  // The text of a decimal is not that of the input: a point, a sign and zeros are written anew.
  if (type === 'decimal') return 0;
  const bounds = [maxLength, 'length' in at ? at.length : null].filter((bound) => bound !== null);
  return bounds.length === 0 ? 0 : Math.min(...bounds);
}
