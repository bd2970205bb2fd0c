/** From `spec.format` to the Plan's format. */
import type { FormatPlan } from '../../../pipeline/engine/plan.ts';
import type { SingleByteEncoding } from '../../../pipeline/engine/reference-data/code-pages.ts';
import type { FlowSpec, FormatDefinition } from '../definition.ts';
import type { Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { isPack, packSettings } from './pack-schema.ts';

export function compileFormat({ format, schema }: Pick<FlowSpec, 'format' | 'schema'>, report: Report): FormatPlan {
  if (isPack(format)) {
    // Keys that it has no field for are none of the pack's.
    const lines = { type: 'json-lines', discriminator: 'record', unknownKeys: 'reject', skipBlankLines: false } as const;
    return { ...lines, pack: { name: format.type, settings: packSettings(format) } };
  }
  switch (format.type) {
    case 'delimited':
      checkDelimiters(format, report);
      return {
        type: 'delimited',
        ...encodingOf(format),
        delimiter: format.delimiter,
        quote: format.quote,
        escape: format.quote === null ? null : (format.escape ?? format.quote),
        comment: format.comment,
        header: format.header,
        columns: format.columns,
        skipBlankLines: format.skipBlankLines ?? Object.keys(schema?.record?.fields ?? {}).length !== 1,
        discriminator: format.discriminator === undefined ? null : format.discriminator.column - 1,
      };
    case 'fixed-width':
      checkTagInRecord(format, report);
      checkLineEnds(format, report);
      return {
        type: 'fixed-width',
        ...encodingOf(format),
        // In encodings of one byte a character the two are the same.
        ...(format.positions === 'characters' && format.encoding === 'utf-8' ? { positions: 'characters' } : {}),
        ...(format.lineEnds ? {} : { lineEnds: false }),
        discriminator:
          format.discriminator === undefined ? null : { start: format.discriminator.start - 1, length: format.discriminator.length },
        recordLength: format.recordLength ?? null,
        shortLines: format.shortLines,
        skipBlankLines: format.skipBlankLines,
      };
    case 'json-lines':
      return {
        type: 'json-lines',
        discriminator: format.discriminator?.key ?? null,
        unknownKeys: format.unknownKeys,
        skipBlankLines: format.skipBlankLines,
      };
  }
}

function encodingOf({ encoding }: { readonly encoding: 'utf-8' | SingleByteEncoding }): { readonly encoding?: SingleByteEncoding } {
  return encoding === 'utf-8' ? {} : { encoding };
}

type FixedWidthDefinition = Extract<FormatDefinition, { type: 'fixed-width' }>;

function checkLineEnds({ lineEnds, recordLength, shortLines, positions, encoding }: FixedWidthDefinition, report: Report): void {
  if (lineEnds) return;
  const path = ['spec', 'format'];
  const refuse = (key: string, message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, key], message });
  if (recordLength === undefined) {
    report.add({
      code: flowErrors.E_CONFIG_KEY,
      path,
      message: 'recordLength is missing in format: without line ends it says where records end',
    });
  }
  if (shortLines === 'pad') refuse('shortLines', 'without line ends only the last record can be short, and is then cut off');
  if (positions === 'characters' && encoding === 'utf-8')
    refuse('positions', 'without line ends a record is so many bytes: count positions in bytes');
}

function checkDelimiters(format: Extract<FormatDefinition, { type: 'delimited' }>, report: Report): void {
  const path = ['spec', 'format'];
  const refuse = (key: string, message: string): void => report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: [...path, key], message });
  if (format.quote === format.delimiter) refuse('quote', 'quote and delimiter are the same byte');
  if (format.escape === format.delimiter) refuse('escape', 'escape and delimiter are the same byte');
  if (format.quote !== null && format.escape === null) refuse('escape', 'a quote needs an escape: the same byte for doubled quotes');
  if (format.comment !== null && [format.delimiter, format.quote].includes(format.comment))
    refuse('comment', 'comment is the same byte as delimiter or quote');
}

function checkTagInRecord(format: FixedWidthDefinition, report: Report): void {
  const { discriminator, recordLength } = format;
  if (discriminator === undefined || recordLength === undefined) return;
  if (discriminator.start - 1 + discriminator.length <= recordLength) return;
  report.add({
    code: flowErrors.E_CONFIG_LAYOUT,
    path: ['spec', 'format', 'discriminator'],
    message: `the tag ends beyond the record's ${recordLength} bytes`,
  });
}
