import { describe, expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../engine/plans.fixture.ts';
import { redrivePlan } from '../../engine/redrive-plan.ts';
import type { Receipt } from '../receipt.ts';
import type { RecomputedFile } from './record-check.ts';
import { checkVerdict } from './verdict-check.ts';
import { VerificationLog } from './verification-report.ts';

const at = (column: number) => ({ column, header: null });
const header = recordPlan([fieldPlan('count', 'int', at(1)), fieldPlan('account', 'string', at(2), { mask: 'last4' })], {
  name: 'header',
  role: 'header',
  tag: 'H',
});
const detail = recordPlan([fieldPlan('id', 'string', at(1))], { tag: 'D' });
const plan = planOf({ format: { ...delimitedFormat, discriminator: 0 }, records: [header, detail] });
const missing = { verdict: 'held', code: 'E_TRUNCATED', rule: null, message: 'the header record is missing' } as const;
const release = { kind: 'release', reason: 'known', actor: 'key:ops', eventId: 'e', at: '2026-01-31T08:00:00Z' } as const;

/** A file of one record, without a header. */
const file = {
  hasTooManyRepeats: false,
  totals: {
    records: { read: 1, valid: 1, rejected: 0, filtered: 0 },
    amounts: { read: {} },
    byType: { record: 1 },
    rejectedMagnitudes: {},
    damage: [],
    header: null,
    trailer: null,
  },
} as unknown as RecomputedFile;

function failures(of: typeof plan, stated: Pick<Receipt, 'reasons'> & { decision?: Receipt['job']['decision'] }) {
  const log = new VerificationLog();
  const receipt = {
    reasons: stated.reasons,
    controlTotals: { declared: {}, computed: { records: '1' }, balanced: null },
    job: { verdict: 'accepted', state: 'completed', decision: stated.decision ?? null },
    targets: [],
    batches: { count: 1 },
  } as unknown as Receipt;
  checkVerdict(of, file, receipt, log);
  return log.report().failures.map(({ at }) => at);
}

describe('a header that is missing', () => {
  it('holds a file, and a receipt that does not say so is found out', () => {
    expect(failures(plan, { reasons: [missing], decision: release })).toEqual([]);
    expect(failures(plan, { reasons: [] })).toEqual(['reasons', 'verdict']);
  });

  it('holds no records that are sent again; a receipt of a version that held them for it is sound', () => {
    const redriven = redrivePlan(plan, null);
    expect(failures(redriven, { reasons: [] })).toEqual([]);
    expect(failures(redriven, { reasons: [missing], decision: release })).toEqual([]);
    expect(failures(redriven, { reasons: [missing] })).toEqual(['verdict']);
    expect(failures(redriven, { reasons: [{ ...missing, code: 'E_OTHER' }], decision: release })).toEqual(['reasons', 'verdict']);
  });
});
