/**
 * Random files for the plans of `random-plans.fixture.ts`: values that are right, wrong or nearly right, in every way a format can
 * write them, and damage between the records.
 */
import fc from 'fast-check';
import { isHeldInBytes } from '../fields/held-numbers.ts';
import type { FieldPlan, FixedWidthPlan, FormatPlan, Plan, RecordPlan } from '../plan.ts';
import { isWithoutLineEnds } from '../records/window-bytes.ts';
import { encodeText, randomNumberBytes, randomSignedText } from './random-bytes.fixture.ts';
import { fieldWidth } from './random-formats.fixture.ts';
import { randomPlan, textsByType } from './random-plans.fixture.ts';

export interface RandomFile {
  readonly plan: Plan;
  readonly bytes: Buffer;
}

const rightTexts: Readonly<Record<string, readonly string[]>> = {
  yyyyMMdd: ['20260131', '20240229'],
  'dd/MM/yyyy': ['31/01/2026', '29/02/2024'],
  HHmmss: ['123015', '000000'],
  'HH:mm': ['12:30', '23:59'],
  yyyyMMddHHmmss: ['20260131120000'],
  'yyyy-MM-dd HH:mm:ss': ['2026-01-31 12:00:00'],
  implied: ['150', '-150', '007'],
};

/** A value's text by field, mostly a right one. */
function randomFieldText(field: FieldPlan, format: FormatPlan): fc.Arbitrary<string> {
  if (field.usage !== undefined) return randomSignedText(field, format);
  const texts = textsByType[field.type];
  const form = field.dateFormat ?? (field.type === 'decimal' && field.point === 'implied' ? 'implied' : '');
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...(rightTexts[form] ?? texts.slice(0, field.type === 'string' ? 10 : 2))) },
    { weight: 3, arbitrary: fc.constantFrom(...texts) },
    { weight: 1, arbitrary: fc.constantFrom('', ' ', '\0', '\r', 'é', '"', "'", '\\"', ' 5', 'a b') },
  );
}

function randomLine(plan: Plan, record: RecordPlan): fc.Arbitrary<Buffer> {
  const { format } = plan;
  if (format.type === 'fixed-width') return randomRanges(format, record);
  return randomText(plan, record).map((text) => encodeText(format, text));
}

/** A field's bytes, up to where the next one starts. */
function randomRanges(format: FixedWidthPlan, record: RecordPlan): fc.Arbitrary<Buffer> {
  const countsCharacters = format.positions === 'characters';
  const fields = record.fields.slice(1).map((field) =>
    isHeldInBytes(field)
      ? randomNumberBytes(field).map((bytes) => Buffer.concat([bytes, encodeText(format, ' '.repeat(fieldWidth - bytes.length))]))
      : randomFieldText(field, format).map((text) => {
          const bytes = encodeText(format, text);
          const missing = fieldWidth - (countsCharacters ? Array.from(text).length : bytes.length);
          return Buffer.concat([bytes, encodeText(format, ' '.repeat(Math.max(0, missing)))]);
        }),
  );
  const tag = encodeText(format, record.tag ?? 'x');
  return fc.tuple(...fields).map((parts) => Buffer.concat([tag, ...parts]));
}

function randomText(plan: Plan, record: RecordPlan): fc.Arbitrary<string> {
  const { format } = plan;
  const tag = record.tag ?? 'x';
  const values = fc.tuple(...record.fields.slice(1).map((field) => randomFieldText(field, format)));
  if (format.type === 'delimited') {
    const quote = format.quote === null ? '' : String.fromCharCode(format.quote);
    const delimiter = String.fromCharCode(format.delimiter);
    return fc.tuple(values, fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 })).map(([texts, dice]) =>
      [tag, ...texts]
        .map((text, index) => {
          if (quote === '' || dice[index]! > 7) return text;
          if (dice[index]! < 4 && !text.includes(delimiter) && !text.includes('\n') && !text.includes(quote)) return text;
          const inner =
            format.escape === format.quote
              ? text.replaceAll(quote, quote + quote)
              : text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
          return quote + inner + quote;
        })
        .join(delimiter)
        .concat(dice[7]! > (format.delimiter === 0x20 ? 5 : 8) ? ' ' : ''),
    );
  }
  return fc
    .tuple(values, fc.array(fc.integer({ min: 0, max: 24 }), { minLength: 8, maxLength: 8 }))
    .map(([texts, dice]) => jsonLine(record, tag, texts, dice));
}

function jsonLine(record: RecordPlan, tag: string, texts: readonly string[], dice: readonly number[]): string {
  const top = [`"tag":${JSON.stringify(tag)}`];
  const nested: string[] = [];
  for (const [index, text] of texts.entries()) {
    const field = record.fields[index + 1]!;
    const die = dice[index]!;
    const isBare = (field.type === 'int' || field.type === 'decimal' || field.type === 'boolean') && die < 18;
    const value =
      die === 24
        ? 'null'
        : die === 23
          ? '[1]'
          : die === 22
            ? '{"a":{}}'
            : isBare
              ? text
              : JSON.stringify(text).replaceAll('a', die > 18 ? '\\u0061' : 'a');
    const isNested = 'path' in field.at && field.at.path.length > 1;
    (isNested ? nested : top).push(`"${field.name}":${value}`);
  }
  if (nested.length > 0) top.push(`"nested":{${nested.join(',')}}`);
  return `{${top.join(dice[7]! > 8 ? ' , ' : ',')}}`;
}

const damageLines = [
  '',
  ' ',
  'x',
  '"',
  '#c',
  'H',
  'T"',
  '{"tag":"D"',
  '{"tag":"D","tag":"D"}',
  '[1]',
  '{"a":1}',
  'D,"a"b',
  `{"tag":"D","f1":${'['.repeat(70)}${']'.repeat(70)}}`,
  '{"tag":"\\ud800"}',
  '\r',
  'D\r,',
  `D${' '.repeat(200)}`,
];

/** Bytes of the encoding, and now and then some that are not, or other line ends. */
function randomBytes({ format }: Plan, lines: readonly Buffer[], ends: readonly number[]): Buffer {
  const parts = lines.flatMap((line, index) => {
    const die = ends[index % ends.length]!;
    const bytes = Buffer.from(line);
    if (die === 29 && bytes.length > 2) bytes[bytes.length - 2] = 0xff;
    if (die === 28 && bytes.length > 2) bytes[bytes.length - 2] = 0x81;
    const isLast = index === lines.length - 1;
    if (format.type === 'fixed-width' && isWithoutLineEnds(format))
      return [die === 27 ? bytes : Buffer.concat([bytes, encodeText(format, ' '.repeat(200))]).subarray(0, format.recordLength!)];
    const isEbcdic = encodeText(format, '\n')[0] !== 0x0a;
    const lineFeed = Buffer.from([isEbcdic ? (die % 3 === 0 ? 0x25 : 0x15) : 0x0a]);
    return [bytes, isLast && die > 20 ? Buffer.alloc(0) : Buffer.concat([encodeText(format, die % 2 === 0 ? '' : '\r'), lineFeed])];
  });
  return Buffer.concat(parts);
}

export const randomFile: fc.Arbitrary<RandomFile> = fc.boolean().chain((isTagged) =>
  randomPlan(isTagged).chain((plan) => {
    const row = fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .constantFrom(...plan.records, ...plan.records.filter(({ role }) => role === 'data'))
          .chain((record) => randomLine(plan, record)),
      },
      { weight: 1, arbitrary: fc.constantFrom(...damageLines).map((line) => encodeText(plan.format, line)) },
    );
    const width = Math.max(...plan.records.map((record) => record.fields.length));
    const { format } = plan;
    const names =
      format.type === 'delimited' && format.header
        ? [encodeText(format, Array.from({ length: width }, (_, index) => `c${index}`).join(String.fromCharCode(format.delimiter)))]
        : [];
    return fc
      .tuple(fc.array(row, { maxLength: 8 }), fc.array(fc.integer({ min: 0, max: 29 }), { minLength: 3, maxLength: 5 }))
      .map(([lines, ends]) => ({ plan, bytes: randomBytes(plan, [...names, ...lines], names.length > 0 ? [0, ...ends] : ends) }));
  }),
);
