import { describe, expect, it } from 'vitest';
import type { FieldPlan, FieldType, Plan } from '../../src/pipeline/engine/plan.ts';
import { fieldPlan, planOf, recordPlan, targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { ReferenceRun } from '../../src/pipeline/engine/reference/reference-run.ts';
import { runInMemory } from '../../src/pipeline/engine/runs.fixture.ts';

/** What becomes of one line, by each of the three readers of records: its output as it was written, or the code of its finding. */
function outcomes(plan: Plan, line: Buffer): string[] {
  const bytes = Buffer.concat([line, Buffer.from('\n')]);
  const answer = (codes: readonly string[], output: Uint8Array | undefined) =>
    codes.length > 0
      ? codes.join()
      : Buffer.from(output ?? [])
          .toString('utf8')
          .trimEnd();
  const ofEngine = (['fast', 'slow'] as const).map((path) => {
    const { targets, findings } = runInMemory({ plan, bytes }, { path });
    return answer(
      findings.map(({ code }) => code),
      targets[0],
    );
  });
  const [record] = [...new ReferenceRun(plan).records([bytes])];
  return [
    ...ofEngine,
    answer(
      record!.findings.map(({ code }) => code),
      record!.outputs.get(0) ?? undefined,
    ),
  ];
}

const thrice = (answer: string) => [answer, answer, answer];

describe('JSON (B6)', () => {
  const planFor = (type: FieldType, more: Partial<FieldPlan> = {}) =>
    planOf({
      format: { type: 'json-lines' } as Plan['format'],
      records: [recordPlan([fieldPlan('value', type, { path: ['value'] }, more)])],
      targets: [targetPlan('out')],
    });

  it.each([
    ['1e400', 'E_DECIMAL'],
    ['1e2', 'E_DECIMAL'],
    ['1E2', 'E_DECIMAL'],
    ['-0', '{"value":"0.00"}'],
    ['-0.0', '{"value":"0.00"}'],
    ['123456789012345678901234567890.12', '{"value":"123456789012345678901234567890.12"}'],
    ['0.1', '{"value":"0.10"}'],
    ['0.123', 'E_DECIMAL'],
    ['9007199254740993', '{"value":"9007199254740993.00"}'],
    ['true', 'E_TYPE'],
    ['[1]', 'E_TYPE'],
    ['{"a":1}', 'E_TYPE'],
  ])('the number %s of an amount is exact or refused, by every reader', (text, expected) => {
    expect(outcomes(planFor('decimal', { scale: 2 }), Buffer.from(`{"value":${text}}`))).toEqual(thrice(expected));
  });

  it.each(['NaN', 'Infinity', '-Infinity', '+1', '01', '.5', '1.', '0x10', '1_000', "'1'", '1e', '--1', 'undefined', '1 2', ''])(
    '%j for a value is no JSON, by every reader',
    (text) => {
      expect(outcomes(planFor('decimal', { scale: 2 }), Buffer.from(`{"value":${text}}`))).toEqual(thrice('E_JSON'));
    },
  );

  it('an object of more than 10,000 keys is refused, by every reader, at any level', () => {
    const keys = (count: number) => Array.from({ length: count }, (_, key) => `"k${key}":1`).join();
    const read = (line: string) => outcomes(planFor('string'), Buffer.from(line));
    expect(read(`{"value":"a",${keys(9_999)}}`)).toEqual(thrice('{"value":"a"}'));
    expect(read(`{"value":"a","x":{${keys(10_000)}}}`)).toEqual(thrice('{"value":"a"}'));
    expect(read(`{"value":"a",${keys(10_000)}}`)).toEqual(thrice('E_JSON'));
    expect(read(`{"value":"a","x":{${keys(10_001)}}}`)).toEqual(thrice('E_JSON'));
  });

  it.each([
    ['{"value":"a","value":"b"}', 'E_DUPKEY'],
    ['{"value":"a","v\\u0061lue":"b"}', 'E_DUPKEY'],
    ['{"value":"a","x":{"y":1,"y":2}}', 'E_DUPKEY'],
    ['{"value":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', '{"value":"a"}'],
    ['{"__proto__":{"value":"stolen"}}', 'E_REQUIRED'],
    ['{"value":"\\ud800"}', 'E_JSON'],
    ['{"value":"\\ud83d\\ude00"}', '{"value":"\u{1f600}"}'],
    ['{"value":"a",}', 'E_JSON'],
    ['{"value":"a"} {}', 'E_JSON'],
    ['{"value":"a"}//', 'E_JSON'],
    ['[{"value":"a"}]', 'E_JSON'],
    ['"value"', 'E_JSON'],
    ['null', 'E_JSON'],
  ])('%s is %s, by every reader', (line, expected) => {
    expect(outcomes(planFor('string'), Buffer.from(line))).toEqual(thrice(expected));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('nested deeper than 64 levels is refused without a stack that overflows (B5)', () => {
    for (const depth of [65, 100_000]) {
      const line = `{"value":"a","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
      expect(outcomes(planFor('string'), Buffer.from(line))).toEqual(thrice('E_DEPTH'));
    }
  });
});

describe('fixed width (B9)', () => {
  const fields = [
    fieldPlan('id', 'string', { start: 0, length: 3 }),
    fieldPlan('name', 'string', { start: 3, length: 4 }),
    fieldPlan('amount', 'decimal', { start: 7, length: 5 }, { scale: 2, point: 'implied' }),
  ];
  const format = { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'reject', skipBlankLines: true } as const;
  const plan = planOf({ format, records: [recordPlan(fields)], targets: [targetPlan('out')] });

  it.each([
    ['of its width', 'P01Anna00150', '{"id":"P01","name":"Anna","amount":"1.50"}'],
    ['with a letter of two bytes that fits', 'P01Ann\u00e900150', 'E_WIDTH'],
    ['where a letter of two bytes takes two places', 'P01An\u00e900150', '{"id":"P01","name":"An\u00e9","amount":"1.50"}'],
    ['one byte short', 'P01Anna0015', 'E_WIDTH'],
    ['one byte long', 'P01Anna001500', 'E_WIDTH'],
    ['with a sign over the last digit', 'P01Anna0015}', 'E_DECIMAL'],
    ['with a sign over the first digit', 'P01Anna{0150', 'E_DECIMAL'],
    ['with digits of another script', 'P01Anna\u06611\u0661', 'E_DECIMAL'],
  ])('a line %s', (_what, line, expected) => {
    expect(outcomes(plan, Buffer.from(line))).toEqual(thrice(expected));
  });

  it('a letter that the border of a field cuts is refused', () => {
    expect(outcomes(plan, Buffer.concat([Buffer.from('P01Ann'), Buffer.from('\u00e9'), Buffer.from('0150')]))).toEqual(thrice('E_WIDTH'));
  });

  it('packed digits are no digits of an amount', () => {
    const packed = Buffer.concat([Buffer.from('P01Anna'), Buffer.from([0x00, 0x01, 0x50, 0x0c, 0x20])]);
    for (const answer of outcomes(plan, packed)) expect(answer).toMatch(/^E_(CHARACTER|DECIMAL)/);
  });
});
