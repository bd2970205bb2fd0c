/**
 * What the lanes of a target mean. A new version of a flow may give a target other lanes, or another key: a record then has another
 * lane than an earlier one of its key. Batches of different schemes wait for each other in the order of acceptance, whatever lanes
 * they are in.
 */
import { crc32 } from 'node:zlib';
import type { Plan, TargetPlan } from '../../engine/plan.ts';

/** 0 where no order is kept, else from 1 to 2³¹ - 1, the same for the same lanes and the same reading of the same key. */
export function laneSchemeOf({ records }: Pick<Plan, 'records'>, { lanes }: Pick<TargetPlan, 'lanes'>): number {
  if (lanes === 0) return 0;
  const keys =
    lanes === 1 ? [] : records.filter(({ role }) => role === 'data').map(({ key, fields }) => key.map((index) => fields[index]!));
  const texts = keys.map((fields) => fields.map(({ name, trim }) => [name, trim]));
  return (crc32(JSON.stringify([lanes, texts])) % (2 ** 31 - 1)) + 1;
}
