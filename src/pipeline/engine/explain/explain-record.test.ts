import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { paymentsPlan } from '../plans.fixture.ts';
import { randomFile } from '../reference/random-files.fixture.ts';
import { ReferenceRun } from '../reference/reference-run.ts';
import { explainRecord, type RecordExplanation } from './explain-record.ts';
import { bytesOfLines, expectedHeaderRow, findRecord } from './find-record.ts';

describe('an explanation', () => {
  it('decides about every record as the reference parser does, and its steps lead to that decision', () => {
    fc.assert(
      fc.property(randomFile, ({ plan, bytes }) => {
        for (const record of new ReferenceRun(plan).records([bytes])) {
          const found = findRecord(plan, [bytes], record.record);
          if ('records' in found) throw new Error(`record ${record.record} was not found`);
          expect([found.row.offset, found.row.length]).toEqual([record.offset, record.length]);
          const explanation = explainRecord(plan, found.row, found);
          const { type, status, findings } = explanation;
          expect({ type, status }).toEqual({ type: record.type, status: record.status });
          expect(findings.map(({ code, field, rule }) => ({ code, field, rule }))).toEqual(
            record.findings.map(({ code, field, rule }) => ({ code, field, rule })),
          );
          expect(explanation.routes).toEqual(record.routes.map((index) => plan.targets[index]!.id));
          if (status === 'valid') expect(targetsOfSteps(explanation)).toEqual(new Set(explanation.routes));
          if (status === 'filtered') expect(reached(explanation).some(({ effect }) => effect.startsWith('leaves'))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function reached({ steps }: RecordExplanation) {
  return steps.filter(({ isReached }) => isReached);
}

function targetsOfSteps(explanation: RecordExplanation): Set<string> {
  const goes = reached(explanation).flatMap(({ step, effect }) =>
    step === 'route' && effect.startsWith('goes to ') ? [effect.slice(8)] : [],
  );
  return new Set(goes.flatMap((names) => names.split(', ')));
}

test('a record beyond the end of a file is not found, and the answer says how many there are', () => {
  fc.assert(
    fc.property(randomFile, ({ plan, bytes }) => {
      const records = [...new ReferenceRun(plan).records([bytes])].length;
      const found = findRecord(plan, [bytes], records + 1);
      expect(found).toMatchObject({ records: 'records' in found && found.damage !== null ? found.records : records });
    }),
  );
});

test('the header row that is expected names the columns of the flow, so that a pasted line can be read', () => {
  fc.assert(
    fc.property(randomFile, ({ plan }) => {
      const row = expectedHeaderRow(plan);
      expect(row !== null).toBe(plan.format.type === 'delimited' && plan.format.header);
      if (row === null) return;
      // Without quotes there is no row of a name that holds the delimiter.
      const { delimiter, quote } = plan.format as { delimiter: number; quote: number | null };
      const mark = String.fromCharCode(delimiter);
      const hasMark = plan.records
        .flatMap(({ fields }) => fields)
        .some(({ name, at }) => ('column' in at && at.header ? at.header : name).includes(mark));
      fc.pre(quote !== null || !hasMark);
      const found = findRecord(plan, [bytesOfLines(plan.format, [row, 'x'])!], null);
      const names = plan.records.flatMap(({ fields }) => fields).map(({ name, at }) => ('column' in at && at.header) || name);
      expect('columns' in found && found.columns).toEqual([...new Set(names)]);
    }),
  );
});

test('a file whose header row lacks columns has no record, and the answer names each of them and what else is wrong with the row', () => {
  const row = 'id,valueDate,debtorIban,creditorIban,id,currency,country,name,reference,info\n';
  const found = findRecord(paymentsPlan(), [Buffer.from(row)], 1);
  expect(found).toEqual({
    records: 0,
    damage:
      'E_COLUMN_DUPLICATE: columns 1 and 5 of the header row have the same name; E_COLUMN_MISSING: the header row has no column "amount", "channel"',
  });
});
