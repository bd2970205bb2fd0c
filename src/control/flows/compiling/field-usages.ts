/** Numbers that are not held as text: which fields may have them, and what of the Plan says how they are held. */
import type { FieldPlan, FormatPlan } from '../../../pipeline/engine/plan.ts';
import type { FieldDefinition, FieldDefinitions } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

/** Of a packed decimal: 38 digits and a sign, with half a byte to spare. */
const packedBytesMax = 20;
const binaryBytes = [2, 4, 8];

export function isHeldNumber({ usage }: FieldDefinition): boolean {
  return usage !== 'text';
}

/** Nothing of text; the last digit's sign is not said. */
export function numberForm({ usage, sign }: FieldDefinition): Pick<FieldPlan, 'usage' | 'sign'> {
  if (usage === 'text') return {};
  return isInBytes(usage) || sign === 'trailing' ? { usage } : { usage, sign };
}

function isInBytes(usage: FieldDefinition['usage']): usage is 'packed' | 'binary' {
  return usage === 'packed' || usage === 'binary';
}

export function checkUsage(
  { field, format, path }: { readonly field: FieldDefinition; readonly format: FormatPlan; readonly path: Path },
  report: Report,
): void {
  const { usage, sign, type, at } = field;
  const refuse = (key: string, message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, key], message });
  if (sign !== 'trailing' && usage !== 'zoned' && usage !== 'overpunch')
    refuse('sign', `sign is for zoned and overpunch, not for ${usage}`);
  if (usage === 'text') return;
  if (type !== 'int' && type !== 'decimal') refuse('usage', `usage is for int and decimal, not for ${type}`);
  if (format.type === 'json-lines') refuse('usage', 'usage is for delimited and fixed-width: JSON has numbers of its own');
  if (!isInBytes(usage)) return;
  if (format.type !== 'fixed-width') refuse('usage', `${usage} is for fixed-width: its bytes may be any, delimiters too`);
  else if (format.lineEnds !== false) refuse('usage', `${usage} needs lineEnds: false: its bytes may be any, line ends too`);
  if (at === undefined) return;
  const isSized = usage === 'packed' ? at[1] <= packedBytesMax : binaryBytes.includes(at[1]);
  if (isSized) return;
  report.add({
    code: flowErrors.E_CONFIG_LAYOUT,
    path: [...path, 'at'],
    message: usage === 'packed' ? `a packed decimal has at most ${packedBytesMax} bytes` : 'a binary number has 2, 4 or 8 bytes',
  });
}

/** A record that must not be read again is shown to the engine as bytes that are no text; so each has to hold some. */
export function checkUsages(
  { fields, format, path }: { readonly fields: FieldDefinitions; readonly format: FormatPlan; readonly path: Path },
  report: Report,
): void {
  const all = Object.values(fields);
  if (format.type !== 'fixed-width' || all.length === 0 || all.some(({ usage }) => !isInBytes(usage))) return;
  const bytes = all.reduce((sum, { at }) => sum + (at?.[1] ?? 0), 0);
  if (bytes < (format.recordLength ?? 0)) return;
  report.add({
    code: flowErrors.E_CONFIG_LAYOUT,
    path,
    message:
      'a record of packed and binary numbers alone holds no text by which a damaged one could be told; name the bytes around them in recordLength',
  });
}
