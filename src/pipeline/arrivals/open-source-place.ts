/** Opens the place of a polled source, of whatever kind it is. */
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import type { ArrivalFlow, PolledSourcePlan } from './arrival-plan.ts';
import type { BlobPlaces } from './blob/blob-places.ts';
import { openFolderPlace } from './folder-place.ts';
import type { SftpPlaces } from './sftp/sftp-places.ts';
import type { OnTurn, SourcePlace } from './source-place.ts';

/** What the kinds of sources stand on. */
export interface SourceWorld {
  readonly folders: FolderFence;
  readonly sftp: SftpPlaces;
  readonly blobs: BlobPlaces;
}

export interface SourceOpening {
  /** One for each source. */
  readonly key: string;
  readonly flow: Pick<ArrivalFlow, 'plan'>;
  readonly source: PolledSourcePlan;
  readonly onTurn: OnTurn;
}

/** Fails with what the kind of place fails with when it can't be used. */
export async function openSourcePlace(
  { folders, sftp, blobs }: SourceWorld,
  { key, flow, source, onTurn }: SourceOpening,
): Promise<SourcePlace> {
  switch (source.type) {
    case 'folder':
      return openFolderPlace({ tenant: flow.plan.flow.tenant, folders, source, onTurn });
    case 'sftp':
      return await sftp.open({ key, source, onTurn });
    case 'blob':
      return await blobs.open({ source, onTurn });
  }
}
