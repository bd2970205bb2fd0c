import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remainder97 } from '../fields/check-digits.ts';
import { ibanFault, isCountry, isCurrency } from '../fields/code-types.ts';
import { ibanStructures } from '../reference-data/iban-structures.ts';
import { functions, ibanLengthOf, output, outputText, show, window, write } from './kernel-functions.fixture.ts';

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
/** Bytes that UTF-8's rules turn on, and any others. */
const byte = fc.oneof(
  fc.constantFrom(0x41, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xa0, 0x9f, 0xed, 0xf0, 0x90, 0x8f, 0xf4, 0xf5, 0xff),
  fc.integer({ min: 0, max: 255 }),
);

describe('checks on bytes', () => {
  it('accept exactly the IBANs that the slow path accepts, in countries with one structure', () => {
    let accepted = 0;
    fc.assert(
      fc.property(iban, (text) => {
        const length = ibanLengthOf(text);
        const isOne = (each: string) => ibanFault(each) === null && ibanStructures[each.slice(0, 2)]!.length === 1;
        if (isOne(text)) {
          accepted++;
          expect(length).toBe(text.length);
        } else if (length !== 0) {
          // The IBAN that a longer text begins with: that the field goes on behind it is its caller's to see.
          expect([isOne(text.slice(0, length)), length < text.length]).toEqual([true, true]);
        }
      }),
      { numRuns: 2_000, examples: [['AT26984467276256566903692']] },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  it('never accept check digits that are not issued', () => {
    for (const [valid, never] of [['GB98MIDL07009312345678', 'GB01MIDL07009312345678']] as const)
      expect([ibanFault(never) === null, valid.length]).toEqual([false, 22]);
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
        show(text);
        expect(functions['isCurrency']!(0)).toBe(isCurrency(window.bytes.toString('utf8', 0, 3)) ? 1 : 0);
        expect(functions['isCountry']!(0)).toBe(isCountry(window.bytes.toString('utf8', 0, 2)) ? 1 : 0);
      }),
    );
  });

  it('count the code points of valid UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        expect(functions['codePoints']!(0, show(text))).toBe([...text].length);
      }),
    );
  });

  it('tell valid UTF-8 up to a line feed, wherever it stands', () => {
    let valid = 0;
    const before = fc.integer({ min: 0, max: 40 }).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(before, fc.array(byte, { maxLength: 6 }), (text, list) => {
        const bytes = Buffer.concat([Buffer.from(text), Uint8Array.from(list.filter((each) => each !== 0x0a))]);
        const isValid = isUtf8(bytes);
        if (isValid && bytes.some((each) => each >= 0x80)) valid++;
        show(bytes);
        expect(functions['validLine']!(0)).toBe(isValid ? 1 : 0);
      }),
      { numRuns: 3_000 },
    );
    expect(valid).toBeGreaterThan(10);
  });
});

describe('numbers as text', () => {
  const value = fc.oneof(
    fc.integer({ min: -200, max: 200 }),
    fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
    fc.integer({ min: -(10 ** 15), max: 10 ** 15 }),
    fc.constantFrom(99_999_999, 100_000_000, 10 ** 15),
  );

  it('are written as bigint writes them, with and without a point', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 14 }), (number, scale) => {
        expect(outputText(functions['writeInteger']!(output, 0, number))).toBe(BigInt(number).toString());
        const digits = String(Math.abs(number)).padStart(scale + 1, '0');
        const text = `${number < 0 ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
        expect(outputText(functions['writeDecimal']!(output, 0, number, scale))).toBe(text);
        expect(functions['wide']!(0, show(text), scale)).toBe(number === 0 ? 0 : number);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('cells finished in place', () => {
  it('are quoted as RFC 4180 asks', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[",\r\na]{0,8}$/)), (text) => {
        const end = functions['cell']!(output, 0, write(text), 0x2c);
        const quoted = text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        expect(outputText(end)).toBe(Buffer.from(quoted, 'utf8').toString('utf8'));
      }),
    );
  });

  it('are padded to their column on the other side of their alignment', () => {
    write('ab');
    expect(outputText(functions['column']!(output, 0, 2, 4, 1, 0x2e))).toBe('ab..');
    expect(outputText(functions['column']!(output, 0, 2, 4, 0, 0x30))).toBe('00ab');
    expect(functions['column']!(output, 0, 4, 3, 0, 0x30)).toBe(-1);
  });
});

describe('letters of another case', () => {
  it('are those of Unicode for every character up to U+00FF, or the text is set aside', () => {
    for (let code = 0; code <= 0xff; code++) {
      const text = String.fromCodePoint(code);
      for (const [name, expected] of [
        ['upper', text.toUpperCase()],
        ['lower', text.toLowerCase()],
      ] as const) {
        const end = functions[name]!(0, show(text), output, 0);
        if (end >= 0) expect(outputText(end), `U+${code.toString(16)}`).toBe(expected);
        else if (code >= 0xc0) expect(['ß', 'ÿ'], text).toContain(text);
        else expect(code).toBeGreaterThanOrEqual(0x80);
      }
    }
  });

  it('are not looked for beyond', () => {
    for (const text of ['œ', 'ā', '€', '名', '😀']) expect(functions['upper']!(0, show(text), output, 0)).toBe(-1);
  });
});
