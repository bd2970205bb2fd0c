import { describe, expect, it } from 'vitest';
import type { FieldPlan, FixedWidthPlan, Plan } from '../../src/pipeline/engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { ReferenceRun } from '../../src/pipeline/engine/reference/reference-run.ts';
import { runInMemory } from '../../src/pipeline/engine/runs.fixture.ts';
import { ebcdic, packedDecimal, zonedDecimal } from '../support/ebcdic.ts';

/** What becomes of each record, by each of the three readers of records: its output as it was written, or the codes of its findings. */
function outcomes(plan: Plan, bytes: Buffer): string[][] {
  const ofEngine = (['fast', 'slow'] as const).map((path) => {
    const { targets, findings, summary } = runInMemory({ plan, bytes }, { path });
    const lines = targets[0]!.toString('utf8').trimEnd().split('\n');
    const codes = Map.groupBy(findings, ({ record }) => record);
    const numbers = Array.from({ length: summary.records.read }, (_, index) => index + 1);
    return numbers.map(
      (number) =>
        codes
          .get(number)
          ?.map(({ code }) => code)
          .join() ?? lines.shift()!,
    );
  });
  const ofReference = [...new ReferenceRun(plan).records([bytes])].map(
    ({ findings, outputs }) => findings.map(({ code }) => code).join() || Buffer.from(outputs.get(0)!).toString('utf8').trimEnd(),
  );
  return [...ofEngine, ofReference];
}

const thrice = <T>(answer: T) => [answer, answer, answer];

const fields: readonly FieldPlan[] = [
  fieldPlan('id', 'string', { start: 0, length: 2 }),
  fieldPlan('amount', 'decimal', { start: 2, length: 3 }, { usage: 'packed', point: 'implied' }),
  fieldPlan('fee', 'decimal', { start: 5, length: 3 }, { usage: 'zoned', point: 'implied', required: false }),
];
const blocks: FixedWidthPlan = {
  type: 'fixed-width',
  encoding: 'ibm037',
  lineEnds: false,
  discriminator: null,
  recordLength: 8,
  shortLines: 'reject',
  skipBlankLines: true,
};
const plan = planOf({ format: blocks, records: [recordPlan(fields)], targets: [targetPlan('out')] });
const record = (amount: Buffer, fee = zonedDecimal('150', 3), id = ebcdic('P1')) => Buffer.concat([id, amount, fee]);
const hex = (digits: string) => Buffer.from(digits, 'hex');
const sound = record(packedDecimal('-1234', 3));
const soundLine = '{"id":"P1","amount":"-12.34","fee":"1.50"}';

describe('numbers of a mainframe (B9)', () => {
  it.each([
    ['of every sign code that is a minus', record(hex('01234b')), soundLine],
    ['without a fee', record(hex('01234d'), ebcdic('   ')), '{"id":"P1","amount":"-12.34","fee":null}'],
    ['of spaces, which a program never set', record(ebcdic('   ')), 'E_PACKED'],
    ['of zero bytes, which a program never set', record(Buffer.alloc(3)), 'E_PACKED'],
    ['with a digit for its sign', record(hex('012345')), 'E_PACKED'],
    ['with a half byte that is no digit', record(hex('01a34c')), 'E_PACKED'],
    ['of digits that are text', record(ebcdic('123')), 'E_PACKED'],
    ['with a letter among zoned digits', record(hex('01234d'), ebcdic('1X0')), 'E_ZONED'],
    ['with a zone that is no sign', record(hex('01234d'), hex('f1f280')), 'E_ZONED'],
    ['with NUL where text is', record(hex('01234d'), zonedDecimal('150', 3), hex('d700')), 'E_CHARACTER'],
  ])('a record %s', (_what, bytes, expected) => {
    expect(outcomes(plan, Buffer.concat([sound, bytes, sound]))).toEqual(thrice([soundLine, expected, soundLine]));
  });

  it('a last record that is cut is refused, and so is a byte behind the last', () => {
    for (const left of [1, 7])
      expect(outcomes(plan, Buffer.concat([sound, sound.subarray(0, left)]))).toEqual(thrice([soundLine, 'E_WIDTH']));
  });

  it('a line end that recordLength counts is part of every record', () => {
    const counted = planOf({ format: { ...blocks, recordLength: 10 }, records: [recordPlan(fields)], targets: [targetPlan('out')] });
    const lines = Buffer.concat([sound, ebcdic('\r\n'), record(hex('012345')), ebcdic('\r\n'), sound, ebcdic('\r\n')]);
    expect(outcomes(counted, lines)).toEqual(thrice([soundLine, 'E_PACKED', soundLine]));
  });

  it('line ends between records without line ends shift every record, and none of them is taken', () => {
    const shifted = Buffer.concat([sound, ebcdic('\n'), sound, ebcdic('\n'), sound]);
    const [fast, slow, reference] = outcomes(plan, shifted);
    expect(fast!.slice(1).filter((answer) => !answer.startsWith('E_'))).toEqual([]);
    expect([slow, reference]).toEqual([fast, fast]);
  });
});

describe('bytes of another encoding (B8)', () => {
  const text = planOf({
    format: { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'reject', skipBlankLines: true },
    records: [recordPlan([fieldPlan('name', 'string', { start: 0, length: 3 })])],
    targets: [targetPlan('out')],
  });
  const inEncoding = (encoding: 'windows-1252' | 'iso-8859-15' | 'ibm500') => ({ ...text, format: { ...text.format, encoding } }) as Plan;

  it.each([
    ['windows-1252', '4181420a', 'E_ENCODING'],
    ['windows-1252', '4180420a', '{"name":"A\u20acB"}'],
    ['iso-8859-15', '41a4420a', '{"name":"A\u20acB"}'],
    ['iso-8859-15', '4181420a', '{"name":"A\u0081B"}'],
    ['ibm500', 'c14ac225', '{"name":"A[B"}'],
    ['ibm500', 'c1c2c3c415', 'E_WIDTH'],
  ] as const)('a line of %s in hexadecimal, %s', (encoding, line, expected) => {
    expect(outcomes(inEncoding(encoding), hex(line))).toEqual(thrice([expected]));
  });

  it('bytes that would be a letter of UTF-8 too are the letters of their own encoding', () => {
    const delimited = planOf({
      format: { ...delimitedFormat, encoding: 'iso-8859-1' },
      records: [
        recordPlan([fieldPlan('name', 'string', { column: 0, header: null }), fieldPlan('kind', 'string', { column: 1, header: null })]),
      ],
      targets: [targetPlan('out')],
    });
    const lines = hex('41c3a9422c580a41422cc3a90a41422c580a');
    const taken = ['{"name":"A\u00c3\u00a9B","kind":"X"}', '{"name":"AB","kind":"\u00c3\u00a9"}', '{"name":"AB","kind":"X"}'];
    expect(outcomes(delimited, lines)).toEqual(thrice(taken));
  });

  it('a letter of several bytes takes one place where positions are characters', () => {
    const byCharacters = { ...text, format: { ...text.format, positions: 'characters' } } as Plan;
    const lines = Buffer.from('A\u20acB\nA\u{1d11e}B\nA\u20acBC\nA\u20ac\n');
    const taken = ['{"name":"A\u20acB"}', '{"name":"A\u{1d11e}B"}', 'E_WIDTH', 'E_WIDTH'];
    expect(outcomes(byCharacters, lines)).toEqual(thrice(taken));
    expect(outcomes(text, lines)).toEqual(thrice(['E_WIDTH', 'E_WIDTH', 'E_WIDTH', 'E_WIDTH']));
  });
});
