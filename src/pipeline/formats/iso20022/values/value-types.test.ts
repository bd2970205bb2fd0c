import { describe, expect, it } from 'vitest';
import { decimalsOf, scaledAmount, scaledInteger } from './number-values.ts';
import { valueType } from './value-types.ts';

/** Rule that the text breaks as a value of the type; null: none. */
function ruleOf(type: string, text: string): string | null {
  const bytes = Buffer.from(`<${text}>`);
  return valueType(type).check(bytes, 1, bytes.length - 1)?.rule ?? null;
}

describe.each<readonly [type: string, good: readonly string[], bad: readonly string[]]>([
  [
    'date',
    ['2026-02-28', '2024-02-29', '2000-02-29', ' 2026-01-01\n', '2026-01-01Z', '2026-01-01-14:00', '-0001-01-01', '12026-01-01'],
    [
      '2026-02-29',
      '1900-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-01-00',
      '26-01-01',
      '0000-01-01',
      '02026-01-01',
      '2026-01-01+14:01',
      '2026-01-01T',
      '2026-1-1',
      '',
    ],
  ],
  [
    'dateTime',
    ['2026-01-01T00:00:00', '2026-01-01T24:00:00', '2026-01-01T23:59:59.9Z', '2026-01-01T00:00:00+05:30'],
    [
      '2026-01-01',
      '2026-01-01T24:00:01',
      '2026-01-01T23:59:60',
      '2026-01-01 00:00:00',
      '2026-01-01T00:00:00.',
      '2026-01-01T0:00:00',
      '2026-01-01T00:00:00z',
    ],
  ],
  ['time', ['00:00:00', '12:30:15.5-03:00'], ['24:00:01', '12:30', '1:00:00']],
  ['gYear', ['2026', '2026Z'], ['26', '2026-01']],
  ['gYearMonth', ['2026-12'], ['2026-13', '2026']],
  ['boolean', ['true', 'false', '1', '0', ' true '], ['TRUE', 'yes', '', 'true1']],
  [
    'decimal',
    ['0', '-1', '+1.50', '.5', '5.', '000000000000000000001', '0.00000000000000001', '123456789012345678'],
    ['', '.', '1,5', '1e3', '--1', '1 1', '1234567890123456789', 'NaN', '٣'],
  ],
  ['amount', ['0', '-0.0', '1.12345', '1.1234500', '9999999999999.99999'], ['-1', '1.123456', '1234567890123456789']],
  ['number', ['12', '12.0'], ['12.5']],
  ['rate', ['1.0123456789', '-9.5'], ['12.0123456789']],
  ['x3', ['a', 'abc', 'äöü', '😀😀😀', '   '], ['', 'abcd', '😀😀😀😀']],
  ['n15', ['0', '123456789012345'], ['', '1234567890123456', '1.0', ' 1']],
  ['n3to4', ['123', '1234'], ['12', '12345']],
  ['p15', ['+1', '1'], ['-1', '+']],
  ['N3', ['123'], ['12', '1234']],
  ['X4', ['aB12'], ['aB1', 'aB1-']],
  ['phone', ['+49-30(1)2-3', '+1-1'], ['4930', '+4930', '+49-']],
  [
    'uuid',
    ['eb6305c9-1f7f-49de-aed0-16487c27b42d'],
    ['eb6305c9-1f7f-59de-aed0-16487c27b42d', 'EB6305C9-1F7F-49DE-AED0-16487C27B42D', 'eb6305c9-1f7f-49de-7ed0-16487c27b42d'],
  ],
  ['bic', ['MARKDEFF', 'MARKDEFFXXX'], ['MARKDEF', 'MARKDEFFXX', 'markdeff', 'MARKDE1F', 'MARKDEFO', 'MAR1DEFF']],
  ['bic2014', ['1ARKDE1O', 'MARKDEFFXXX'], ['MARK12FF', 'MARKDEFFX']],
  ['binary10k', ['QQ==', 'QUI=', 'QUJD', 'QU JD'], ['', 'QUJ', 'Q===', 'QR==', 'QUJ=', '?UJD']],
  ['language', ['en'], ['EN', 'eng']],
])('%s', (type, good, bad) => {
  it.each(good)('takes %j', (text) => expect(ruleOf(type, text)).toBe(null));
  it.each(bad)('refuses %j', (text) => expect(ruleOf(type, text)).toMatch(/^schema-/));
});

describe('codes', () => {
  it.each([
    ['iban', 'DE89370400440532013001'],
    ['bic', 'MARKXXFF'],
    ['lei', '529900T8BM49AURSDO56'],
    ['isin', 'US0378331006'],
    ['country', 'QQ'],
    ['currency', 'EUX'],
  ])('%s that only its standard refuses is a business mistake', (type, text) => {
    const bytes = Buffer.from(text);
    expect(valueType(type).check(bytes, 0, bytes.length)).toMatchObject({ level: 'business', rule: type });
  });
});

describe('amounts', () => {
  it.each([
    ['10.00', 1_000_000],
    ['-0.00001', -1],
    [' 5. ', 500_000],
    ['9999999999999.99999', Number.NaN],
    ['90071992547.40992', Number.NaN],
    ['90071992547.40991', Number.MAX_SAFE_INTEGER],
  ])('%j is scaled without rounding', (text, scaled) => {
    const bytes = Buffer.from(text);
    expect(scaledAmount(bytes, 0, bytes.length)).toBe(scaled);
    if (!Number.isNaN(scaled)) expect(scaledInteger(bytes, 0, bytes.length, 5)).toBe(BigInt(scaled));
  });

  it('have as many decimals as matter', () => {
    expect(['1', '1.50', '1.05', '1.00'].map((text) => decimalsOf(Buffer.from(text), 0, text.length))).toEqual([0, 1, 2, 0]);
  });
});
