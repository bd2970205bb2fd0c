/** The acceptance policy of a flow: how much of a file may be invalid, in records, ratio or money, before it is held or rejected. */
import type { FieldAmounts, RecordCounts } from '../chunk.ts';
import { fileErrors } from '../engine-errors.ts';
import { compareNumbers, parseDecimal } from '../expressions/values.ts';
import type { AcceptancePlan } from '../plan.ts';
import type { FileReason } from './file-verdict.ts';

export interface InvalidTotals {
  /** Excluded records count as rejected. */
  readonly records: RecordCounts;
  /** Read ones that count as records of the file (`countedRecords`). */
  readonly counted: number;
  /** Amounts of the rejected records, each without its sign: a credit does not make up for a debit. */
  readonly rejectedMagnitudes: FieldAmounts;
  /** A damaged file of which nothing could be read is not an empty one. */
  readonly isDamaged: boolean;
}

/** Empty when the policy lets the file through. Unreadable amounts can't be compared; the counts limit them. */
export function acceptanceReasons(policy: AcceptancePlan, totals: InvalidTotals): FileReason[] {
  const { records, counted } = totals;
  if (counted === 0) {
    return policy.emptyFile === 'accept' || totals.isDamaged
      ? []
      : [{ verdict: 'rejected', code: fileErrors.E_EMPTY, rule: null, message: 'the file holds no data record' }];
  }
  const exceeded = policy.mode === 'all-or-nothing' ? strictLimits(records, counted) : partialLimits(policy, totals);
  const verdict = policy.onExceed === 'reject' ? 'rejected' : 'held';
  return exceeded.map((message) => ({ verdict, code: fileErrors.E_ACCEPTANCE, rule: null, message }));
}

function strictLimits(records: RecordCounts, counted: number): string[] {
  return records.rejected > 0 ? [`${records.rejected} of ${counted} records are invalid and the flow accepts none`] : [];
}

function partialLimits(policy: AcceptancePlan, { records, counted, rejectedMagnitudes }: InvalidTotals): string[] {
  const exceeded: string[] = [];
  if (policy.maxInvalid !== null && records.rejected > policy.maxInvalid) {
    exceeded.push(`${records.rejected} records are invalid, more than ${policy.maxInvalid}`);
  }
  if (policy.maxInvalidRatio !== null && records.rejected / counted > policy.maxInvalidRatio) {
    exceeded.push(`${records.rejected} of ${counted} records are invalid, more than the ratio ${policy.maxInvalidRatio}`);
  }
  for (const [currency, limit] of Object.entries(policy.maxInvalidAmount ?? {})) {
    for (const [field, { scale, byCurrency }] of Object.entries(rejectedMagnitudes)) {
      const unscaled = BigInt(Object.hasOwn(byCurrency, currency) ? byCurrency[currency]! : '0');
      if (compareNumbers({ unscaled, scale }, parseDecimal(limit)) > 0) {
        exceeded.push(`the invalid ${currency} of field ${JSON.stringify(field)} are more than ${limit}`);
      }
    }
  }
  return exceeded;
}
