import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ebcdic } from '../../../../test/support/ebcdic.ts';
import type { FieldPlan, FormatPlan } from '../plan.ts';
import { receivedTable, translated, windowTable } from '../records/window-bytes.ts';
import { createSignedReader, readHeldBytes, writeHeldBytes } from './held-numbers.ts';

const inEbcdic = { type: 'fixed-width', encoding: 'ibm037', lineEnds: false } as FormatPlan;
const received = receivedTable(inEbcdic);

function readBytes(usage: 'packed' | 'binary', hex: string): string | null {
  const bytes = Buffer.from(hex, 'hex');
  const ofWindow = translated(bytes, windowTable(inEbcdic));
  const answers = [
    readHeldBytes(usage, bytes, { start: 0, end: bytes.length, received: null }),
    readHeldBytes(usage, ofWindow, { start: 0, end: bytes.length, received }),
  ];
  expect(answers[1]).toBe(answers[0]);
  return answers[0]!;
}

describe('a packed decimal', () => {
  it.each([
    ['12345c', '12345'],
    ['12345d', '-12345'],
    ['12345f', '12345'],
    ['12345a', '12345'],
    ['12345e', '12345'],
    ['12345b', '-12345'],
    ['0c', '0'],
    ['000d', '-000'],
    ['9999999999999999999c', '9999999999999999999'],
  ])('%s is %s, in every encoding', (hex, digits) => {
    expect(readBytes('packed', hex)).toBe(digits);
  });

  it.each(['123450', '123459', '1a345c', 'f2345c', '12c45c', '404040', '000000', 'ffffff'])('%s is none', (hex) => {
    expect(readBytes('packed', hex)).toBeNull();
  });
});

it.each([
  ['0000', '0'],
  ['7fff', '32767'],
  ['8000', '-32768'],
  ['ffff', '-1'],
  ['00000100', '256'],
  ['fffffffffffffffe', '-2'],
])('the binary number %s is %s', (hex, digits) => {
  expect(readBytes('binary', hex)).toBe(digits);
});

it('what is written of a number in bytes is read as that number, and what does not fit is not written', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.constantFrom('packed', 'binary'),
      fc.constantFrom(2, 4, 8),
      (value, usage, length) => {
        const written = writeHeldBytes(usage, String(value), length);
        const limit = usage === 'packed' ? 10n ** BigInt(2 * length - 1) : 2n ** BigInt(8 * length - 1);
        const fits = value < limit && value >= (usage === 'packed' ? 1n - limit : -limit);
        expect(written !== null).toBe(fits);
        if (written !== null) expect(BigInt(readBytes(usage, written.toString('hex'))!)).toBe(value);
      },
    ),
  );
  expect(['', 'x', '1.5', '+1'].map((text) => writeHeldBytes('packed', text, 4))).toEqual([null, null, null, null]);
});

function signed(form: Pick<FieldPlan, 'usage' | 'sign'>, text: string, table: Uint8Array | null = null): string | null {
  return createSignedReader(form, table)!(text);
}

describe('an overpunched number', () => {
  it.each([
    ['12{', '120'],
    ['12A', '121'],
    ['12I', '129'],
    ['12}', '-120'],
    ['12J', '-121'],
    ['12R', '-129'],
    ['123', '123'],
    ['J', '-1'],
  ])('%s is %s, and with the sign leading the same backwards', (text, digits) => {
    expect(signed({ usage: 'overpunch' }, text)).toBe(digits);
    const backwards = (all: string) => [...all].reverse().join('');
    const expected = digits.startsWith('-') ? `-${backwards(digits.slice(1))}` : backwards(digits);
    expect(signed({ usage: 'overpunch', sign: 'leading' }, backwards(text))).toBe(expected);
  });

  it.each(['12S', '1{2', 'A12', '12p', '1 2', '-12', '12-', '{{'])('%s is none', (text) => {
    expect(signed({ usage: 'overpunch' }, text)).toBeNull();
  });
});

describe('a zoned decimal', () => {
  it.each([
    ['f1f2c3', '123'],
    ['f1f2d3', '-123'],
    ['f1f2f3', '123'],
    ['f1f2a3', '123'],
    ['f1f2e3', '123'],
    ['f1f2b3', '-123'],
  ])('of EBCDIC is told by the zone of its sign: %s is %s', (hex, digits) => {
    expect(signed({ usage: 'zoned' }, translated(Buffer.from(hex, 'hex'), windowTable(inEbcdic)).toString('latin1'), received)).toBe(
      digits,
    );
  });

  it.each(['f1f203', 'f1f243', 'f1f2da', 'c1f2c3', 'f140c3'])('of EBCDIC is none where a zone or a digit is not one: %s', (hex) => {
    expect(signed({ usage: 'zoned' }, translated(Buffer.from(hex, 'hex'), windowTable(inEbcdic)).toString('latin1'), received)).toBeNull();
  });

  it('of EBCDIC reads what is overpunched there', () => {
    const text = translated(ebcdic('12}'), windowTable(inEbcdic)).toString('latin1');
    expect([signed({ usage: 'zoned' }, text, received), signed({ usage: 'overpunch' }, text, received)]).toEqual(['-120', '-120']);
  });

  it('of ASCII has a negative digit as a letter from p to y', () => {
    expect(['123', '12p', '12s', '12y', '12z', '12C'].map((text) => signed({ usage: 'zoned' }, text))).toEqual([
      '123',
      '-120',
      '-123',
      '-129',
      null,
      null,
    ]);
  });
});

it.each([
  ['leading-separate', '+12', '12'],
  ['leading-separate', '-12', '-12'],
  ['leading-separate', '12', null],
  ['leading-separate', '-', null],
  ['trailing-separate', '12-', '-12'],
  ['trailing-separate', '12+', '12'],
  ['trailing-separate', '-12-', null],
] as const)('a sign that is %s of its digits: %s is %s', (sign, text, digits) => {
  expect(signed({ usage: 'zoned', sign }, text)).toBe(digits);
  expect(signed({ usage: 'overpunch', sign }, text)).toBe(digits);
});
