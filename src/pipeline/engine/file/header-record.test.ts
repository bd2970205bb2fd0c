import { expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import { explainFile } from '../explain/explain-file.ts';
import { call, delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { runEngine, runReference } from '../reference/run-accounts.fixture.ts';
import { memorySource } from '../runs.fixture.ts';
import { checkLines } from './checked-lines.fixture.ts';
import { readHeaderRecord } from './header-record.ts';
import { RecordFetcher } from './record-fetcher.ts';

const context = { version: 1, columns: null } as const;
const at = (column: number) => ({ column, header: null });
const field = (scope: 'record' | 'header', name: string) => ({ kind: 'field', type: 'int', scope, index: 1, name }) as const;
const records = [
  recordPlan([fieldPlan('kind', 'string', at(0)), fieldPlan('amount', 'int', at(1))], { tag: 'D' }),
  recordPlan([fieldPlan('kind', 'string', at(0)), fieldPlan('most', 'int', at(1))], { name: 'head', role: 'header', tag: 'H' }),
];
const plan = planOf({
  format: { ...delimitedFormat, header: false, comment: 0x23, skipBlankLines: true, discriminator: 0 },
  records,
  rules: [
    {
      ...{ id: 'limit', scope: 'record', severity: 'error', onFail: 'hold-file', code: 'LIM01', message: 'above the limit' },
      assert: { kind: 'call', type: 'bool', name: 'lessOrEqual', arguments: [field('record', 'amount'), field('header', 'most')] },
    },
  ],
});
const flow = compileFlow(plan);

it.each([
  ['first', 'H,10\n'],
  ['behind comments and blank lines', `# noon\n\n${'#\n'.repeat(5_000)}H,10\n`],
])('the header record that is %s is read by itself, and records that are looked at again are judged with it', (_where, head) => {
  const text = `${head}D,9\nD,11\n`;
  const source = memorySource(Buffer.from(text));
  const header = readHeaderRecord(flow, { start: 0, context }, source);
  expect(header).toMatchObject({ record: 'head', offset: head.length - 'H,10\n'.length, values: { most: '10' } });
  const fetcher = new RecordFetcher(flow, null, source, header);
  expect(fetcher.fetch(head.length).findings).toEqual([]);
  expect(fetcher.fetch(text.indexOf('D,11')).findings).toMatchObject([{ code: 'LIM01', rule: 'limit' }]);
});

it.each([
  ['that begins with another record', flow, '# noon\nD,9\nH,10\n'],
  ['that holds none', flow, '# noon\n\n'],
  ['whose flow has none', compileFlow({ ...plan, records: [records[0]!], rules: [] }), 'D,9\n'],
])('of a file %s there is no header record', (_what, ofFlow, text) => {
  expect(readHeaderRecord(ofFlow, { start: 0, context }, memorySource(Buffer.from(text)))).toBeNull();
});

it.each([
  ['a record', 'x\nH,10\nD,9\nD,11\n', [1, 2, 3]],
  ['a record of its own chunk', `x${'x'.repeat(40)}\nD,9\nH,10\nD,9\n`, [1, 2, 3]],
  ['another header', 'H,10\nD,9\nH,1\nD,9\nD,11\n', [3]],
  ['comments', '# noon\n\n# and one\nH,10\nD,9\nD,11\n', [2]],
])('a header behind %s is one for the same records in chunks of any size, as for the reference', (_what, text, rejected) => {
  const bytes = Buffer.from(text);
  const expected = runReference(plan, bytes);
  expect(expected.findings.map((finding) => (finding as unknown[])[0])).toEqual(rejected);
  for (const chunkBytes of [1, 12, 1_000])
    for (const path of ['slow', 'fast'] as const)
      expect([chunkBytes, path, runEngine(plan, bytes, { chunkBytes, path, blockBytes: 64 })]).toEqual([chunkBytes, path, expected]);
  const explained = [...explainFile(plan, [bytes])].map(({ status }, index) => (status === 'rejected' ? [index + 1] : []));
  expect(explained.flat()).toEqual(rejected);
});

it('records of a file that are looked at again for a value that repeats are judged by the same header', () => {
  const [detail, head] = records;
  const unique = { ...detail!, fields: [detail!.fields[0]!, { ...detail!.fields[1]!, unique: 'file' as const }] };
  const isKnown = call('bool', 'not', call('bool', 'isNull', field('header', 'most')));
  const warned = planOf({ ...plan, records: [unique, head!], rules: [{ ...plan.rules[0]!, severity: 'warn', assert: isKnown }] });
  for (const linesPerChunk of [1, 2, 4]) {
    const { summary, check } = checkLines(warned, ['D,1', 'H,10', 'D,9', 'D,9'], linesPerChunk);
    expect([check.excluded, summary.warned, summary.warnings.map(({ count }) => count)]).toEqual([1, 2, [2]]);
  }
});
