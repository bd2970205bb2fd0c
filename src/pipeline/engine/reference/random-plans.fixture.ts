/**
 * Random plans for the differential tests: every format, field type, check, rule, route and body, mostly such that
 * records can pass. Deterministic for one seed of fast-check.
 */
import fc from 'fast-check';
import type { Expression } from '../expressions/expression.ts';
import type { BodyPlan, FieldPlan, FieldType, FormatPlan, Plan, RecordPlan } from '../plan.ts';
import { call, fieldPlan, literal, outputField, planOf, recordField, recordPlan, targetPlan } from '../plans.fixture.ts';
import { fieldWidth, numberForms, randomFormat, rarely } from './random-formats.fixture.ts';

/** Texts that matter to each type: right ones, and those that a lax reader would take. */
export const textsByType: Readonly<Record<FieldType, readonly string[]>> = {
  // In ISO 8859-1 the bytes of Ã© are those of é in UTF-8.
  string: ['abc', 'é€𝄞', 'Ã©', 'a,b', 'a"b', 'x\ny', 'x\r\ny', ' a ', 'A'.repeat(20), '\\', '=1+1', "'", 'H', 'T', 'a;b', '\u2028', '\t'],
  int: [
    '7',
    '-12',
    '0',
    '-0',
    '+5',
    '007',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '1.0',
    '1e3',
    '0x10',
    '٣',
    '12 ',
  ],
  decimal: [
    '12',
    '0',
    '1.5',
    '-1.50',
    '1.005',
    '.5',
    '5.',
    '1,234.50',
    '-0.00',
    '99999999999999999.99',
    '9'.repeat(38),
    '9'.repeat(39),
    '1e3',
    '(5.00)',
    '00012.10',
    '12345',
  ],
  date: [
    '2026-01-31',
    '2024-02-29',
    '2026-02-30',
    '1900-02-29',
    '0000-01-01',
    '9999-12-31',
    '20260131',
    '31/01/2026',
    '2026-1-31',
    '20260230',
  ],
  time: [
    '12:30:15.250',
    '12:00:00.000',
    '12:00:00',
    '12:00:00.001',
    '23:59:59',
    '00:00:00',
    '24:00:00',
    '12:60:00',
    '12:00:60',
    '123015',
    '1:00:00',
    '12:30',
  ],
  datetime: [
    '2026-01-31T12:00:00',
    '2026-01-31T23:30:00-01:00',
    '0001-01-01T00:00:00+00:01',
    '2026-01-31T12:00:00.5Z',
    '2026-01-31T12:00:00.500Z',
    '9999-12-31T23:59:59-14:00',
    '2026-01-31 12:00:00',
    '2026-01-31T12:00:00+14:01',
    '20260131120000',
    '2026-01-31T12:00:00.000',
    '2026-01-31T12:00:00.001Z',
  ],
  boolean: ['true', 'false', 'TRUE', '1', 'yes'],
  iban: [
    'DE89370400440532013000',
    'GB82WEST12345698765432',
    'GB82 WEST 1234 5698 7654 32',
    'DE88370400440532013000',
    'de89370400440532013000',
    'XX00',
    'FR1420041010050500013M02606',
    'NL91ABNA0417164300',
    'MT84MALT011000012345MTLCAST001S',
    'BE68539007547034',
    'NO9386011117947',
  ],
  bic: ['DEUTDEFF', 'DEUTDEFF500', 'DEUTXXFF', 'deutdeff', 'DEUTDEF', 'BCEEXKPR', '1234DE00'],
  'aba-routing': ['021000021', '111000025', '021000022', '02100002', '000000000'],
  lei: ['5493001KJTIIGC8Y1R12', '5493001KJTIIGC8Y1R12', '5493001KJTIIGC8Y1R13', '5493001kjtiigc8y1r12', '5493001KJTIIGC8Y1R1'],
  isin: ['US0378331005', 'GB0002634946', 'US0378331006', 'XS0104440986', 'ZZ0378331005', 'us0378331005', 'GB0002634946'],
  currency: ['EUR', 'USD', 'JPY', 'XXX', 'eur', 'EUC', 'ZAR'],
  country: ['DE', 'ZA', 'XK', 'de', 'UK', 'DEU'],
  luhn: ['4539578763621486', '79927398713', '4539578763621487', '0', '00', '4539 5787'],
};
const fieldTypes = Object.keys(textsByType) as FieldType[];

const momentFormats: Partial<Record<FieldType, readonly (string | null)[]>> = {
  date: [null, 'yyyyMMdd', 'dd/MM/yyyy'],
  time: [null, 'HHmmss', 'HH:mm'],
  datetime: [null, 'yyyyMMddHHmmss', 'yyyy-MM-dd HH:mm:ss'],
};
const boundsByType: Partial<Record<FieldType, readonly string[]>> = {
  string: ['a', 'é'],
  int: ['-1', '7'],
  decimal: ['0', '1.50', '100.00'],
  date: ['2024-02-29', '2026-01-31'],
  time: ['12:00:00', '12:00:00.000'],
  datetime: ['2026-01-31T12:00:00', '2026-01-31T12:00:00.000Z'],
};

function placeOf(format: FormatPlan, index: number, isNested: boolean, length = fieldWidth): FieldPlan['at'] {
  if (format.type === 'delimited') return { column: index, header: format.header ? `c${index}` : null };
  if (format.type === 'fixed-width') return { start: index === 0 ? 0 : 1 + (index - 1) * fieldWidth, length: index === 0 ? 1 : length };
  return { path: index === 0 ? ['tag'] : isNested ? ['nested', `f${index}`] : [`f${index}`] };
}

/** Numbers more often where they may be held in bytes. */
function typesFor(format: FormatPlan): FieldType[] {
  const hasBlocks = format.type === 'fixed-width' && format.lineEnds === false;
  return [...fieldTypes, ...Array.from({ length: hasBlocks ? 8 : 0 }, () => ['int', 'decimal'] as const).flat()];
}

function randomField(format: FormatPlan, index: number): fc.Arbitrary<FieldPlan> {
  const choices = {
    required: fc.boolean(),
    trim: randomTrim(format),
    isNested: fc.boolean(),
    point: fc.constantFrom('explicit' as const, 'explicit' as const, 'implied' as const),
    scale: fc.constantFrom(0, 2, 3),
    limits: fc.constantFrom(...rarely<readonly (number | null)[]>([null, null], [2, 10], [null, 3])),
    isUnique: fc.constantFrom(false, false, true),
    isSummed: fc.boolean(),
    held: fc.constantFrom(...numberForms(format)),
  };
  return fc
    .record({ ...choices, type: fc.constantFrom(...typesFor(format)) })
    .chain(({ type, isNested, limits, isUnique, isSummed, held, ...more }) =>
      fc
        .record({
          dateFormat: fc.constantFrom(...(momentFormats[type] ?? [null])),
          min: fc.constantFrom(...rarely(null, ...(boundsByType[type] ?? []))),
          max: fc.constantFrom(...rarely(null, ...(boundsByType[type] ?? []))),
          enum: fc.constantFrom(...rarely(null, textsByType[type].slice(0, 3))),
          pattern: fc.constantFrom(...rarely(null, '^[A-Z0-9]+$', '[0-9.-]+', 'a|[0-9]$', '.*')),
        })
        .map((checks) => {
          const isNumber = type === 'int' || type === 'decimal';
          const form = isNumber && held !== null ? { ...held.form, point: 'implied' as const } : {};
          return fieldPlan(`f${index}`, type, placeOf(format, index, isNested, isNumber ? held?.length : undefined), {
            ...more,
            ...checks,
            ...form,
            minLength: isSized(type) ? limits[0]! : null,
            maxLength: isSized(type) ? limits[1]! : null,
            unique: isUnique ? 'file' : null,
            sum: isSummed && isNumber,
          });
        }),
    );
}

/** Rarer where spaces part fields: the one trimmed field of a record is to stand among others. */
function randomTrim(format: FormatPlan): fc.Arbitrary<boolean> {
  if (format.type === 'fixed-width') return fc.constantFrom(...rarely(true, false));
  return format.type === 'delimited' && format.delimiter === 0x20 ? fc.constantFrom(false, false, true) : fc.boolean();
}

function isSized(type: FieldType): boolean {
  return type === 'string' || type === 'int' || type === 'decimal';
}

function isCurrencyLike(field: FieldPlan): boolean {
  return field.type === 'currency' || field.type === 'string';
}

function randomRecord(format: FormatPlan, kind: Partial<RecordPlan>): fc.Arbitrary<RecordPlan> {
  return fc.integer({ min: 1, max: 4 }).chain((count) =>
    fc.tuple(...Array.from({ length: count }, (_, index) => randomField(format, index + 1)), fc.boolean()).map((parts) => {
      const isKeyed = parts.pop() as boolean;
      const tag = fieldPlan('tag', 'string', placeOf(format, 0, false), { required: false });
      const rest = parts as FieldPlan[];
      const currency = rest.findIndex(isCurrencyLike);
      const fields = [tag, ...rest.map((field) => (field.sum && currency >= 0 ? { ...field, currencyField: currency + 1 } : field))];
      return recordPlan(fields, { ...kind, key: isKeyed && kind.role !== 'header' && kind.role !== 'trailer' ? [1] : [] });
    }),
  );
}

function randomRecords(format: FormatPlan, isTagged: boolean): fc.Arbitrary<RecordPlan[]> {
  if (!isTagged) return randomRecord(format, {}).map((record) => [record]);
  return fc
    .tuple(
      randomRecord(format, { name: 'header', role: 'header', tag: 'H' }),
      randomRecord(format, { name: 'detail', tag: 'D' }),
      randomRecord(format, { name: 'trailer', role: 'trailer', tag: 'T' }),
    )
    .map(([header, detail, trailer]) => [header, detail, extraRecord(format, detail), trailer]);
}

/** Fields of the detail record in another order and other places, because expressions find them by name. */
function extraRecord(format: FormatPlan, detail: RecordPlan): RecordPlan {
  const others = detail.fields.slice(2).reverse();
  const fields = others.map((field, index) => {
    const length = 'length' in field.at ? field.at.length : undefined;
    return { ...field, at: placeOf(format, index + 1, index % 2 === 1, length), currencyField: null };
  });
  return recordPlan([detail.fields[0]!, ...fields], { name: 'extra', tag: 'E', counted: false, key: fields.length > 0 ? [1] : [] });
}

/** `header`: the header record, where the format has one. */
function randomCondition(record: RecordPlan, header: RecordPlan | undefined): fc.Arbitrary<Expression> {
  const ofRecord = recordCondition(record);
  if (header === undefined) return ofRecord;
  const isAbsent = call('bool', 'isNull', { ...recordField(header, 0), scope: 'header' } as Expression);
  return fc.oneof({ weight: 6, arbitrary: ofRecord }, { weight: 1, arbitrary: fc.constantFrom(isAbsent, call('bool', 'not', isAbsent)) });
}

function recordCondition(record: RecordPlan): fc.Arbitrary<Expression> {
  const fields = record.fields.map((_, index) => recordField(record, index));
  return fc.constantFrom(...fields).chain((field) => {
    const isPresent = call('bool', 'not', call('bool', 'isNull', field));
    const options: Expression[] = [isPresent, call('bool', 'isNull', field), literal('bool', 'false'), literal('bool', 'true')];
    if (field.type === 'string') {
      options.push(call('bool', 'equal', field, literal('string', 'abc')), call('bool', 'startsWith', field, literal('string', 'D')));
      options.push(call('bool', 'greater', call('int', 'size', field), literal('int', '3')));
      options.push(call('bool', 'contains', call('string', 'coalesce', field, literal('string', 'none')), literal('string', 'e')));
    }
    if (field.type === 'int' || field.type === 'decimal') {
      options.push(call('bool', 'greater', field, literal(field.type, '1')));
      options.push(call('bool', 'and', isPresent, call('bool', 'lessOrEqual', field, literal(field.type, '7'))));
      // What only the evaluator computes, of a field that may be absent.
      const orNone = call(field.type, 'coalesce', field, literal(field.type, '0'));
      options.push(call('bool', 'greater', orNone, literal(field.type, '1')), call('bool', 'less', orNone, literal(field.type, '12')));
      options.push(call('bool', 'notEqual', call(field.type, 'add', orNone, literal(field.type, '1')), literal(field.type, '8')));
    }
    return fc.constantFrom(...options);
  });
}

const bodies: readonly BodyPlan[] = [
  { format: 'ndjson' },
  { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' },
  { format: 'csv', delimiter: 0x3b, header: false, lineEnd: '\r\n' },
];

function fixedBody(columns: number): BodyPlan {
  return {
    format: 'fixed-width',
    columns: Array.from({ length: columns }, (_, index) => ({
      width: index === 0 ? 2 : 22,
      align: index % 2 === 0 ? 'left' : 'right',
      pad: index === 1 ? 0x30 : 0x20,
    })),
    lineEnd: '\n',
  };
}

export function randomPlan(isTagged: boolean): fc.Arbitrary<Plan> {
  return randomFormat(isTagged).chain((format) =>
    randomRecords(format, isTagged).chain((records) => {
      const main = records.find((record) => record.role === 'data')!;
      const condition = randomCondition(
        main,
        records.find((record) => record.role === 'header'),
      );
      return fc
        .record({
          asserts: fc.array(fc.tuple(condition, fc.constantFrom('error' as const, 'error' as const, 'warn' as const)), { maxLength: 3 }),
          filters: fc.array(condition, { maxLength: 1 }),
          mode: fc.constantFrom('first' as const, 'all' as const),
          whens: fc.array(fc.tuple(condition, fc.constantFrom([0], [1], [1, 2], [0, 2])), { maxLength: 2 }),
          isShaped: fc.boolean(),
          maxInvalidAmount: fc.constantFrom(null, { EUR: '2.00', XXX: '10' }),
        })
        .map(({ asserts, filters, mode, whens, isShaped, maxInvalidAmount }) =>
          planOf({
            acceptance: { ...planOf({ format, records }).acceptance, maxInvalidAmount },
            format,
            records,
            rules: asserts.map(([assert, severity], index) => ({
              id: `r${index}`,
              scope: 'record',
              severity,
              onFail: 'hold-file',
              code: `R${index}`,
              message: 'rule',
              assert,
            })),
            filters: filters.map((when, index) => ({ id: `x${index}`, when, reason: 'left out' })),
            routes: { mode, rules: whens.map(([when, to], index) => ({ id: `t${index}`, when, to })), default: [1] },
            targets: [targetPlan('a'), targetPlan('b', bodies[1 + (whens.length % 2)]!), targetPlan('c', fixedBody(main.fields.length))],
            output: main.fields.map((field, index) => outputField(field.name, shaped(recordField(main, index), isShaped))),
          }),
        );
    }),
  );
}

function shaped(value: Expression, isShaped: boolean): Expression {
  if (!isShaped) return value;
  if (value.type === 'string') return call('string', 'upper', value);
  return value.type === 'decimal' ? call('int', 'minorUnits', value) : value;
}
