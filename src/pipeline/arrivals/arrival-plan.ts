/**
 * What arrivals need to know of a flow, its sources and its tenant's policy, with names resolved and units plain. Where it
 * comes from is the business of `control`, which implements the `ArrivalPlans` port.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { Plan } from '../engine/plan.ts';

export interface FileLimits {
  /** Of the file as received. */
  readonly bytesMax: number;
  readonly unpackedBytesMax: number;
  /** Unpacked bytes for one received byte. */
  readonly ratioMax: number;
  /** Accepted files of the source a minute. */
  readonly filesPerMinute: number | null;
}

export interface SourcePlan {
  readonly sourceId: string;
  /** File names with `*` and `?`. */
  readonly match: string;
  readonly unpack: 'none' | 'gzip';
  readonly limits: FileLimits;
}

export interface FolderSourcePlan extends SourcePlan {
  /** The connection's folder, absolute; nothing outside it is touched. */
  readonly root: string;
  /** Below the root; `.` for the root itself. */
  readonly path: string;
  readonly ready: {
    readonly stableForMs: number;
    /** Suffixes of the files beside; null where none is asked for. */
    readonly marker: string | null;
    readonly manifest: string | null;
    readonly timeoutMs: number;
  };
  readonly pollMs: number;
  readonly afterwards: 'move' | 'delete' | 'leave';
}

export interface DuplicatePolicy {
  readonly keys: readonly ('sha256' | 'name')[];
  readonly windowMs: number;
  readonly onDuplicate: 'reject' | 'hold' | 'accept';
  readonly onSameName: 'accept' | 'hold' | 'reject';
}

/** The version of a flow that is in force. */
export interface ArrivalFlow {
  readonly flowId: string;
  readonly flowName: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly duplicates: DuplicatePolicy;
}

/** A tenant's limits (decisions 33). */
export interface AdmissionLimits {
  readonly storedBytesMax: number;
  readonly heldBytesMax: number;
  readonly chunksInFlightMax: number;
  readonly recordBytesMax: number;
  readonly filesPerMinute: number;
}

export interface ArrivalPlans {
  /** For uploads. Fails with E_FLOW_UNKNOWN; `source` null: this flow takes no uploads; `isEnabled` false: it takes no files now. */
  byName(
    tx: TenantTx,
    flowName: string,
  ): Promise<{ readonly flow: ArrivalFlow; readonly source: SourcePlan | null; readonly isEnabled: boolean }>;
  /** For a polled source; undefined when the flow is disabled or its version in force has no such source. */
  bySource(
    tx: TenantTx,
    flowId: string,
    sourceId: string,
  ): Promise<{ readonly flow: ArrivalFlow; readonly source: FolderSourcePlan } | undefined>;
  limits(tx: TenantTx): Promise<AdmissionLimits>;
}
