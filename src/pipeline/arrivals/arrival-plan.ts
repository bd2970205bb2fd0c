/**
 * What arrivals need to know of a flow, its sources and its tenant's policy, with names resolved and units plain. Where it
 * comes from is the business of `control`, which implements the `ArrivalPlans` port.
 */
import type { BlobConnection } from '../../platform/blob/blob-connection.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { EgressPolicy } from '../connectors/connector.ts';
import type { Plan } from '../engine/plan.ts';

export interface FileLimits {
  /** Of the file as received. */
  readonly bytesMax: number;
  readonly unpackedBytesMax: number;
  /** Unpacked bytes for one received byte. */
  readonly ratioMax: number;
  /** Entries of an archive, folders included. */
  readonly entriesMax: number;
  /** Accepted files of the source a minute. */
  readonly filesPerMinute: number | null;
}

export interface SourcePlan {
  readonly sourceId: string;
  /** File names with `*` and `?`. */
  readonly match: string;
  readonly unpack: Unpack;
  /** Where a step is `pgp`. */
  readonly pgp: PgpKeysPlan | null;
  readonly limits: FileLimits;
}

/** Keys by secret reference, read for each file. */
export interface PgpKeysPlan {
  /** Name of the tenant whose secrets they are. */
  readonly tenant: string;
  readonly privateKey: string;
  readonly passphrase: string | null;
  readonly signers: readonly string[];
  readonly isSignatureRequired: boolean;
}

/** A place that is looked at again and again. */
interface PolledSource extends SourcePlan {
  /** The connection's folder; nothing outside it is touched. */
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
  readonly afterwards: 'move' | 'delete' | 'leave' | 'mark';
  /** What names of taken files end with; null unless they are marked. */
  readonly mark: string | null;
}

/** On this machine; the root is absolute. */
export interface FolderSourcePlan extends PolledSource {
  readonly type: 'folder';
}

/** On a server; a root that is not absolute is below the folder in which sessions of the user start. */
export interface SftpSourcePlan extends PolledSource {
  readonly type: 'sftp';
  /** Name of the tenant that the work belongs to: whose secrets may be used. */
  readonly tenant: string;
  readonly server: SftpServerPlan;
  /** Where the tenant's policy lets connections go. */
  readonly egress: EgressPolicy;
}

/** In a bucket or container; root and path together are what names begin with. */
export interface BlobSourcePlan extends PolledSource {
  readonly type: 'blob';
  /** Name of the tenant that the work belongs to: whose secrets may be used. */
  readonly tenant: string;
  readonly blob: BlobConnection;
  /** Where the tenant's policy lets connections go. */
  readonly egress: EgressPolicy;
}

export interface SftpServerPlan {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Secret references; one of the two is there. */
  readonly password: string | null;
  readonly privateKey: string | null;
  readonly passphrase: string | null;
  /** Fingerprints or public keys. */
  readonly hostKeys: readonly string[];
}

export type PolledSourcePlan = FolderSourcePlan | SftpSourcePlan | BlobSourcePlan;

export interface DuplicatePolicy {
  /** `records`: what the records of a pack say. */
  readonly keys: readonly ('sha256' | 'name' | 'records')[];
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
  /**
   * For uploads: over HTTP, or to the source of that id over the SFTP server. Fails with E_FLOW_UNKNOWN; `source` null: the flow
   * takes no such uploads; `isEnabled` false: it takes no files now.
   */
  byName(
    tx: TenantTx,
    flowName: string,
    sourceId?: string,
  ): Promise<{ readonly flow: ArrivalFlow; readonly source: SourcePlan | null; readonly isEnabled: boolean }>;
  /** For a polled source; undefined when the flow is disabled or its version in force has no such source. */
  bySource(
    tx: TenantTx,
    flowId: string,
    sourceId: string,
  ): Promise<{ readonly flow: ArrivalFlow; readonly source: PolledSourcePlan } | undefined>;
  limits(tx: TenantTx): Promise<AdmissionLimits>;
}
