/** Random formats for the differential tests, in every encoding, and how numbers are held in them. */
import fc from 'fast-check';
import type { DelimitedPlan, FieldPlan, FixedWidthPlan, FormatPlan } from '../plan.ts';
import { encodings, type SingleByteEncoding } from '../reference-data/code-pages.ts';

/** Mostly the usual choice. */
export function rarely<T>(usual: T, ...others: readonly T[]): T[] {
  return [...Array.from({ length: 4 * others.length + 1 }, () => usual), ...others];
}

const singleByte = encodings.filter((encoding): encoding is SingleByteEncoding => encoding !== 'utf-8');
/** A key of the Plan that UTF-8 does not have. */
export const randomEncoding = fc
  .constantFrom(...rarely<SingleByteEncoding | null>(null, ...singleByte).slice(singleByte.length * 2))
  .map((name) => (name === null ? {} : { encoding: name }));

/** Those that values of other types than string may hold as well. */
const oddDelimiters = Buffer.from('|.-/: 15EFDer_');
const delimited: fc.Arbitrary<DelimitedPlan> = fc.record({
  type: fc.constant('delimited' as const),
  delimiter: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0x2c, 0x3b, 0x09) },
    { weight: 2, arbitrary: fc.constantFrom(...oddDelimiters) },
    { weight: 2, arbitrary: fc.constant(0x20) },
  ),
  quote: fc.constantFrom(0x22, 0x22, 0x27, null),
  escape: fc.constantFrom(null, 0x5c),
  comment: fc.constantFrom(null, 0x23),
  header: fc.boolean(),
  columns: fc.constantFrom('exact' as const, 'lenient' as const),
  skipBlankLines: fc.boolean(),
  discriminator: fc.constant(null),
});

export function randomFormat(isTagged: boolean): fc.Arbitrary<FormatPlan> {
  return fc.oneof(
    fc.tuple(delimited, randomEncoding).map(([format, inEncoding]) => ({
      ...format,
      ...inEncoding,
      escape: format.quote === null ? null : (format.escape ?? format.quote),
      discriminator: isTagged ? 0 : null,
    })),
    randomFixedWidth(isTagged),
    fc.record({
      type: fc.constant('json-lines' as const),
      discriminator: fc.constant(isTagged ? 'tag' : null),
      unknownKeys: fc.constantFrom('ignore' as const, 'reject' as const),
      skipBlankLines: fc.boolean(),
    }),
  );
}

function randomFixedWidth(isTagged: boolean): fc.Arbitrary<FixedWidthPlan> {
  const form = fc.record({
    type: fc.constant('fixed-width' as const),
    discriminator: fc.constant(isTagged ? { start: 0, length: 1 } : null),
    recordLength: fc.constant(null),
    shortLines: fc.constantFrom('reject' as const, 'pad' as const),
    skipBlankLines: fc.boolean(),
  });
  const places = fc.constantFrom('lines' as const, 'characters' as const, 'blocks' as const);
  return fc.tuple(form, randomEncoding, places).map(([format, inEncoding, place]) => {
    if (place === 'lines') return { ...format, ...inEncoding };
    if (place === 'characters') return { ...format, positions: 'characters' as const };
    return { ...format, ...inEncoding, lineEnds: false as const, recordLength: blockLength, shortLines: 'reject' as const };
  });
}

export const fieldWidth = 24;
/** Room for a tag and four fields. */
const blockLength = 1 + 4 * fieldWidth;

interface NumberForm {
  readonly form: Pick<FieldPlan, 'usage' | 'sign'>;
  readonly length?: number;
}

/** Null: as text. */
export function numberForms(format: FormatPlan): (NumberForm | null)[] {
  if (format.type === 'json-lines') return [null];
  const signed = (['zoned', 'overpunch'] as const).flatMap((usage): NumberForm[] => [
    { form: { usage } },
    ...(['leading', 'leading-separate', 'trailing-separate'] as const).map((sign) => ({ form: { usage, sign } })),
  ]);
  const inBytes: NumberForm[] = [
    { form: { usage: 'packed' }, length: 3 },
    { form: { usage: 'packed' }, length: 8 },
    { form: { usage: 'packed' }, length: 20 },
    { form: { usage: 'binary' }, length: 2 },
    { form: { usage: 'binary' }, length: 8 },
  ];
  if (format.type === 'delimited' || format.lineEnds !== false) return [...Array.from({ length: 16 }, () => null), ...signed];
  return [null, null, null, ...signed.slice(0, 2), ...signed.slice(4, 6), ...inBytes];
}
