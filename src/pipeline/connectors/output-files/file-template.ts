/**
 * Templates of the names of output files and of the lines before and after their records: text with placeholders in braces,
 * each with a width where it is to be filled up, such as `{count:9}`. Numbers are filled up with zeros on the left, texts with
 * spaces on the right; nothing is ever cut off. A width counts bytes in lines, as it does in the columns of their file, and
 * characters in names.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { decimalText } from '../../engine/expressions/values.ts';
import { connectorErrors } from '../connector-errors.ts';

export const nameTexts = ['flow', 'target', 'file', 'job', 'date', 'time', 'number', 'sequence', 'extension'] as const;
/** Of names of acknowledgements, which have a level and no target or sequence. */
export const acknowledgementTexts = ['flow', 'file', 'job', 'level', 'number', 'date', 'time', 'extension'] as const;
export const lineTexts = [...nameTexts, 'count'] as const;
/** With a field and perhaps a currency behind it: `{sum.amount}`, `{minorUnits.amount.ZAR}`. */
export const totals = ['sum', 'minorUnits'] as const;

const numbers: ReadonlySet<string> = new Set(['date', 'time', 'sequence', 'count', ...totals]);
/** Longer than any number, and than any line that is read as one record. */
const widthMax = 500;

export interface Placeholder {
  readonly name: string;
  /** Of a total. */
  readonly field: string | null;
  readonly currency: string | null;
  readonly width: number | null;
}

export type TemplatePart = string | Placeholder;

/** A string is a fault, in words. */
export function parseTemplate(template: string): readonly TemplatePart[] | { readonly fault: string } {
  const parts: TemplatePart[] = [];
  for (const [text] of template.matchAll(/\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (text === '{' || text === '}') return { fault: 'a brace is not closed' };
    if (!text.startsWith('{')) parts.push(text);
    else {
      const found = /^\{([A-Za-z]*)(?:\.([A-Za-z][A-Za-z0-9_]*)(?:\.([A-Z]{3}))?)?(?::(\d{1,3}))?\}$/.exec(text);
      const width = found?.[4] === undefined ? null : Number(found[4]);
      if (!found || width === 0 || (width ?? 0) > widthMax) return { fault: `${text.slice(0, 60)} is no placeholder` };
      parts.push({ name: found[1]!, field: found[2] ?? null, currency: found[3] ?? null, width });
    }
  }
  return parts;
}

export function placeholdersOf(parts: readonly TemplatePart[]): readonly Placeholder[] {
  return parts.filter((part) => typeof part !== 'string');
}

/** Of settings of a target that holds files. */
export function usesSequence(settings: Readonly<Record<string, unknown>>): boolean {
  const templates = [settings['name'], settings['headerLines'], settings['trailerLines']].flat();
  return templates.some((template) => typeof template === 'string' && /\{sequence[:}]/.test(template));
}

export interface TemplateValues {
  /** By placeholder. Those that a sender chose are plain text already. */
  readonly texts: Readonly<Record<string, string>>;
  readonly amounts: FieldAmounts;
  readonly widthsOf: 'bytes' | 'characters';
}

/** Fails with E_TARGET where a placeholder stands for nothing, or needs more than its width. */
export function fillTemplate(template: string, values: TemplateValues): string {
  const parts = parseTemplate(template);
  if ('fault' in parts) throw new HeadgateError(connectorErrors.E_TARGET, `a template of the target is not sound: ${parts.fault}`);
  return parts.map((part) => (typeof part === 'string' ? part : filled(part, values))).join('');
}

function filled(placeholder: Placeholder, values: TemplateValues): string {
  const { name, width } = placeholder;
  const text = placeholder.field === null ? textOf(name, values) : totalOf(placeholder, values.amounts);
  if (width === null) return text;
  const length = values.widthsOf === 'bytes' ? Buffer.byteLength(text) : text.length;
  if (length > width) {
    const written = [name, placeholder.field, placeholder.currency].filter((part) => part !== null).join('.');
    const message = `{${written}:${width}} of a template of the target is too narrow for ${length} ${values.widthsOf}`;
    throw new HeadgateError(connectorErrors.E_TARGET, message);
  }
  if (!numbers.has(name)) return text + ' '.repeat(width - length);
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

function textOf(name: string, { texts }: TemplateValues): string {
  if (Object.hasOwn(texts, name)) return texts[name]!;
  throw new HeadgateError(connectorErrors.E_TARGET, `a template of the target holds an unknown {${name}}`);
}

/** Over all currencies, as a hash total is, or of one. */
function totalOf({ name, field, currency }: Placeholder, amounts: FieldAmounts): string {
  if (!(totals as readonly string[]).includes(name) || !Object.hasOwn(amounts, field!))
    throw new HeadgateError(connectorErrors.E_TARGET, `a template of the target holds an unknown {${name}.${field}}`);
  const { scale, byCurrency } = amounts[field!]!;
  const counted = currency === null ? Object.values(byCurrency) : [byCurrency[currency] ?? '0'];
  const unscaled = counted.reduce((sum, text) => sum + BigInt(text), 0n);
  return name === 'minorUnits' ? String(unscaled) : decimalText({ unscaled, scale });
}
