/** What arrivals hand over in the accepting transaction: jobs are made of it, or the file is not accepted. */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { ChunkSpec, Finding, FindingGroup } from '../engine/chunk.ts';

export interface AcceptedFile {
  readonly fileId: string;
  readonly arrivalId: string;
  readonly flowId: string;
  readonly flowVersionId: string;
  /** Gapless per flow, in the order of acceptance. */
  readonly acceptedNumber: number;
  /** Of the member, the unpacked file. */
  readonly bytes: number;
  readonly chunks: readonly ChunkSpec[];
  /** Records that the splitter numbered. */
  readonly records: number;
  /** Damage that the splitter found: reasons to hold the file as a whole. */
  readonly damage: readonly Finding[];
  /** What a pack has to say of it that is no reason to hold it. */
  readonly warnings: readonly FindingGroup[];
  /** Lines that are no records. */
  readonly blankLines: number;
  readonly comments: number;
  readonly traceParent: string | null;
  readonly traceId: string | null;
  readonly actor: string;
}

/** Makes the jobs of these files in the accepting transaction; when it fails, nothing is accepted. */
export type CreateJobs = (tx: TenantTx, accepted: readonly AcceptedFile[]) => Promise<void>;
