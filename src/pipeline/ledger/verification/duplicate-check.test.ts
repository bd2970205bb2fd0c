import { describe, expect, it } from 'vitest';
import { exportedJob } from '../../../../test/support/exported-job.ts';
import { verified } from '../../../../test/support/verified-export.ts';
import { repeatsMax } from '../../engine/file/duplicates.ts';
import { planHashedKeys, uniqueKeys } from '../../engine/outcomes/hashed-keys.ts';
import type { Plan } from '../../engine/plan.ts';
import { call, delimitedFormat, fieldPlan, literal, planOf, recordField, recordPlan } from '../../engine/plans.fixture.ts';
import { DuplicateCheck } from './duplicate-check.ts';

const column = (index: number) => ({ column: index, header: null });
const unique = (name: string, index: number) => fieldPlan(name, 'string', column(index), { unique: 'file' });

/** What became of the file, by the engine; the verifier has to find the same. */
function jobOver(plan: Plan, lines: readonly string[]) {
  const job = exportedJob({ flow: { plan, member: Buffer.from(lines.map((line) => `${line}\n`).join('')) }, chunkBytes: 8 });
  expect(verified(job.files, plan).failures).toEqual([]);
  return job.receipt;
}

describe('a verifier agrees with the engine', () => {
  it('that values of excluded records do not count, whichever field excluded them', () => {
    const plan = planOf({ format: delimitedFormat, records: [recordPlan([unique('id', 0), unique('ref', 1)], { key: [0] })] });
    expect(jobOver(plan, ['A,x', 'A,y', 'B,y']).excluded).toBe(1);
    expect(jobOver(plan, ['A,x', 'B,x', 'B,y']).excluded).toBe(1);
  });

  it('that business keys of several names are not compared with each other', () => {
    const type = (name: string, tag: string, field: string) =>
      recordPlan([fieldPlan('tag', 'string', column(0)), unique(field, 1)], { name, tag, key: [1] });
    const records = [type('credit', 'C', 'paymentNo'), type('debit', 'D', 'mandateNo')];
    const plan = planOf({ format: { ...delimitedFormat, discriminator: 0 }, records });
    expect(jobOver(plan, ['C,1001', 'D,1001']).excluded).toBe(0);
    expect(jobOver(plan, ['C,1001', 'D,1001', 'D,1001']).excluded).toBe(1);
  });

  it('that warnings of excluded records do not count, nor begin a group', () => {
    const record = recordPlan([unique('id', 0), fieldPlan('amount', 'int', column(1))], { key: [0] });
    const assert = call('bool', 'less', recordField(record, 1), literal('int', '100'));
    const small = { id: 'small', scope: 'record', severity: 'warn', onFail: 'hold-file', code: 'AMT01', message: 'large', assert } as const;
    const plan = planOf({ format: delimitedFormat, records: [record], rules: [small] });
    const counted = (lines: readonly string[]) => {
      const { warned, warnings } = jobOver(plan, lines);
      return [warned, warnings.map(({ count, firstOffset }) => [count, firstOffset])];
    };
    expect(counted(['A,500', 'A,500', 'B,1'])).toEqual([1, [[1, 0]]]);
    expect(counted(['A,1', 'A,500', 'B,500'])).toEqual([1, [[1, 10]]]);
    expect(counted(['A,1', 'A,500'])).toEqual([0, []]);
  });
});

const twoUnique = planOf({ format: delimitedFormat, records: [recordPlan([unique('id', 0), unique('ref', 1)])] });
const recordOf = (id: string, ref: string) => ({ type: 'record', uniques: new Map(Object.entries({ id, ref })) }) as never;

it('too many repetitions are counted in records that are left out as well, and leave none out where the file is rejected for them', () => {
  for (const isRejectedForThem of [false, true]) {
    const check = new DuplicateCheck(twoUnique, isRejectedForThem);
    expect(check.take(recordOf('a', 'x0'))).toBeNull();
    let leftOut = 0;
    for (let at = 1; at <= repeatsMax; at++) if (check.take(recordOf('a', `x${at}`)) === 'id') leftOut++;
    expect(leftOut).toBe(isRejectedForThem ? 0 : repeatsMax);
    expect(check.hasTooMany).toBe(false);
    // The value of a record that may have been left out.
    check.take(recordOf('b', 'x1'));
    expect(check.hasTooMany).toBe(true);
  }
});

it('a value is one repetition, also where it is the business key of its type and a field that another type has without a key', () => {
  const type = (name: string, tag: string, key: number[]) =>
    recordPlan([fieldPlan('tag', 'string', column(0)), unique('id', 1)], { name, tag, key });
  const plan = planOf({ format: { ...delimitedFormat, discriminator: 0 }, records: [type('credit', 'C', [1]), type('debit', 'D', [])] });
  expect(jobOver(plan, ['C,1001', 'D,1001', 'C,1001']).excluded).toBe(2);
  const check = new DuplicateCheck(plan, false);
  for (let at = 0; at <= repeatsMax; at++) check.take({ type: 'credit', uniques: new Map([['id', 'a']]) } as never);
  expect(check.hasTooMany).toBe(false);
  const keys = planHashedKeys(plan);
  expect(uniqueKeys(keys).map((index) => keys[index]!.name)).toEqual(['id']);
});
