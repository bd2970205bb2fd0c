import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itWithPublicData } from '../../../../test/support/public-data.ts';
import { FieldReader } from '../fields/field-reader.ts';
import type { FieldPlan, FieldType } from '../plan.ts';
import { delimitedFormat, fieldPlan } from '../plans.fixture.ts';
import { type CheckedField, checkField } from './field-checks.ts';

function check(type: FieldType, text: string, more: Partial<FieldPlan> = {}): CheckedField {
  return checkField(fieldPlan('f', type, { column: 0, header: null }, more), { kind: 'text', text }, delimitedFormat);
}

const codeOf = (type: FieldType, text: string, more: Partial<FieldPlan> = {}) => check(type, text, more).problem?.code ?? null;

describe('fields of the reference parser', () => {
  it('amounts are exact decimals of the declared scale, never coerced', () => {
    for (const text of ['1,234.50', '1.234,50', '(5.00)', '٣', '0x10', '1e3', '+5', '.5', '5.', ' 5', '1.005', 'NaN']) {
      expect([text, codeOf('decimal', text)]).toEqual([text, 'E_DECIMAL']);
    }
    expect(check('decimal', '-12.5').value).toEqual({ unscaled: -1250n, scale: 2 });
    expect(check('decimal', '000000001250', { point: 'implied' }).value).toEqual({ unscaled: 1250n, scale: 2 });
    expect(codeOf('decimal', '12.50', { point: 'implied' })).toBe('E_DECIMAL');
    expect(codeOf('decimal', '5.0', { scale: 0 })).toBe('E_DECIMAL');
    expect(check('decimal', '9'.repeat(36)).value).toEqual({ unscaled: BigInt(`${'9'.repeat(36)}00`), scale: 2 });
    expect(codeOf('decimal', '9'.repeat(37))).toBe('E_RANGE');
  });

  it('integers fit 64 bits', () => {
    expect(check('int', '-9223372036854775808').value).toBe(-(2n ** 63n));
    expect(codeOf('int', '9223372036854775808')).toBe('E_RANGE');
    expect(check('int', '-0').value).toBe(0n);
  });

  it('days are real, of the years 0001 to 9999', () => {
    for (const text of ['2026-02-30', '1900-02-29', '0000-01-01', '2026-13-01', '2026-00-10', '2026-1-1', '10000-01-01'])
      expect([text, codeOf('date', text)]).toEqual([text, 'E_DATE']);
    for (const text of ['2024-02-29', '2000-02-29', '9999-12-31', '0001-01-01']) expect(check('date', text).value).toBe(text);
    expect(check('date', '29022024', { dateFormat: 'ddMMyyyy' }).value).toBe('2024-02-29');
  });

  it('datetimes with an offset are in UTC, others as they are written', () => {
    expect(check('datetime', '2026-03-01T00:30:00+01:00').value).toBe('2026-02-28T23:30:00Z');
    expect(check('datetime', '2024-12-31T23:59:59.125-00:01').value).toBe('2025-01-01T00:00:59.125Z');
    expect(check('datetime', '2026-03-29T02:30:00').value).toBe('2026-03-29T02:30:00');
    for (const text of ['9999-12-31T23:59:59-00:01', '0001-01-01T00:00:00+00:01', '2026-01-01T24:00:00', '2026-01-01T12:00:60'])
      expect([text, codeOf('datetime', text)]).toEqual([text, 'E_DATETIME']);
  });

  it.each([
    ['time', '17:00:00', ''],
    ['datetime', '2026-01-31T17:00:00', ''],
    ['datetime', '2026-01-31T17:00:00', 'Z'],
  ] as const)('the bounds of a %s are held against its value, however its fraction is written: %s, %s', (type, moment, zone) => {
    const found = (text: string, more: Partial<FieldPlan>) => {
      const reader = new FieldReader(fieldPlan('f', type, { column: 0, header: null }, more), delimitedFormat);
      reader.read(text, 'text');
      const code = codeOf(type, text, more);
      expect(reader.problem?.code ?? null).toBe(code);
      return code;
    };
    for (const bound of [moment, `${moment}.000`]) {
      const more = { min: bound, max: bound };
      for (const text of [`${moment}${zone}`, `${moment}.000${zone}`])
        expect([text, bound, found(text, more)]).toEqual([text, bound, null]);
      expect(found(`${moment}.001${zone}`, { max: bound })).toBe('E_RANGE');
      expect(found(`${moment}.001${zone}`, { min: bound })).toBeNull();
    }
  });

  it('check digits are checked', () => {
    const right: [FieldType, string][] = [
      ['iban', 'GB82WEST12345698765432'],
      ['lei', '5493001KJTIIGC8Y1R12'],
      ['isin', 'US0378331005'],
      ['aba-routing', '021000021'],
      ['luhn', '4539578763621486'],
    ];
    for (const [type, text] of right) {
      expect([type, codeOf(type, text)]).toEqual([type, null]);
      // Every single wrong digit is found.
      for (let at = 0; at < text.length; at++) {
        if (!/[0-9]/.test(text[at]!)) continue;
        const wrong = text.slice(0, at) + ((Number(text[at]) + 1) % 10) + text.slice(at + 1);
        expect([type, wrong, codeOf(type, wrong) === null]).toEqual([type, wrong, false]);
      }
    }
    for (const text of ['GB82 WEST 1234 5698 7654 32', 'gb82west12345698765432', 'GB82WEST1234569876543', 'XX82WEST12345698765432', ''])
      expect(codeOf('iban', text)).not.toBeNull();
  });

  it('the first problem counts: length, type, enum, pattern, bounds', () => {
    const more = { maxLength: 3, enum: ['1', '5', '12'], pattern: '^[0-4]+$', max: '4' };
    expect(codeOf('int', 'wrong', more)).toBe('E_LENGTH');
    expect(codeOf('int', 'x', more)).toBe('E_INT');
    expect(codeOf('int', '7', more)).toBe('E_ENUM');
    expect(codeOf('int', '5', more)).toBe('E_PATTERN');
    expect(codeOf('int', '12', more)).toBe('E_RANGE');
    expect(codeOf('int', '1', more)).toBeNull();
  });

  it('an amount is read whatever other check its text fails', () => {
    const more = { maxLength: 8, sum: true };
    const long = check('decimal', '100000.00', more);
    expect([long.problem, long.value]).toEqual([
      { code: 'E_LENGTH', message: 'longer than 8 characters' },
      { unscaled: 10_000_000n, scale: 2 },
    ]);
    expect(check('decimal', '5.00', { minLength: 8, sum: true }).value).toEqual({ unscaled: 500n, scale: 2 });
    expect(check('decimal', '5.00', { pattern: '[1-4.0]+', sum: true }).value).toEqual({ unscaled: 500n, scale: 2 });
    expect(check('int', '123456789', more).value).toBe(123_456_789n);
    // The first problem stays the one that counts.
    for (const text of ['1,000,000.00', '100000.001', '9'.repeat(37), '9'.repeat(1_000_000)]) {
      const checked = check('decimal', text, more);
      expect([checked.problem!.code, checked.value]).toEqual(['E_LENGTH', null]);
    }
  });

  it('a pattern without anchors must match the whole text, in linear time', () => {
    expect(codeOf('string', 'abc', { pattern: 'b' })).toBe('E_PATTERN');
    expect(codeOf('string', 'abc', { pattern: '^a' })).toBeNull();
    expect(codeOf('string', `${'a'.repeat(40)}b`, { pattern: '(a+)+' })).toBe('E_PATTERN');
  });

  itWithPublicData('codes', 'every published example of an IBAN is one, with and without its check digits wrong', (folder) => {
    const rows = readFileSync(join(folder, 'php-iban/registry.txt'), 'utf8').trim().split('\n').slice(1);
    // AA is no country: user-assigned in ISO 3166, so no bank can be there.
    const examples = rows.map((row) => row.split('|')[7]!).filter((example) => !example.startsWith('AA'));
    expect(examples.length).toBeGreaterThan(110);
    for (const example of examples) {
      expect([example, codeOf('iban', example)]).toEqual([example, null]);
      const digits = Number(example.slice(2, 4));
      const wrong = example.slice(0, 2) + String(digits === 98 ? 2 : digits + 1).padStart(2, '0') + example.slice(4);
      expect([wrong, codeOf('iban', wrong)]).toEqual([wrong, 'E_IBAN']);
    }
  });
});
