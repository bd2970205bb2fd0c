import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { randomFile } from '../reference/random-files.fixture.ts';
import { openReferenceFile } from '../reference/reference-file.ts';
import { ReferenceRun } from '../reference/reference-run.ts';
import { FileDamage } from '../reference/rows.ts';
import { memorySource } from '../runs.fixture.ts';
import { RecordFetcher } from './record-fetcher.ts';

function columnsOf(...[plan, pieces]: Parameters<typeof openReferenceFile>): readonly string[] | null {
  try {
    return openReferenceFile(plan, pieces).columns;
  } catch (error) {
    if (error instanceof FileDamage) return null;
    throw error;
  }
}

it('a record that is read again by its offset is the record that was read, and its content the bytes of the file', () => {
  let records = 0;
  fc.assert(
    fc.property(randomFile, ({ plan, bytes }) => {
      const fetcher = new RecordFetcher(compileFlow(plan), columnsOf(plan, [bytes]), memorySource(bytes));
      const ofRecords = [...new ReferenceRun(plan).records([bytes])];
      // Rules may ask for the header record, which is not read again here.
      for (const { offset, length, type, findings } of ofRecords) {
        records++;
        const judge = fetcher.fetch(offset);
        expect(plan.records[judge.type]?.name ?? null).toBe(type);
        const ofFields = ({ field, rule }: { readonly field: string | null; readonly rule: string | null }) =>
          field !== null && rule === null;
        expect(judge.findings.filter(ofFields).map(({ code, field }) => [code, field])).toEqual(
          findings.filter(ofFields).map(({ code, field }) => [code, field]),
        );
        const content = fetcher.content(offset);
        expect(content).toEqual(bytes.subarray(offset, offset + content.length));
        expect(length - content.length).toBeLessThanOrEqual(plan.format.type === 'fixed-width' && plan.format.lineEnds === false ? 0 : 2);
      }
    }),
    { numRuns: 400 },
  );
  expect(records).toBeGreaterThan(500);
});

it.each([
  ['delimited', 'P1,many,2026-13-40,maybe\n'],
  ['fixed-width', 'P1many2026-13-40maybe\n'],
  ['json-lines', '{"id":"P1","amount":"many","day":"2026-13-40","paid":"maybe"}\n'],
] as const)('a field that something is wrong with is shown as the file has it (%s)', (type, content) => {
  const names = ['id', 'amount', 'day', 'paid'];
  const places = [
    { start: 0, length: 2 },
    { start: 2, length: 4 },
    { start: 6, length: 10 },
    { start: 16, length: 5 },
  ];
  const at = (column: number) =>
    type === 'delimited' ? { column, header: names[column]! } : type === 'fixed-width' ? places[column]! : { path: [names[column]!] };
  const formats = {
    delimited: { ...delimitedFormat, header: false },
    'fixed-width': { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'reject', skipBlankLines: true },
    'json-lines': { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true },
  } as const;
  const fields = [
    fieldPlan('id', 'string', at(0), { maxLength: 1 }),
    fieldPlan('amount', 'decimal', at(1)),
    fieldPlan('day', 'date', at(2)),
    fieldPlan('paid', 'boolean', at(3)),
  ];
  const flow = compileFlow(planOf({ format: formats[type], records: [recordPlan(fields)] }));
  const judge = new RecordFetcher(flow, null, memorySource(Buffer.from(content))).fetch(0);
  expect(judge.findings.map(({ field }) => field)).toEqual(names);
  expect(judge.fieldTexts()).toEqual({ id: 'P1', amount: 'many', day: '2026-13-40', paid: 'maybe' });
});

it('a list or an object where one value is expected is shown as no text, and neither is a line that is no record', () => {
  const fields = [fieldPlan('id', 'string', { path: ['id'] }), fieldPlan('count', 'int', { path: ['count'] })];
  const format = { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true } as const;
  const content = Buffer.from('{"id":{"of":1},"count":true}\n{"id":"broken"\n');
  const fetcher = new RecordFetcher(compileFlow(planOf({ format, records: [recordPlan(fields)] })), null, memorySource(content));
  expect(fetcher.fetch(0).fieldTexts()).toEqual({ id: null, count: 'true' });
  expect(fetcher.fetch(content.indexOf('\n') + 1).fieldTexts()).toEqual({ id: null, count: null });
});
