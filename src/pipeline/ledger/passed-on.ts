/** How much of a file went on to its targets, as its sender is told: in records, not by target. */
import type { Receipt } from './receipt.ts';

/** Records by id of a target that were not seen to arrive there, but may have: nobody knows how an attempt at them ended. */
export type UnknownRecords = ReadonlyMap<string, number>;

export interface PassedOn {
  readonly records: number;
  /** Refused by a target, given up, or withdrawn by a person. */
  readonly keptBack: number;
  /** Of those. */
  readonly unknown: number;
  /** False: targets get the same records, so that these are the figures of the target with most of them, and there may be more. */
  readonly isExact: boolean;
}

/** Every valid record goes to one target at least, so that each goes to one where targets get as many as there are. */
export function passedOnOf({ records, targets }: Pick<Receipt, 'records' | 'targets'>, unknown: UnknownRecords): PassedOn {
  const isExact = sum(targets.map(({ routed }) => routed.records)) === records.valid;
  const total = isExact ? sum : (counts: readonly number[]) => Math.max(0, ...counts);
  return {
    records: total(targets.map(({ delivered }) => delivered.records)),
    keptBack: total(targets.map(({ routed, delivered }) => routed.records - delivered.records)),
    unknown: total([...unknown.values()]),
    isExact,
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0);
