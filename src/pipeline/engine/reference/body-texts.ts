/** A record's output values as one target's line (docs/record-rules.md, section 6), written out value by value. */
import { type Value, valueText } from '../expressions/values.ts';
import type { BodyPlan, OutputFieldPlan } from '../plan.ts';

export type BodyText = { readonly line: string } | { readonly code: string; readonly field: string; readonly message: string };

export function writeBodyText(body: BodyPlan, output: readonly OutputFieldPlan[], values: readonly Value[]): BodyText {
  switch (body.format) {
    case 'ndjson':
      return { line: `{${output.map((field, index) => `${jsonText(field.name)}:${jsonValue(values[index]!)}`).join(',')}}\n` };
    case 'csv':
      return {
        line:
          values
            .map((value) => (value === null ? '' : csvCell(valueText(value), body.delimiter)))
            .join(String.fromCharCode(body.delimiter)) + body.lineEnd,
      };
    case 'fixed-width':
      return writeColumns(body, output, values);
  }
}

function jsonValue(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`;
  return jsonText(valueText(value));
}

const shortEscapes = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function jsonText(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f]/g, (character) => {
    return shortEscapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function csvCell(text: string, delimiter: number): string {
  const special = new Set([String.fromCharCode(delimiter), '"', '\r', '\n']);
  if (text !== '' && ![...text].some((character) => special.has(character))) return text;
  return `"${text.split('"').join('""')}"`;
}

function writeColumns(
  body: Extract<BodyPlan, { format: 'fixed-width' }>,
  output: readonly OutputFieldPlan[],
  values: readonly Value[],
): BodyText {
  let line = '';
  for (const [index, { width, align, pad }] of body.columns.entries()) {
    const field = output[index]!.name;
    const value = values[index]!;
    const text = value === null ? '' : valueText(value);
    if (/[\r\n]/.test(text)) return { code: 'E_OUTPUT_CHARACTER', field, message: 'a line end in an output column' };
    const padding = width - Buffer.from(text, 'utf8').length;
    if (padding < 0) return { code: 'E_OUTPUT_WIDTH', field, message: `longer than its output column of ${width} bytes` };
    const fill = String.fromCharCode(pad).repeat(padding);
    line += align === 'left' ? `${text}${fill}` : `${fill}${text}`;
  }
  return { line: line + body.lineEnd };
}
