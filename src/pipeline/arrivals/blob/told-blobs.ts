/**
 * What a blob service tells of new objects becomes hints for one source: names in its folder that it takes. Whoever tells is not
 * believed: the objects are looked for, read and judged as after a listing, which finds what was not told of as well.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isPlainName } from '../../../platform/blob/blob-container.ts';
import type { BlobService } from '../../../platform/blob/blob-service.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import type { ArrivalPlans, BlobSourcePlan } from '../arrival-plan.ts';
import { problemOfName } from '../file-name.ts';
import { addHints } from '../source-hints.ts';
import { wantedNameOf } from '../source-sight.ts';
import { type NewBlob, readBlobEvents } from './blob-events.ts';
import { folderOf } from './blob-places.ts';

export interface ToldEvents {
  readonly tenantId: string;
  readonly flowName: string;
  readonly sourceId: string;
  /** JSON as it came. */
  readonly body: unknown;
}

export type ToldAnswer =
  /** To be answered as it is, so that the service begins to send. */
  | { readonly kind: 'question'; readonly code: string }
  | {
      readonly kind: 'told';
      /** That the source will look for. */
      readonly names: number;
      /** Events of other things, other folders, and names that the source does not take. */
      readonly passedOver: number;
    };

export interface ToldBlobs {
  /** Fails with E_FLOW_UNKNOWN, E_FLOW_DISABLED, E_BLOB_EVENT_SOURCE and E_BLOB_EVENT. */
  tell(events: ToldEvents): Promise<ToldAnswer>;
}

export function createToldBlobs({ db, plans }: { readonly db: Db; readonly plans: ArrivalPlans }): ToldBlobs {
  return {
    tell: ({ tenantId, flowName, sourceId, body }) =>
      withTenant(db, tenantId, async (tx) => {
        const { flow, isEnabled } = await plans.byName(tx, flowName);
        if (!isEnabled) throw new HeadgateError(arrivalErrors.E_FLOW_DISABLED, `the flow ${flowName} is disabled`);
        const { flowId } = flow;
        const source = (await plans.bySource(tx, flowId, sourceId))?.source;
        if (source?.type !== 'blob') throw new HeadgateError(arrivalErrors.E_BLOB_EVENT_SOURCE, 'the flow has no blob source of this id');
        const told = readBlobEvents(body);
        if (told.kind === 'question') return told;
        const own = told.blobs.flatMap((blob) => nameAt(source, blob) ?? []);
        const names = [...new Set(own)].sort();
        await addHints(tx, { flowId, sourceId }, names);
        return { kind: 'told', names: names.length, passedOver: told.events - own.length };
      }),
  };
}

/** As the source sees it in its folder. */
function nameAt(source: BlobSourcePlan, { container, name }: NewBlob): string | null {
  const folder = folderOf(source);
  if (container !== containerOf(source.blob.service) || !name.startsWith(folder) || !isPlainName(name)) return null;
  const own = name.slice(folder.length);
  // What could never be accepted is found by the listing, and told there.
  return problemOfName(own) !== null || wantedNameOf(source)(own) === null ? null : own;
}

function containerOf(service: BlobService): string {
  return service.kind === 'azure-blob' ? service.container : service.bucket;
}
