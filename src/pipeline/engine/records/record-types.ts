/** Which record type a tag names. One type without a tag takes every record. */
import { structureErrors } from '../engine-errors.ts';
import type { Plan } from '../plan.ts';
import type { StructureProblem } from './structure-problem.ts';

export const unknownTag: StructureProblem = { code: structureErrors.E_TAG, message: 'unknown record type' };

/** Index into `plan.records`, or -1. */
export type TypeFinder = (tag: string | null) => number;

export function createTypeFinder(plan: Plan, normalize: (tag: string) => string = (tag) => tag): TypeFinder {
  if (isUntagged(plan)) return () => 0;
  const byTag = new Map(plan.records.map((record, index) => [normalize(record.tag ?? ''), index]));
  return (tag) => (tag === null ? -1 : (byTag.get(tag) ?? -1));
}

/** One record type without tag: the discriminator is not looked at. */
export function isUntagged(plan: Plan): boolean {
  return plan.records.length === 1 && plan.records[0]!.tag === null;
}
