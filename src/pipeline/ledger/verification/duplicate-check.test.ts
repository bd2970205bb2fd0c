import { describe, expect, it } from 'vitest';
import { exportedJob } from '../../../../test/support/exported-job.ts';
import { verified } from '../../../../test/support/verified-export.ts';
import type { Plan } from '../../engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../engine/plans.fixture.ts';

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
});
