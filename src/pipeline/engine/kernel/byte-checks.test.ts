import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remainder97 } from '../fields/check-digits.ts';
import { isCountry, isCurrency, isIban } from '../fields/code-types.ts';
import { ibanStructures } from '../reference-data/iban-structures.ts';
import { WindowMemory } from '../window-memory.ts';
import { countCodePoints, isCountryAt, isCurrencyAt } from './byte-checks.ts';
import { finishColumn, finishCsvCell } from './cell-text.ts';
import { readWide, writeDecimal, writeInteger } from './number-text.ts';

/** As in a window: more bytes follow. */
function padded(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, 'utf8'), Buffer.alloc(64, 0x0a)]);
}

const window = new WindowMemory(128);

function ibanLengthOf(text: string): number {
  window.bytes.set(padded(text), 5);
  return window.iban(5, window.ibanTablesAt);
}

const letters = { n: '0123456789', a: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', c: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ' };
/** IBANs of every country with right check digits, and what one changed character makes of them. */
const iban = fc
  .tuple(
    fc.constantFrom(...Object.entries(ibanStructures)),
    fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
    fc.nat(),
    fc.constantFrom('', '', '0', 'A', 'z', ' ', 'É'),
  )
  .map(([[country, structures], dice, at, change]) => {
    const kinds = [...structures[0]!.matchAll(/(\d+)([nac])/g)].flatMap(
      (part) => [...part[2]!.repeat(Number(part[1]))] as ('n' | 'a' | 'c')[],
    );
    const rest = kinds.map((kind, index) => letters[kind][dice[index]! % letters[kind].length]).join('');
    const check = String(98 - remainder97(`${rest}${country}00`)).padStart(2, '0');
    const text = country + check + rest;
    const place = at % text.length;
    return change === '' ? text : text.slice(0, place) + change + text.slice(place + 1);
  });

describe('checks on bytes', () => {
  it('accept exactly the IBANs that the slow path accepts, in countries with one structure', () => {
    let accepted = 0;
    fc.assert(
      fc.property(iban, (text) => {
        const length = ibanLengthOf(text);
        const isOne = isIban(text) && ibanStructures[text.slice(0, 2)]!.length === 1;
        if (isOne) accepted++;
        expect(length).toBe(isOne ? text.length : length === 0 ? 0 : -1);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  it('never accept check digits that are not issued', () => {
    for (const [valid, never] of [['GB98MIDL07009312345678', 'GB01MIDL07009312345678']] as const)
      expect([isIban(never), valid.length]).toEqual([false, 22]);
    expect(ibanLengthOf('DE00000000000000000000')).toBe(0);
  });

  it('know currencies and countries as the slow path does', () => {
    const code = fc.oneof(
      fc.stringMatching(/^[A-Z]{3}$/),
      fc.string({ minLength: 3, maxLength: 3 }),
      fc.constantFrom('EUR', 'ZAR', 'DEX', 'XXX'),
    );
    fc.assert(
      fc.property(code, (text) => {
        const bytes = padded(text);
        const first = bytes.toString('utf8', 0, 3);
        expect(isCurrencyAt(bytes, 0)).toBe(isCurrency(first));
        expect(isCountryAt(bytes, 0)).toBe(isCountry(bytes.toString('utf8', 0, 2)));
      }),
    );
  });

  it('count the code points of valid UTF-8', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xa0, 0x9f, 0xed, 0xf0, 0x90, 0x8f, 0xf4, 0xf5, 0xff),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), (list) => {
        const bytes = Uint8Array.from(list);
        if (isUtf8(bytes)) expect(countCodePoints(bytes, 0, bytes.length)).toBe([...Buffer.from(bytes).toString('utf8')].length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('numbers as text', () => {
  const value = fc.oneof(fc.integer({ min: -200, max: 200 }), fc.integer({ min: -(10 ** 15), max: 10 ** 15 }));
  const into = Buffer.alloc(64);

  it('are written as bigint writes them, with and without a point', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 14 }), (number, scale) => {
        expect(into.toString('latin1', 0, writeInteger(into, 0, number))).toBe(BigInt(number).toString());
        const digits = String(Math.abs(number)).padStart(scale + 1, '0');
        const text = `${number < 0 ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        const end = writeDecimal(into, 0, number, scale);
        expect(into.toString('latin1', 0, end)).toBe(text);
        expect(readWide(into, 0, end, scale)).toBe(number === 0 ? 0 : number);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('cells finished in place', () => {
  it('are quoted as RFC 4180 asks', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[",\r\na]{0,8}$/)), (text) => {
        const bytes = Buffer.alloc(300);
        const end = finishCsvCell(bytes, 5, 5 + bytes.write(text, 5, 'utf8'), 0x2c);
        const quoted = text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        expect(bytes.toString('utf8', 5, end)).toBe(Buffer.from(quoted, 'utf8').toString('utf8'));
      }),
    );
  });

  it('are padded to their column on the other side of their alignment', () => {
    const bytes = Buffer.alloc(20);
    bytes.write('ab');
    expect(bytes.toString('latin1', 0, finishColumn(bytes, 0, 2, 4, 1, 0x2e))).toBe('ab..');
    expect(bytes.toString('latin1', 0, finishColumn(bytes, 0, 2, 4, 0, 0x30))).toBe('00ab');
    expect(finishColumn(bytes, 0, 4, 3, 0, 0x30)).toBe(-1);
  });
});
