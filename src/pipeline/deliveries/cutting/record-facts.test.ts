import { expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../engine/plans.fixture.ts';
import { memorySource } from '../../engine/runs.fixture.ts';
import { hasUniqueKey, RecordFacts } from './record-facts.ts';

const column = (index: number) => ({ column: index, header: null });
const type = (name: string, tag: string, field: string) =>
  recordPlan([fieldPlan('tag', 'string', column(0)), fieldPlan(field, 'string', column(1), { unique: 'file' })], { name, tag, key: [1] });
const identities = (debitKey: string) => {
  const records = [type('credit', 'C', 'paymentNo'), type('debit', 'D', debitKey)];
  const plan = planOf({ format: { ...delimitedFormat, discriminator: 0 }, records });
  const facts = new RecordFacts(plan, null, memorySource(Buffer.from('C,1001\nD,1001\n')));
  const routed = [0, 7].map((offset, index) => ({ record: index + 1, offset, targets: [0] }));
  return { isUnique: hasUniqueKey(plan), found: routed.map((one) => [facts.identity(one), facts.orderKey(one)]) };
};

it('records are known by their business key only where no two of a file can have the same, and ordered by it either way', () => {
  const key = ['1001'];
  expect(identities('mandateNo')).toEqual({
    isUnique: false,
    found: [
      [{ record: 1 }, key],
      [{ record: 2 }, key],
    ],
  });
  // Here the second record is excluded: its key is the first one's.
  expect(identities('paymentNo')).toEqual({
    isUnique: true,
    found: [
      [{ key }, key],
      [{ key }, key],
    ],
  });
});
