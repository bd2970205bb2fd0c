import { expect, it } from 'vitest';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { convert, expectSameByEveryPath, packFlow } from '../support/pack-flows.ts';

/** More than a line has room for. */
const warnings = 30;

const payment = sampleBatches.CTX.entries[0]!;
const remittance = Array.from({ length: warnings }, () => ['addenda05', { paymentRelatedInformation: 'R\u00e9f' }] as const);

const crowded = achFile({ ...sampleBatches.CTX, entries: [{ ...payment, addenda: remittance }] });

const statement = (lastLine: string): string =>
  [
    ':20:S',
    ':25:A/1',
    ':28C:1/1',
    ':60F:C260102EUR1,00',
    ':61:2601020102C1,00NTRFNONREF',
    ...Array.from({ length: warnings }, () => ':86:x'),
    `:86:${lastLine}`,
    ':62F:C260102EUR2,00',
    '-',
    '',
  ].join('\r\n');

const files: readonly (readonly [what: string, flow: string, good: string, bad: string, rule: string])[] = [
  [
    'an entry of ACH whose number of addenda is wrong',
    '{ type: nacha }',
    crowded.put('entryDetail', 54, '0030').text(),
    achFile({ ...sampleBatches.CTX, entries: [{ ...payment, addenda: remittance }] })
      .put('entryDetail', 54, '0003')
      .text(),
    'addenda-count-field',
  ],
  [
    'an entry of a statement with a control character',
    '{ type: swift-mt, messages: statements }',
    statement('x'),
    statement('x\u0001'),
    'control-character',
  ],
];

it.each(files)('is rejected for its error though many warnings come before it: %s', async (_, format, good, bad, rule) => {
  const plan = packFlow(format);
  const rejected = async (text: string) => {
    const { lines, damage } = await convert(plan, Buffer.from(text, 'utf8'));
    expect(damage).toEqual([]);
    return expectSameByEveryPath(plan, lines).findings;
  };
  expect(await rejected(good)).toEqual([]);
  expect(JSON.stringify(await rejected(bad))).toContain(rule);
});
