import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ebcdic, packedDecimal, zonedDecimal } from '../../../../test/support/ebcdic.ts';
import type { FormatPlan } from '../plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { compileRepair } from './compile-repair.ts';

const blocks = {
  type: 'fixed-width',
  encoding: 'ibm037',
  lineEnds: false,
  discriminator: null,
  recordLength: 17,
  shortLines: 'reject',
  skipBlankLines: true,
} as const satisfies FormatPlan;
const held = planOf({
  format: blocks,
  records: [
    recordPlan([
      fieldPlan('id', 'string', { start: 0, length: 4 }),
      fieldPlan('amount', 'decimal', { start: 4, length: 4 }, { usage: 'packed', point: 'implied' }),
      fieldPlan('fee', 'decimal', { start: 8, length: 5 }, { usage: 'zoned', point: 'implied' }),
      fieldPlan('count', 'int', { start: 13, length: 4 }, { usage: 'binary' }),
    ]),
  ],
});

function record(id: string, amount: Buffer, fee: Buffer, count: string): Buffer {
  return Buffer.concat([ebcdic(id.padEnd(4)), amount, fee, Buffer.from(count, 'hex')]);
}

describe('a repair of a record without line ends', () => {
  const broken = record('P1', Buffer.from('00012340', 'hex'), zonedDecimal('-5', 5), '00150025');

  it('writes numbers as they are held, and leaves every other byte as it was', () => {
    const { content, changes, problem } = compileRepair(held, null, { amount: "'-1234'", count: "'7'" }).apply(broken);
    expect(problem).toBeNull();
    expect(content).toEqual(record('P1', packedDecimal('-1234', 4), zonedDecimal('-5', 5), '00000007'));
    expect(changes).toEqual([
      { field: 'amount', before: '0x00012340', after: '-1234' },
      { field: 'count', before: '1376293', after: '7' },
    ]);
  });

  it('sees a signed text as it stands in the record, and writes such a one', () => {
    expect(compileRepair(held, null, { fee: "record.fee.replace('N', 'E')" }).apply(broken).content).toEqual(
      record('P1', Buffer.from('00012340', 'hex'), zonedDecimal('5', 5), '00150025'),
    );
  });

  it.each(["'12345678'", "'1.5'", "'x'", "''", "'+5'"])('is refused where the number %s has no place', (amount) => {
    expect(compileRepair(held, null, { amount }).apply(broken).problem?.code).toBe('E_REPAIR_RECORD');
  });
});

describe('a repair of text in another encoding', () => {
  const fields = ['id', 'note'].map((name, column) => fieldPlan(name, 'string', { column, header: null }, { required: false }));
  const planIn = (encoding: 'iso-8859-15' | 'ibm500') =>
    planOf({ format: { ...delimitedFormat, encoding }, records: [recordPlan(fields)] });

  it('is written in that encoding', () => {
    const { content } = compileRepair(planIn('iso-8859-15'), null, { note: "record.id + '\u20ac'" }).apply(
      Buffer.from('\u00e9,x', 'latin1'),
    );
    expect(content).toEqual(Buffer.from('\u00e9,\u00e9\u00a4', 'latin1'));
    const ofEbcdic = compileRepair(planIn('ibm500'), null, { note: "'A,B'" }).apply(ebcdic('P1,x'));
    expect(ofEbcdic.content).toEqual(ebcdic('P1,"A,B"'));
  });

  it.each([
    ['iso-8859-15', '\u0160\u4e2d'],
    ['iso-8859-15', '\u00a4'],
    ['ibm500', '\u20ac'],
    ['ibm500', '\u0085'],
  ] as const)('is refused where %s lacks a character of %j', (encoding, note) => {
    const content = encoding === 'ibm500' ? ebcdic('P1,x') : Buffer.from('P1,x');
    expect(compileRepair(planIn(encoding), null, { note: JSON.stringify(note) }).apply(content).problem?.code).toBe('E_REPAIR_RECORD');
  });
});

it('a repair of a record whose positions are characters shifts nothing', () => {
  const format: FormatPlan = {
    type: 'fixed-width',
    positions: 'characters',
    discriminator: null,
    recordLength: null,
    shortLines: 'reject',
    skipBlankLines: true,
  };
  const fields = ['a', 'b', 'c'].map((name, index) => fieldPlan(name, 'string', { start: 4 * index, length: 4 }, { required: false }));
  const plan = planOf({ format, records: [recordPlan(fields)] });
  const text = fc.string({ unit: fc.constantFrom(...'ab\u00e9\u20ac\u{1d11e}'), maxLength: 4 });
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, set) => {
      const line = (texts: readonly string[]) => Buffer.from(texts.map((each) => each + ' '.repeat(4 - Array.from(each).length)).join(''));
      expect(compileRepair(plan, null, { b: JSON.stringify(set) }).apply(line([a, b, c])).content).toEqual(line([a, set, c]));
    }),
  );
});
