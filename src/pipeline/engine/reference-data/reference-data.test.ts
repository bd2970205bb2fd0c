import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itWithPublicData } from '../../../../test/support/public-data.ts';
import { countries } from './countries.ts';
import { currencyMinorUnits } from './currencies.ts';
import { ibanStructures } from './iban-structures.ts';

const classes: Record<string, string> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' };

function expressionOf(structure: string): RegExp {
  return new RegExp(`^${structure.replaceAll(/(\d+)([nac])/g, (_, count, kind) => `${classes[kind]}{${count}}`)}$`);
}

describe('reference data', () => {
  it('every IBAN structure is written in counts and classes and is at most 30 long', () => {
    for (const [country, structures] of Object.entries(ibanStructures)) {
      expect(country).toMatch(/^[A-Z]{2}$/);
      for (const structure of structures) {
        expect(structure).toMatch(/^(\d+[nac])+$/);
        const length = [...structure.matchAll(/(\d+)[nac]/g)].reduce((sum, part) => sum + Number(part[1]), 0);
        expect(length).toBeGreaterThanOrEqual(11);
        expect(length).toBeLessThanOrEqual(30);
      }
    }
  });

  it('currency codes have three letters and their minor units', () => {
    for (const code of currencyMinorUnits.keys()) expect(code).toMatch(/^[A-Z]{3}$/);
    expect([currencyMinorUnits.get('JPY'), currencyMinorUnits.get('ZAR'), currencyMinorUnits.get('BHD')]).toEqual([0, 2, 3]);
    expect(currencyMinorUnits.get('XXX')).toBeNull();
  });

  it('there are 249 officially assigned country codes', () => {
    expect(countries.size).toBe(249);
    for (const code of countries) expect(code).toMatch(/^[A-Z]{2}$/);
  });

  itWithPublicData('codes', 'the published ISO 4217 and ISO 3166 lists hold the same codes', (codes) => {
    const lines = readFileSync(join(codes, 'iso4217/data/codes-all.csv'), 'utf8').trim().split('\n').slice(1);
    const inUse = lines.filter((line) => line.endsWith(',')).map((line) => /,([A-Z]{3}),\d{3},(\d|-),$/.exec(line.trim()));
    const published = new Map(
      inUse.filter((match) => match !== null).map((match) => [match[1], match[2] === '-' ? null : Number(match[2])]),
    );
    expect(published.size).toBeGreaterThan(170);
    for (const [code, units] of published) expect([code, currencyMinorUnits.get(code)]).toEqual([code, units]);
    for (const code of currencyMinorUnits.keys()) expect([code, published.has(code)]).toEqual([code, true]);
    const text = readFileSync(join(codes, 'iso3166/data/country-codes.csv'), 'utf8');
    for (const code of countries) expect(text).toContain(`,${code},`);
  });

  itWithPublicData('codes', 'the published example of every country fits its structure', (codes) => {
    const rows = readFileSync(join(codes, 'php-iban/registry.txt'), 'utf8').trim().split('\n').slice(1);
    let checked = 0;
    for (const row of rows) {
      const [country, , , , , , , example] = row.split('|');
      // AA is user-assigned in ISO 3166: no country, so no bank there.
      if (country === 'AA') continue;
      expect([country, ibanStructures[country]?.some((structure) => expressionOf(structure).test(example.slice(4)))]).toEqual([
        country,
        true,
      ]);
      checked++;
    }
    expect(checked).toBeGreaterThan(110);
  });
});
