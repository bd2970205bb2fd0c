/**
 * One group of open dead letters with a few of its records as `record get` shows them: masked as the flow and the tenant's
 * policy say. A record that can't be read is named all the same.
 */
import { type DeadLetterGroup, listDeadLetterGroups } from '../../pipeline/deliveries/endings/dead-letter-groups.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { SealedStore } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { getRecord, type RecordView } from '../jobs/views/record-views.ts';
import { expiryPolicy } from './dead-letter-expiry.ts';

export interface SampledRecord {
  readonly deadLetterId: string;
  readonly recordId: string;
  /** Null where it was not asked for or can't be read, which `code` then says. */
  readonly fields: RecordView['fields'] | null;
  readonly code: string | null;
}

export interface SampledGroup extends Omit<DeadLetterGroup, 'samples'> {
  readonly samples: readonly SampledRecord[];
}

export interface SampledGroupQuery {
  readonly groupId: string;
  /** Whether whoever asks may see records. */
  readonly withFields: boolean;
}

const samplesMax = 3;

/** Undefined where no letter of the group is open. */
export async function findSampledGroup(
  tx: TenantTx,
  store: SealedStore,
  { groupId, withFields }: SampledGroupQuery,
): Promise<SampledGroup | undefined> {
  const { expireAfterMs } = await expiryPolicy(tx);
  const [group] = await listDeadLetterGroups(tx, { groupId }, { limit: 1, expireAfterMs });
  if (group === undefined) return undefined;
  const samples: SampledRecord[] = [];
  for (const sample of group.samples.slice(0, samplesMax)) {
    const { fields, code } = withFields ? await readFields(tx, store, sample.recordId) : { fields: null, code: null };
    samples.push({ ...sample, fields, code });
  }
  return { ...group, samples };
}

async function readFields(tx: TenantTx, store: SealedStore, recordId: string): Promise<Pick<SampledRecord, 'fields' | 'code'>> {
  const [jobId, number] = recordId.split('/') as [string, string];
  try {
    return { fields: (await getRecord(tx, store, jobId, Number(number))).fields, code: null };
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return { fields: null, code: error.code };
  }
}
