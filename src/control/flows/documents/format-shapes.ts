/** The keys of `spec.format`, by format. test/described-settings.test.ts holds them equal to what the formats say. */

import { encodings } from '../../../pipeline/engine/reference-data/code-pages.ts';
import type { FormatSetting } from '../../../pipeline/formats/format.ts';
import type { PackFlow } from '../../../pipeline/formats/pack.ts';
import { packFlows } from '../../../pipeline/formats/pack-flows.ts';
import { choice, fieldName, integer, type Key, type ObjectShape, object, type Shape, text, type VariantShape } from './shape.ts';

const encoding: Key = {
  shape: choice(encodings, ['utf-16', 'ascii']),
  default: 'utf-8',
  description: 'How text is encoded. Strict: bytes that are no text in it reject their record. What goes out is UTF-8.',
};
const encodingOfJson: Key = { ...encoding, shape: choice(['utf-8'], ['utf-16']) };
const skipBlankLines: Key = { shape: { kind: 'boolean' }, default: true, description: 'Empty lines are counted, and are no records.' };
/** An empty line of a file of one column is a record with one empty field (decisions 7). */
const skipBlankLinesOfColumns: Key = {
  shape: { kind: 'boolean' },
  description: 'Empty lines are counted, and are no records; by default so, unless the schema has one field only.',
};
const type: Key = { shape: text(), required: true, description: 'Name of the format.' };
const optionalByte: Shape = { kind: 'byte', canBeEmpty: true };

const delimited: ObjectShape = object({
  type,
  encoding,
  delimiter: { shape: { kind: 'byte', canBeEmpty: false }, default: ',', description: 'The byte between fields; "\\t" for a tab.' },
  quote: { shape: optionalByte, default: '"', description: 'The byte around quoted fields; "" for none.' },
  escape: {
    shape: optionalByte,
    sameAs: 'quote',
    description: 'The byte that makes a quote inside quotes content; by default `quote` itself: quotes are doubled.',
  },
  comment: { shape: optionalByte, default: '', description: 'A line that starts with this byte is no record; "" for none.' },
  header: { shape: { kind: 'boolean' }, default: false, description: 'The first record names the columns.' },
  columns: {
    shape: choice(['exact', 'lenient']),
    default: 'exact',
    description: 'A record with more or fewer fields is rejected, or missing ones are absent and others ignored.',
  },
  skipBlankLines: skipBlankLinesOfColumns,
  discriminator: {
    shape: object({ column: { shape: integer(1, 10_000), required: true, description: 'Counted from 1.' } }),
    description: 'The column that holds the record tag, where there are several record types.',
  },
});

const fixedWidth: ObjectShape = object({
  type,
  encoding,
  positions: {
    shape: choice(['bytes', 'characters']),
    default: 'bytes',
    description: 'What positions and lengths count; the same in encodings of one byte a character.',
  },
  lineEnds: {
    shape: { kind: 'boolean' },
    default: true,
    description: 'Records end with line ends; false: they follow each other, each of `recordLength` bytes.',
  },
  discriminator: {
    shape: object({
      start: { shape: integer(1, 1_000_000), required: true, description: 'First position of the tag, counted from 1.' },
      length: { shape: integer(1, 64), required: true, description: 'Bytes or characters of the tag.' },
    }),
    description: 'Where the record tag is, where there are several record types.',
  },
  recordLength: {
    shape: integer(1, 1_000_000),
    description: 'Bytes (or characters) of a record without its line end; by default as many as its fields need.',
  },
  shortLines: {
    shape: choice(['reject', 'pad']),
    default: 'reject',
    description: 'A line that is too short is rejected, or read as if spaces followed.',
  },
  skipBlankLines,
});

const jsonLines: ObjectShape = object({
  type,
  encoding: encodingOfJson,
  discriminator: {
    shape: object({ key: { shape: fieldNameOrText(), required: true, description: 'A key of the object.' } }),
    description: 'Top-level key whose text is the record tag.',
  },
  unknownKeys: { shape: choice(['ignore', 'reject']), default: 'ignore', description: 'What a top-level key that no field names does.' },
  skipBlankLines,
});

function fieldNameOrText(): Shape {
  return text('a key of a JSON object', '^[^\\u0000-\\u001f]{1,200}$', 200);
}

/** A pack describes its settings itself; its encoding is the format's own. */
function packShape({ settings }: PackFlow): ObjectShape {
  return object({ type, ...Object.fromEntries(settings.map((setting) => [setting.name, keyOf(setting)])) });
}

function keyOf({ type: kind, choices, default: missing, description }: FormatSetting): Key {
  const shape: Shape =
    kind === 'choice' ? choice(choices!) : kind === 'boolean' ? { kind } : kind === 'integer' ? integer(0, 1_000_000_000) : text();
  return { shape, description, ...(missing === null ? {} : { default: missing }) };
}

const packs = Object.fromEntries(Object.entries(packFlows).map(([name, pack]) => [name, packShape(pack)]));
const packsOfLater = ['nacha', 'iso20022', 'bai2', 'swift-mt'].filter((name) => !Object.hasOwn(packFlows, name));

export const formatShape: VariantShape = {
  kind: 'variant',
  tag: 'type',
  variants: { delimited, 'fixed-width': fixedWidth, 'json-lines': jsonLines, ...packs },
  laterVariants: ['json', 'xml', 'excel', 'avro', 'parquet', ...packsOfLater, 'edifact', 'x12', 'iso8583'],
  later: ['profile', 'batch'],
};

export const fieldTypes = [
  'string',
  'int',
  'decimal',
  'date',
  'time',
  'datetime',
  'boolean',
  'iban',
  'bic',
  'aba-routing',
  'lei',
  'isin',
  'currency',
  'country',
  'luhn',
] as const;

/** Which of these a field has is checked against the format (`field-places.ts`, `compile-fields.ts`). */
export const fieldShape: ObjectShape = object(
  {
    at: { shape: { kind: 'range' }, description: 'fixed-width: [first position, length], counted from 1.' },
    column: {
      shape: { kind: 'either', shapes: [text('the name of a column', '^[^\\u0000-\\u001f]{1,200}$', 200), integer(1, 10_000)] },
      description:
        'delimited: name of the column in the header row (by default the name of the field), or its number from 1 (by default the next).',
    },
    path: {
      shape: {
        kind: 'either',
        shapes: [
          text('keys with points between them', '^[^\\u0000-\\u001f]{1,500}$', 500),
          { kind: 'list', of: fieldNameOrText(), min: 1, max: 16 },
        ],
      },
      description: 'json-lines: a.b, or the list of keys where one holds a point; by default the name of the field.',
    },
    type: { shape: choice(fieldTypes), required: true, description: 'What the text must be.' },
    format: {
      shape: text('a pattern of yyyy MM dd HH mm ss SSS', undefined, 40),
      description: 'date, time, datetime: how it is written; by default ISO 8601.',
    },
    point: {
      shape: choice(['explicit', 'implied']),
      default: 'explicit',
      description: 'decimal: the point is in the text, or the last `scale` digits are the fraction.',
    },
    scale: { shape: integer(0, 18), description: 'decimal: digits after the point.' },
    usage: {
      shape: choice(['text', 'packed', 'binary', 'zoned', 'overpunch'], ['float']),
      default: 'text',
      description:
        'int, decimal: how the digits are held. `packed` (COMP-3) and `binary` (COMP, the highest byte first) are bytes of fixed-width records without line ends; `zoned` has the sign in the zone of a digit, `overpunch` in a character such as `}` or `J`. The point of a decimal is implied.',
    },
    sign: {
      shape: choice(['trailing', 'leading', 'trailing-separate', 'leading-separate']),
      default: 'trailing',
      description: 'zoned, overpunch: the digit that holds the sign, or where the `+` or `-` of its own is.',
    },
    required: { shape: { kind: 'boolean' }, default: false, description: 'An absent or empty field rejects the record.' },
    trim: { shape: { kind: 'boolean' }, description: 'Spaces at both ends are removed first; by default for fixed-width only.' },
    minLength: { shape: integer(0, 1_000_000), description: 'Code points, after trim.' },
    maxLength: { shape: integer(0, 1_000_000), description: 'Code points, after trim.' },
    pattern: {
      shape: text('a regular expression (RE2)', undefined, 1_000),
      description: 'Linear-time pattern; must match the whole text unless it is anchored.',
    },
    enum: { shape: { kind: 'list', of: { kind: 'exact-text' }, min: 1, max: 1_000 }, description: 'The only texts allowed.' },
    min: { shape: { kind: 'exact-text' }, description: 'Least value, inclusive.' },
    max: { shape: { kind: 'exact-text' }, description: 'Greatest value, inclusive.' },
    unique: { shape: choice(['file']), description: 'A value that an earlier valid record of the file has rejects the record.' },
    sum: { shape: { kind: 'boolean' }, default: false, description: 'Its amounts are counted at every stage.' },
    currency: { shape: fieldName, description: 'The field that holds the currency of this amount.' },
    class: {
      shape: text('a name, such as account', '^[a-z][a-z0-9-]{0,62}$', 63),
      description: "Kind of personal data; the tenant's policy sets the least mask of a class.",
    },
    mask: {
      shape: choice(['none', 'last4', 'all']),
      default: 'none',
      description: 'What people are shown of it. Outputs are never changed by this.',
    },
  },
  ['search', 'lookup', 'decode'],
);
