/**
 * Prepares a plan once for all chunks of all files: what can be known without data. The generated kernel is made per
 * column order (a header row decides it) and kept.
 */
import { planSums, type SumLayout } from './amount-totals.ts';
import { type HashedKey, planHashedKeys } from './outcomes/hashed-keys.ts';
import type { Plan } from './plan.ts';

/** Most input records between two stripe ends; amounts on the fast path stay below 2^53 because of it. */
const stripeRecordsMax = 4_096;

export interface CompiledFlow {
  readonly plan: Plan;
  readonly sums: SumLayout;
  readonly hashedKeys: readonly HashedKey[];
  /** Stripes end at every multiple of this many records, so that every target's batches can be cut there. */
  readonly stripeRecords: number;
  /**
   * The record type whose field indexes expressions use. Another type's field of the same name stands in for it; a type
   * without one has the field absent.
   */
  readonly mainType: number;
}

export function compileFlow(plan: Plan): CompiledFlow {
  const mainType = plan.records.findIndex((record) => record.role === 'data');
  if (mainType < 0) throw new Error('a plan has at least one data record type');
  return {
    plan,
    sums: planSums(plan),
    hashedKeys: planHashedKeys(plan),
    stripeRecords: Math.max(1, Math.min(stripeRecordsMax, ...plan.targets.map((target) => target.batchRecords))),
    mainType,
  };
}
