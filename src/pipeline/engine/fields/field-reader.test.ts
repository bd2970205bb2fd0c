import { describe, expect, it } from 'vitest';
import { valueText } from '../expressions/values.ts';
import type { FieldPlan, FieldType } from '../plan.ts';
import { delimitedFormat, fieldPlan } from '../plans.fixture.ts';
import { ibanMistake } from '../reference/code-checks.ts';
import { FieldReader, type TextKind } from './field-reader.ts';

/** The canonical value, or the code of what is wrong. */
function read(type: FieldType, text: string | null, more: Partial<FieldPlan> = {}, kind: TextKind = 'text'): string | null {
  const reader = new FieldReader(fieldPlan('f', type, { column: 0, header: null }, more), delimitedFormat);
  reader.read(text, kind);
  return reader.problem !== null ? reader.problem.code : reader.value === null ? null : valueText(reader.value);
}

it.each([
  ['date', null, 'not a date as yyyy-MM-dd'],
  ['date', 'dd.MM.yyyy', 'not a date as dd.MM.yyyy'],
  ['time', null, 'not a time of day as HH:mm:ss'],
  ['datetime', 'yyyyMMddHHmmss', 'not a date and time as yyyyMMddHHmmss'],
] as const)('a %s in the format %s that is none is said to be none as it is to be written', (type, dateFormat, message) => {
  const reader = new FieldReader(fieldPlan('f', type, { column: 0, header: null }, { dateFormat }), delimitedFormat);
  reader.read('x', 'text');
  expect(reader.problem).toMatchObject({ message });
});

it.each([
  ['QQ89370400440532013000', 'it begins with no country that has them'],
  ['', 'it begins with no country that has them'],
  ['de89370400440532013000', 'it begins with no country that has them'],
  ['DE8937040044053201300', 'it is not as long as those of its country'],
  ['DE89 3704 0044 0532 0130 00', 'it is not as long as those of its country'],
  ['DE8937040044053201300A', 'its country has letters and digits in other places'],
  ['DEX9370400440532013000', 'its country has letters and digits in other places'],
  ['DE88370400440532013000', 'its check digits are wrong'],
  ['DE00370400440532013089', 'its check digits are wrong'],
  ['BI4210000100010000332045181', null],
  ['BI43201011067444', null],
  ['BI44201011067444', 'its check digits are wrong'],
])('of what is no IBAN it is said which check it fails, as the reference says it: %s', (text, fault) => {
  const reader = new FieldReader(fieldPlan('f', 'iban', { column: 0, header: null }, { required: false }), delimitedFormat);
  reader.read(text === '' ? ' ' : text, 'text');
  const said = reader.problem?.message ?? null;
  expect(said).toBe(fault === null ? null : `not an IBAN: ${fault}`);
  const mistake = ibanMistake(text === '' ? ' ' : text);
  expect(mistake).toBe(fault);
});

const cases: readonly [FieldType, Partial<FieldPlan>, Readonly<Record<string, string>>][] = [
  [
    'int',
    {},
    {
      '5': '5',
      '-7': '-7',
      '007': '7',
      '-0': '0',
      '+5': 'E_INT',
      '1e3': 'E_INT',
      '0x10': 'E_INT',
      '1.0': 'E_INT',
      ' 5': 'E_INT',
      '٣': 'E_INT',
      '1,000': 'E_INT',
      '9223372036854775807': '9223372036854775807',
      '9223372036854775808': 'E_RANGE',
    },
  ],
  [
    'decimal',
    { scale: 2 },
    {
      '1.5': '1.50',
      '5': '5.00',
      '-0.00': '0.00',
      '1.234': 'E_DECIMAL',
      '.5': 'E_DECIMAL',
      '5.': 'E_DECIMAL',
      '1,234.50': 'E_DECIMAL',
      '1.234,50': 'E_DECIMAL',
      '(5.00)': 'E_DECIMAL',
      '1e3': 'E_DECIMAL',
      [`${'9'.repeat(36)}.99`]: `${'9'.repeat(36)}.99`,
      ['9'.repeat(37)]: 'E_RANGE',
      [`${'0'.repeat(90)}1`]: '1.00',
    },
  ],
  ['decimal', { scale: 0 }, { '5': '5', '5.0': 'E_DECIMAL' }],
  ['decimal', { scale: 3, point: 'implied' }, { '1500': '1.500', '-15': '-0.015', '1.5': 'E_DECIMAL' }],
  [
    'date',
    {},
    {
      '2026-01-31': '2026-01-31',
      '2024-02-29': '2024-02-29',
      '2026-02-30': 'E_DATE',
      '1900-02-29': 'E_DATE',
      '2000-02-29': '2000-02-29',
      '0000-01-01': 'E_DATE',
      '9999-12-31': '9999-12-31',
      '2026-1-1': 'E_DATE',
      '20260131': 'E_DATE',
      '٢026-01-01': 'E_DATE',
    },
  ],
  ['date', { dateFormat: 'dd.MM.yyyy' }, { '31.01.2026': '2026-01-31', '01.31.2026': 'E_DATE', '31-01-2026': 'E_DATE' }],
  ['time', {}, { '23:59:59': '23:59:59', '24:00:00': 'E_TIME', '12:00': 'E_TIME', '12:00:00.125': '12:00:00.125' }],
  [
    'datetime',
    {},
    {
      '2026-01-31T10:00:00': '2026-01-31T10:00:00',
      '2026-01-31T23:30:00-02:00': '2026-02-01T01:30:00Z',
      '2026-01-01T00:30:00+01:00': '2025-12-31T23:30:00Z',
      '2026-01-31T10:00:00+15:00': 'E_DATETIME',
      '2026-01-31 10:00:00': 'E_DATETIME',
      '0001-01-01T00:00:00+01:00': 'E_DATETIME',
    },
  ],
  ['boolean', {}, { true: 'true', false: 'false', True: 'E_BOOLEAN', '1': 'E_BOOLEAN' }],
  [
    'iban',
    {},
    {
      DE89370400440532013000: 'DE89370400440532013000',
      DE88370400440532013000: 'E_IBAN',
      'DE89 3704 0044 0532 0130 00': 'E_IBAN',
      de89370400440532013000: 'E_IBAN',
      XX89370400440532013000: 'E_IBAN',
    },
  ],
  ['bic', {}, { DEUTDEFF: 'DEUTDEFF', DEUTDEFF500: 'DEUTDEFF500', DEUTXXFF: 'E_BIC', DEUTDEFF5: 'E_BIC', deutdeff: 'E_BIC' }],
  ['aba-routing', {}, { '021000021': '021000021', '021000022': 'E_ABA', '02100002': 'E_ABA' }],
  ['lei', {}, { '529900T8BM49AURSDO55': '529900T8BM49AURSDO55', '529900T8BM49AURSDO56': 'E_LEI' }],
  ['isin', {}, { US0378331005: 'US0378331005', US0378331006: 'E_ISIN', '000378331005': 'E_ISIN' }],
  ['currency', {}, { ZAR: 'ZAR', zar: 'E_CURRENCY', ABC: 'E_CURRENCY' }],
  ['country', {}, { ZA: 'ZA', XX: 'E_COUNTRY' }],
  ['luhn', {}, { '79927398713': '79927398713', '79927398714': 'E_LUHN', '0': 'E_LUHN' }],
  ['string', { enum: ['A', 'B'] }, { A: 'A', a: 'E_ENUM' }],
  ['string', { minLength: 2, maxLength: 3 }, { '𝄞𝄞': '𝄞𝄞', '𝄞': 'E_LENGTH', abcd: 'E_LENGTH' }],
  ['string', { pattern: '[A-Z]+' }, { AB: 'AB', AB1: 'E_PATTERN' }],
  ['string', { pattern: '^[A-Z]' }, { AB1: 'AB1', '1A': 'E_PATTERN' }],
  ['decimal', { min: '0.01', max: '10' }, { '0.01': '0.01', '10.00': '10.00', '0': 'E_RANGE', '10.01': 'E_RANGE' }],
  [
    'decimal',
    { max: '9'.repeat(21) },
    { '1.00': '1.00', [`${'9'.repeat(21)}.00`]: `${'9'.repeat(21)}.00`, [`${'9'.repeat(21)}.01`]: 'E_RANGE' },
  ],
  ['decimal', { min: `-${'9'.repeat(38)}`, max: '9'.repeat(38) }, { '1.00': '1.00', [`-${'9'.repeat(36)}.99`]: `-${'9'.repeat(36)}.99` }],
  ['date', { min: '2026-01-01' }, { '2025-12-31': 'E_RANGE', '2026-01-01': '2026-01-01' }],
];

describe('a field', () => {
  for (const [type, more, texts] of cases) {
    it(`of type ${type} ${JSON.stringify(more)} is what its text says, or an error: nothing is coerced`, () => {
      for (const [text, expected] of Object.entries(texts)) expect([text, read(type, text, more)]).toEqual([text, expected]);
    });
  }

  it('is absent when its text is missing or empty, and then only required matters', () => {
    for (const text of [null, '', '   ']) {
      expect(read('int', text, { trim: true })).toBe('E_REQUIRED');
      expect(read('int', text, { trim: true, required: false, min: '5' })).toBeNull();
    }
    expect(read('string', '   ')).toBe('   ');
  });

  it('to be summed has its number whatever other check its text fails', () => {
    const numberOf = (text: string, more: Partial<FieldPlan>) => {
      const reader = new FieldReader(fieldPlan('f', 'decimal', { column: 0, header: null }, { ...more, sum: true }), delimitedFormat);
      reader.read(text, 'text');
      return [reader.problem?.code, reader.unscaled];
    };
    expect(numberOf('100000.00', { maxLength: 8, enum: ['1.00'], max: '5' })).toEqual(['E_LENGTH', 10_000_000n]);
    expect(numberOf('-5.00', { minLength: 8 })).toEqual(['E_LENGTH', -500n]);
    expect(numberOf('5.00', { pattern: '[1-4.0]+' })).toEqual(['E_PATTERN', 500n]);
    for (const text of ['1,000,000.00', '100000.001', '9'.repeat(37)]) expect(numberOf(text, { maxLength: 8 })).toEqual(['E_LENGTH', null]);
  });

  it('of a JSON record needs a value of its kind', () => {
    expect(read('string', '5', {}, 'number')).toBe('E_TYPE');
    expect(read('int', '5', {}, 'number')).toBe('5');
    expect(read('decimal', '1e3', {}, 'number')).toBe('E_DECIMAL');
    expect(read('boolean', 'true', {}, 'string')).toBe('E_TYPE');
    expect(read('string', '[]', {}, 'other')).toBe('E_TYPE');
  });
});
