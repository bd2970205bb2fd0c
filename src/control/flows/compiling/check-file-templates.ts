/** The templates of targets that hold files: that every placeholder stands for something, and that no two files share a name. */
import {
  lineTexts,
  nameTexts,
  type Placeholder,
  parseTemplate,
  placeholdersOf,
  totals,
} from '../../../pipeline/connectors/output-files/file-template.ts';
import type { RecordPlan } from '../../../pipeline/engine/plan.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { OutputFileDefinition } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { currencyFault } from './summed-currencies.ts';

export function checkFileTemplates(target: OutputFileDefinition, records: readonly RecordPlan[], path: Path, report: Report): void {
  const at = [...path, 'name'];
  const names = checkTemplate(target.name, { at, texts: nameTexts, sums: null }, report);
  if (names !== null && !names.some(({ name }) => name === 'number' || name === 'sequence'))
    report.add({
      code: flowErrors.E_CONFIG_CONFLICT,
      path: at,
      message: 'the name needs {number} or {sequence}: without it one file would replace another',
      atValue: true,
    });
  const data = records.filter(({ role }) => role === 'data');
  const sums = data.flatMap(({ fields }) => fields.filter(({ sum }) => sum).map(({ name }) => name));
  for (const key of ['headerLines', 'trailerLines'] as const) {
    const lines = target[key];
    if (lines === undefined) continue;
    if (target.format === 'ndjson')
      report.add({
        code: flowErrors.E_CONFIG_CONFLICT,
        path: [...path, key],
        message: `${key} is for format csv or fixed-width, not for ndjson`,
      });
    for (const [index, line] of lines.entries()) {
      const at = [...path, key, index];
      for (const { field, currency } of checkTemplate(line, { at, texts: lineTexts, sums }, report) ?? []) {
        if (field === null || currency === null || !sums.includes(field)) continue;
        const message = currencyFault(currency, field, data);
        if (message !== null) report.add({ code: flowErrors.E_CONFIG_REFERENCE, path: at, message, atValue: true });
      }
    }
  }
}

interface TemplatePlace {
  readonly at: Path;
  readonly texts: readonly string[];
  /** Fields that are summed; null where totals have no place. */
  readonly sums: readonly string[] | null;
}

/** Null: it can't be read. A template that could not be read before is undefined. */
export function checkTemplate(
  template: string | undefined,
  { at, texts, sums }: TemplatePlace,
  report: Report,
): readonly Placeholder[] | null {
  if (template === undefined) return null;
  const parts = parseTemplate(template);
  if ('fault' in parts) {
    report.add({ code: flowErrors.E_CONFIG_VALUE, path: at, message: parts.fault, atValue: true });
    return null;
  }
  const placeholders = placeholdersOf(parts);
  for (const { name, field } of placeholders) {
    const isTotal = sums !== null && (totals as readonly string[]).includes(name);
    if (field === null && texts.includes(name)) continue;
    if (isTotal && field !== null && sums.includes(field)) continue;
    const known = isTotal ? sums.map((sum) => `${name}.${sum}`) : [...texts, ...(sums ?? []).map((sum) => `sum.${sum}`)];
    const written = field === null ? name : `${name}.${field}`;
    const nearest = nearestName(written, known);
    const rest = isTotal && sums.length === 0 ? 'no field has `sum: true`' : `there are ${known.join(', ')}`;
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: at,
      message: `no placeholder {${written}}; ${nearest === null ? rest : `did you mean {${nearest}}?`}`,
      atValue: true,
    });
  }
  return placeholders;
}
