/** A flow definition as it is after reading: every default filled in, durations in ms, sizes in bytes, bytes as numbers. */

import type { FieldType, NumberUsage, PackPlan, SignPlace } from '../../pipeline/engine/plan.ts';
import type { SingleByteEncoding } from '../../pipeline/engine/reference-data/code-pages.ts';
import type { UnpackStep } from '../../platform/packing/packings.ts';
import type { BlobConnection } from './blob-connections.ts';
import type {
  AmqpConnection,
  FolderConnection,
  KafkaConnection,
  MysqlConnection,
  PgpConnection,
  PostgresConnection,
  SftpConnection,
  SftpServerConnection,
} from './connection-definition.ts';
import type { HttpConnection, HttpTargetDefinition } from './http-definition.ts';

export interface FlowDefinition {
  readonly apiVersion: string;
  readonly kind: 'FlowDefinition';
  readonly metadata: {
    readonly tenant: string;
    readonly service: string;
    readonly subService?: string;
    readonly name: string;
    readonly version: string;
    readonly owner?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: FlowSpec;
}

export interface FlowSpec {
  readonly sources: readonly SourceDefinition[];
  readonly duplicates: DuplicatesDefinition;
  readonly format: FormatDefinition;
  /** Only where the format is a pack it may be absent. */
  readonly schema?: {
    readonly header?: EnvelopeDefinition;
    readonly record?: { readonly tag?: string; readonly key?: readonly string[]; readonly fields: FieldDefinitions };
    readonly records?: Readonly<Record<string, RecordDefinition>>;
    readonly trailer?: EnvelopeDefinition;
  };
  readonly validate: readonly RuleDefinition[];
  readonly filter: readonly { readonly id: string; readonly when: string; readonly reason: string }[];
  readonly acceptance: AcceptanceDefinition;
  readonly transform: readonly { readonly id: string; readonly set: Readonly<Record<string, string>> }[];
  readonly routes: {
    readonly mode: 'first' | 'all';
    readonly rules: readonly { readonly id: string; readonly when: string; readonly to: readonly string[] }[];
    readonly default: { readonly to: readonly string[] };
  };
  readonly targets: Readonly<Record<string, TargetDefinition>>;
  readonly targetDefaults: DeliveryDefinition;
  readonly acknowledge?: AcknowledgeDefinition;
}

export interface FileLimits {
  readonly maxSize: number;
  readonly maxUnpackedSize: number;
  readonly maxRatio: number;
  readonly maxMembers: number;
  readonly filesPerMinute?: number;
}

interface CommonSource {
  readonly id: string;
  /** `*` and `?`. */
  readonly match: string;
  readonly unpack: 'none' | UnpackStep | readonly UnpackStep[];
  /** Name of a connection. */
  readonly pgp?: string;
  readonly limits: FileLimits;
}

export interface FolderSource extends CommonSource {
  readonly type: 'folder';
  readonly connection: string;
  readonly path: string;
  /** Milliseconds; suffixes of the files beside. */
  readonly ready: { readonly stableFor: number; readonly marker?: string; readonly manifest?: string; readonly timeout: number };
  readonly poll: number;
  readonly afterwards: 'move' | 'delete' | 'leave' | 'mark';
  /** A suffix. Not of blob sources. */
  readonly mark?: string;
}

/** As a folder source; the path may begin with a slash. */
export interface SftpSource extends Omit<FolderSource, 'type'> {
  readonly type: 'sftp';
}

/** Of a bucket or container: folders are beginnings of names. */
export interface BlobSource extends Omit<FolderSource, 'type'> {
  readonly type: 'blob';
}

export interface HttpSource extends CommonSource {
  readonly type: 'http';
}

/** A folder of a user of the SFTP server. */
export interface SftpServerSource extends CommonSource {
  readonly type: 'sftp-server';
  readonly connection: string;
  readonly folder: string;
  readonly complete: 'close' | 'rename' | 'manifest';
  /** Suffixes. */
  readonly temporary: string;
  readonly manifest: string;
}

export type PolledSourceDefinition = FolderSource | SftpSource | BlobSource;
export type SourceDefinition = PolledSourceDefinition | HttpSource | SftpServerSource;

export interface DuplicatesDefinition {
  readonly file: readonly ('sha256' | 'name' | 'records')[];
  readonly window: number;
  readonly onDuplicate: 'reject' | 'hold' | 'accept';
  readonly onSameName: 'accept' | 'hold' | 'reject';
}

type Encoding = 'utf-8' | SingleByteEncoding;

export type FormatDefinition =
  | {
      readonly type: 'delimited';
      readonly encoding: Encoding;
      readonly delimiter: number;
      readonly quote: number | null;
      readonly escape?: number | null;
      readonly comment: number | null;
      readonly header: boolean;
      readonly columns: 'exact' | 'lenient';
      readonly skipBlankLines?: boolean;
      readonly discriminator?: { readonly column: number };
    }
  | {
      readonly type: 'fixed-width';
      readonly encoding: Encoding;
      readonly positions: 'bytes' | 'characters';
      readonly lineEnds: boolean;
      readonly discriminator?: { readonly start: number; readonly length: number };
      readonly recordLength?: number;
      readonly shortLines: 'reject' | 'pad';
      readonly skipBlankLines: boolean;
    }
  | {
      readonly type: 'json-lines';
      readonly discriminator?: { readonly key: string };
      readonly unknownKeys: 'ignore' | 'reject';
      readonly skipBlankLines: boolean;
    }
  | ({ readonly type: PackPlan['name'] } & Readonly<Record<string, string | boolean | number | undefined>>);

export interface FieldDefinition {
  readonly at?: readonly [number, number];
  readonly column?: string | number;
  readonly path?: string | readonly string[];
  readonly type: FieldType;
  readonly required: boolean;
  readonly trim?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly min?: string;
  readonly max?: string;
  readonly point: 'explicit' | 'implied';
  readonly scale?: number;
  readonly usage: 'text' | NumberUsage;
  readonly sign: 'trailing' | SignPlace;
  readonly format?: string;
  readonly unique?: 'file';
  readonly sum: boolean;
  readonly currency?: string;
  readonly mask: 'none' | 'last4' | 'all';
  readonly class?: string;
}

export type FieldDefinitions = Readonly<Record<string, FieldDefinition>>;

export interface EnvelopeDefinition {
  readonly tag?: string;
  readonly fields: FieldDefinitions;
}

export interface RecordDefinition {
  readonly tag?: string;
  readonly counted: boolean;
  readonly key?: readonly string[];
  readonly fields: FieldDefinitions;
}

export interface RuleDefinition {
  readonly id: string;
  readonly scope: 'record' | 'file';
  readonly assert: string;
  readonly severity: 'error' | 'warn';
  readonly code: string;
  readonly message: string;
  readonly onFail: 'reject-file' | 'hold-file';
}

export interface AcceptanceDefinition {
  readonly release: 'file';
  readonly mode: 'partial' | 'all-or-nothing';
  readonly maxInvalid?: number;
  readonly maxInvalidRatio?: number;
  readonly maxInvalidAmount?: Readonly<Record<string, string>>;
  readonly onExceed: 'hold' | 'reject';
  readonly emptyFile: 'accept' | 'reject';
  readonly onDamage: 'hold' | 'reject';
}

export interface DeliveryDefinition {
  /** `linger`: milliseconds. */
  readonly batch: { readonly size: number; readonly bytes: number; readonly linger?: number };
  readonly order: 'none' | 'by-key' | 'file';
  readonly onUnknown: 'resend' | 'hold';
  readonly onExhausted: 'dead-letter';
  readonly timeout: number;
  readonly concurrency: number;
  readonly rate?: number;
  readonly retry: { readonly max: number; readonly initial: number; readonly cap: number };
  readonly breaker: BreakerDefinition;
}

export interface BreakerDefinition {
  readonly window: number;
  readonly failureRatio: number;
  readonly minCalls: number;
  readonly probeEvery: number;
  readonly probes: number;
}

/** What a target says itself; the rest comes from `targetDefaults`. */
export type OwnDelivery = Partial<Omit<DeliveryDefinition, 'batch' | 'retry' | 'breaker'>> & {
  readonly batch?: Partial<DeliveryDefinition['batch']>;
  readonly retry?: Partial<DeliveryDefinition['retry']>;
  readonly breaker?: Partial<BreakerDefinition>;
  readonly backup?: string;
  /** Milliseconds; output fields as `out.name`. */
  readonly answers?: { readonly within: number; readonly key?: string; readonly group?: string };
};

/** Of targets that hold files. */
export interface OutputFileDefinition {
  readonly connection: string;
  readonly path: string;
  readonly name: string;
  readonly format: 'ndjson' | 'csv' | 'fixed-width';
  readonly delimiter?: number;
  readonly header?: boolean;
  readonly columns?: Readonly<Record<string, { readonly width: number; readonly align: 'left' | 'right'; readonly pad: number }>>;
  readonly lineEnd: 'lf' | 'crlf';
  readonly headerLines?: readonly string[];
  readonly trailerLines?: readonly string[];
  readonly encrypt: boolean;
  readonly sign: boolean;
  /** Milliseconds. */
  readonly window?: number;
  readonly maxAmount?: { readonly field: string; readonly value: string };
  readonly rollUp: boolean;
  readonly readBack: 'hash' | 'size' | 'none';
}

export type TargetDefinition = OwnDelivery &
  (
    | (OutputFileDefinition & { readonly type: 'file' | 'sftp' | 's3' | 'azure-blob' | 'gcs' })
    | HttpTargetDefinition
    | {
        readonly type: 'amqp';
        readonly connection: string;
        readonly queue: string;
        readonly createQueue: boolean;
        readonly confirmsInFlight: number;
      }
    | {
        readonly type: 'kafka';
        readonly connection: string;
        readonly topic: string;
        readonly key?: string;
        readonly partition?: number;
        readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
      }
    | {
        readonly type: 'postgres' | 'mysql';
        readonly connection: string;
        readonly table: string;
        readonly mode: 'insert' | 'upsert';
        readonly keys?: readonly string[];
      }
    | AnswersTarget
  );

/** Output fields as `out.name`. */
interface AnswersTarget {
  readonly type: 'answers';
  readonly of: readonly { readonly flow: string; readonly target: string }[];
  readonly file?: string;
  readonly group?: string;
  readonly key?: string;
  readonly about?: 'any' | 'records';
  readonly level?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly accepted?: readonly string[];
  readonly refused?: readonly string[];
  readonly pending?: readonly string[];
  readonly partial?: readonly string[];
  readonly unlisted: 'accepted' | 'pending' | 'unanswered';
}

export type AnswersTargetDefinition = Extract<TargetDefinition, { type: 'answers' }>;

export interface AcknowledgeDefinition {
  readonly format: 'json' | 'csv' | 'pain.002' | 'nacha';
  readonly levels: readonly ('file' | 'record')[];
  /** Of pain.002. */
  readonly acceptedAs?: 'ACSP' | 'ACCP';
  /** Id of a source. */
  readonly to?: string;
  /** Name of a connection, in place of `to`. */
  readonly connection?: string;
  readonly path: string;
  readonly name: string;
  readonly encrypt: boolean;
  readonly sign: boolean;
}

interface DocumentMetadata {
  readonly tenant: string;
  readonly name: string;
  readonly owner?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Secrets are references: `env:NAME` or `file:/path`. */
export interface Connection {
  readonly apiVersion: string;
  readonly kind: 'Connection';
  readonly metadata: DocumentMetadata;
  readonly spec:
    | FolderConnection
    | HttpConnection
    | AmqpConnection
    | KafkaConnection
    | PostgresConnection
    | MysqlConnection
    | SftpConnection
    | SftpServerConnection
    | BlobConnection
    | PgpConnection;
}

export interface Environment {
  readonly apiVersion: string;
  readonly kind: 'Environment';
  readonly metadata: DocumentMetadata;
  readonly spec: { readonly stage: 'development' | 'test' | 'production'; readonly connections: Readonly<Record<string, string>> };
}

export interface TenantPolicy {
  readonly apiVersion: string;
  readonly kind: 'TenantPolicy';
  readonly metadata: DocumentMetadata;
  readonly spec: {
    readonly tier: 'gold' | 'silver' | 'bronze';
    readonly admission: {
      readonly maxStoredBytes: number;
      readonly maxHeldBytes: number;
      readonly maxChunksInFlight: number;
      readonly maxRecordBytes: number;
      readonly filesPerMinute: number;
    };
    readonly masking: Readonly<Record<string, 'last4' | 'all'>>;
    readonly deadLetters: { readonly expireAfter: number; readonly warnBefore: number };
    readonly egress: { readonly allowPrivate: readonly string[]; readonly allowPlain: boolean };
  };
}

export type HeadgateDocument = FlowDefinition | Connection | Environment | TenantPolicy;
