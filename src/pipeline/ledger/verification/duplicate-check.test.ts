import { expect, it } from 'vitest';
import { repeatsMax } from '../../engine/file/duplicates.ts';
import { fieldPlan, planOf, recordPlan } from '../../engine/plans.fixture.ts';
import { DuplicateCheck } from './duplicate-check.ts';

const at = (column: number) => ({ column, header: null });
const plan = planOf({
  records: [recordPlan([fieldPlan('id', 'string', at(0), { unique: 'file' }), fieldPlan('ref', 'string', at(1), { unique: 'file' })])],
});
const recordOf = (id: string, ref: string) => ({ type: 'record', uniques: new Map(Object.entries({ id, ref })) }) as never;

it('too many repetitions are counted in records that are left out as well, and leave none out where the file is rejected for them', () => {
  for (const isRejectedForThem of [false, true]) {
    const check = new DuplicateCheck(plan, isRejectedForThem);
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
