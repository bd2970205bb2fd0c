/**
 * Writes a record's output values as one target's body, exactly the bytes that are sent (docs/record-rules.md, section 6).
 * Machine output: no value is ever altered, only quoted or escaped as its format demands.
 */

import { outputErrors } from '../engine-errors.ts';
import { type Value, valueText } from '../expressions/values.ts';
import type { BodyPlan, OutputFieldPlan, Plan } from '../plan.ts';

export interface BodyProblem {
  readonly code: string;
  /** Index of the output field. */
  readonly output: number;
  /** Says nothing of the target: senders read it in acknowledgements. */
  readonly message: string;
}

/** The line with its line end, or what is wrong. */
export type BodyWriter = (values: readonly Value[]) => string | BodyProblem;

export function createBodyWriter(body: BodyPlan, output: readonly OutputFieldPlan[]): BodyWriter {
  switch (body.format) {
    case 'ndjson':
      return createNdjsonWriter(output);
    case 'csv':
      return createCsvWriter(body);
    case 'fixed-width':
      return createFixedWidthWriter(body, output);
  }
}

/** What stands before a target's first segment in a file: the header line of a csv body, else nothing. */
export function segmentPreamble(plan: Plan, target: number): Uint8Array {
  const { body } = plan.targets[target]!;
  if (body.format !== 'csv' || !body.header) return new Uint8Array(0);
  const delimiter = String.fromCharCode(body.delimiter);
  return Buffer.from(plan.output.map((field) => csvText(field.name, delimiter)).join(delimiter) + body.lineEnd, 'utf8');
}

/** Key and colon before each value, as it stands in the line. */
export function ndjsonPrefixes(output: readonly OutputFieldPlan[]): string[] {
  return output.map((field, index) => `${index === 0 ? '{' : ','}${quoteJson(field.name)}:`);
}

function createNdjsonWriter(output: readonly OutputFieldPlan[]): BodyWriter {
  const prefixes = ndjsonPrefixes(output);
  return (values) => {
    let line = output.length === 0 ? '{' : '';
    for (let index = 0; index < values.length; index++) line += prefixes[index]! + ndjsonValue(values[index]!);
    return `${line}}\n`;
  };
}

function ndjsonValue(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? quoteJson(value) : `"${valueText(value)}"`;
}

/** `JSON.stringify` escapes what the format demands and lone surrogates, which no value holds. */
export function quoteJson(text: string): string {
  return JSON.stringify(text);
}

function createCsvWriter(body: Extract<BodyPlan, { format: 'csv' }>): BodyWriter {
  const delimiter = String.fromCharCode(body.delimiter);
  return (values) => {
    let line = '';
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (index > 0) line += delimiter;
      if (value !== null) line += csvText(valueText(value), delimiter);
    }
    return line + body.lineEnd;
  };
}

function csvText(text: string, delimiter: string): string {
  if (text === '') return '""';
  const needsQuotes = text.includes(delimiter) || text.includes('"') || text.includes('\n') || text.includes('\r');
  return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
}

function createFixedWidthWriter(body: Extract<BodyPlan, { format: 'fixed-width' }>, output: readonly OutputFieldPlan[]): BodyWriter {
  const problems = output.map((_, index) => ({
    width: {
      code: outputErrors.E_OUTPUT_WIDTH,
      output: index,
      message: `longer than its output column of ${body.columns[index]!.width} bytes`,
    },
    character: { code: outputErrors.E_OUTPUT_CHARACTER, output: index, message: 'a line end in an output column' },
  }));
  return (values) => {
    let line = '';
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      const column = body.columns[index]!;
      const text = value === null ? '' : valueText(value);
      if (text.includes('\n') || text.includes('\r')) return problems[index]!.character;
      const missing = column.width - Buffer.byteLength(text, 'utf8');
      if (missing < 0) return problems[index]!.width;
      const padding = String.fromCharCode(column.pad).repeat(missing);
      line += column.align === 'left' ? text + padding : padding + text;
    }
    return line + body.lineEnd;
  };
}
