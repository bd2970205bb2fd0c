/**
 * What a connector is: it sends batches to one kind of target and says truly what became of them. Everything about retries,
 * states and counts is `deliveries`'; a connector neither tries again nor remembers. Drivers' errors are translated inside,
 * once. Every connector passes `connector-contract.fixture.ts`. The list of connectors is in `src/main/catalogue.ts`.
 */
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import type { Clock, Ids, Rng, Sleep } from '../../platform/base/ports.ts';
import type { SecretResolver } from '../../platform/secrets/secret-resolver.ts';
import type { FieldAmounts } from '../engine/chunk.ts';
import type { BodyPlan, Plan, TargetPlan } from '../engine/plan.ts';
import type { ConnectorSetting } from './connector-settings.ts';

/**
 * How an attempt whose outcome nobody knows is resolved: by asking the target (`query`), by sending again under a key that
 * the target honours (`key`), by sending again with a label (`labelled-resend`), or by a person.
 */
export type UnknownResolution = 'query' | 'key' | 'labelled-resend' | 'person';

export interface Connector {
  /** As `type` of a target. */
  readonly name: string;
  readonly summary: string;
  /** Page below docs/. */
  readonly documentation: string;
  /** Type of the connections that it uses; null: it needs none. */
  readonly connectionType: string | null;
  readonly bodies: readonly BodyPlan['format'][];
  readonly targetSettings: readonly ConnectorSetting[];
  readonly connectionSettings: readonly ConnectorSetting[];
  /** Makes no connection. Fails with E_TARGET when settings contradict each other or the policy. */
  open(options: OpenOptions): Target;
  /** What the owner of the target has to make there before the first batch, as text in the target's own language. */
  prepare?(plan: Plan, target: TargetPlan): string;
}

export interface OpenOptions {
  readonly tenantId: string;
  readonly plan: Plan;
  readonly target: TargetPlan;
  readonly connection: Connection;
  readonly egress: EgressPolicy;
  /** Which folders of the machine the tenant's connections may name. */
  readonly folders: FolderFence;
  /** Those of the tenant's connections: resolved at each use, so that a rotated secret is seen. */
  readonly secrets: SecretResolver;
  readonly ports: ConnectorPorts;
  /** Absent where nothing is delivered. */
  readonly matchAnswers?: MatchAnswers | undefined;
}

/** What a downstream says of deliveries, to be matched to them. */
export interface AnswersToMatch {
  readonly tenantId: string;
  readonly plan: Plan;
  readonly target: TargetPlan;
  readonly batch: OutgoingBatch;
}

/** Matches a batch of answers; doing it again changes nothing. */
export type MatchAnswers = (answers: AnswersToMatch, signal: AbortSignal) => Promise<DeliveryOutcome>;

export interface ConnectorPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly ids: Ids;
  readonly sleep: Sleep;
  readonly resolveHost: ResolveHost;
}

/** Every address of a host name, A and AAAA. Rejects when there is none. */
export type ResolveHost = (name: string) => Promise<readonly string[]>;

export interface Connection {
  readonly name: string;
  readonly type: string;
  /** `spec` of the Connection document, without `type`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Where the tenant's policy lets targets connect to (`TenantPolicy.spec.egress`). */
export interface EgressPolicy {
  /** Address ranges (CIDR) that are not public and may be connected to all the same. */
  readonly allowPrivate: readonly string[];
  /** Connections without TLS. */
  readonly allowPlain: boolean;
}

export const strictEgress: EgressPolicy = { allowPrivate: [], allowPlain: false };

/** An opened target. Its methods may run at the same time. */
export interface Target {
  readonly unknownResolution: UnknownResolution;
  /**
   * One attempt. Ends with an outcome whatever happens; rejects only on programmers' errors. `signal` is its deadline: what
   * was not answered by then is refused, if nothing can have been sent, and else unknown.
   */
  deliver(batch: OutgoingBatch, signal: AbortSignal): Promise<DeliveryOutcome>;
  /** `query` only: what became of a batch whose last attempt is unknown. */
  resolve?(batch: OutgoingBatch, signal: AbortSignal): Promise<Resolution>;
  /** How long an attempt may take in all, where the target's timeout is per request or per piece; else the timeout itself. */
  attemptTimeoutMs?(batch: { readonly records: number; readonly bytes: number }): number;
  /**
   * Whether a batch would find its way now: connects and logs in as an attempt does, and touches the very place that records go
   * to (a folder takes and gives back a file, a queue or topic is there, a table can be asked) as far as that leaves nothing
   * behind. Sends no record, ends with its signal, and says what it saw without content.
   */
  probe(signal: AbortSignal): Promise<ProbeResult>;
  close(): Promise<void>;
}

export interface OutgoingBatch {
  readonly batchId: string;
  /** From 1, over all workers. */
  readonly attempt: number;
  /** An earlier attempt's outcome is unknown: the target may have these records already. */
  readonly possibleDuplicate: boolean;
  /**
   * One whose outcome is unknown was made under this batch id. Where none was, what may be there went under another, and who knows
   * batches by their ids can say nothing of it.
   */
  readonly isIdSent: boolean;
  readonly jobIds: readonly string[];
  readonly flowName: string;
  /** Name of the first input file, as its sender gave it. */
  readonly fileName: string;
  /** Rising within (flow, target), without repetition: acceptance number, place in the file, and a suffix for parts of a split batch. */
  readonly number: string;
  /** Of a target whose files are numbered: gapless within (flow, target), given when the batch was cut; the parent's for parts of it. */
  readonly sequence: number | null;
  /** Of a part of a split batch, what tells it from the other parts; else empty. */
  readonly part: string;
  /** When the batch was cut, by the database's clock: the same for every attempt. */
  readonly cutAt: Date;
  readonly records: number;
  /** Of its records, by field. */
  readonly amounts: FieldAmounts;
  readonly body: BatchBody;
  /**
   * Called right before the step that lets the target have the batch (a name, a COMMIT, the body of a request): fails with
   * E_ATTEMPT_ABANDONED when the lease is no longer certain. The body's own pieces and lines do so themselves.
   */
  assertOurs(): void;
  /** For how long the batch stays ours after `assertOurs` has passed, even in a process that is stopped meanwhile. */
  readonly oursForMs: number;
  /** 32 bytes that nobody else knows, the same for every attempt of the batch, and others for each purpose. Gone with its records' keys. */
  secretFor(purpose: string): Uint8Array;
  /** One per record, in order; found on demand, which may read the input file. */
  deliveryKeys(): Promise<readonly string[]>;
  /** One per record, in order: its job and its number in the file, as people and the API name it. */
  recordIds(): Promise<readonly string[]>;
  /**
   * Where the target keeps the order of business keys: something that is the same for records of one key, null for a record
   * without one. A record must not be sent when an earlier one of its key was refused: it is answered as to be sent again.
   */
  readonly orderKeys: (() => Promise<readonly (string | null)[]>) | null;
  /** W3C trace context of this attempt. */
  readonly traceparent: string;
}

/** The exact bytes, the same for every attempt. */
export interface BatchBody {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What stands before the records where a target holds a file of its own: the header line of csv, else nothing. */
  readonly preamble: Uint8Array;
  /** Reused, a piece is only valid until the next one is asked for, and a body of any size takes one buffer. */
  pieces(options?: { readonly isReused: boolean }): Iterable<Uint8Array>;
  /** Each record with its line end. */
  lines(): Iterable<Uint8Array>;
}

/**
 * `acked`: the target has all of it, durably, as far as it can say. `refused`: it has none of it, for certain. `unknown`:
 * anything else. `perRecord` lists the records for which it is otherwise.
 */
export type DeliveryOutcome =
  | {
      readonly kind: 'acked';
      readonly perRecord?: readonly RecordResult[];
      /** Before those of them that were not taken for now are sent again. */
      readonly retryAfterMs?: number;
      readonly evidence?: string;
    }
  | {
      readonly kind: 'refused';
      readonly retryable: boolean;
      readonly retryAfterMs?: number;
      /** One of its records may be at fault: without it the others may be taken. Not where a batch has a name of its own there. */
      readonly mayBeOneRecord?: boolean;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'unknown'; readonly retryAfterMs?: number; readonly code: string; readonly message: string };

/** Of a batch that was acked but for these. `retry`: not taken, and may be sent again. */
export interface RecordResult {
  /** Position in the batch, from 0. */
  readonly index: number;
  readonly status: 'refused' | 'retry' | 'unknown';
  readonly code: string;
  /** Why, where more is known than the code: words of the connector, with numbers and names of the target's errors. Never content. */
  readonly message?: string;
}

/**
 * `resendable`: sending it again adds nothing twice. `absent`: the target has nothing of what was sent under the batch's id or name, or none of its
 * records, under whichever they were sent; that no file has its name is no proof of that, because whoever it is for may have taken it. `evidence` says in words how it is known; no content. `mustWait`: the target
 * can say it and does not yet, so that it is asked again and nothing is sent before it has. `isForNow`: it can say it, and could not be
 * asked; sending it again would add nothing twice.
 */
export type Resolution =
  | { readonly kind: 'acked'; readonly evidence: string }
  | { readonly kind: 'resendable'; readonly absent?: 'batch' | 'records'; readonly evidence: string }
  | { readonly kind: 'unresolved'; readonly code: string; readonly mustWait?: boolean; readonly isForNow?: boolean };

export interface ProbeResult {
  readonly isReachable: boolean;
  /** Null when it is. */
  readonly code: string | null;
  /** What was seen, or what failed: one sentence. */
  readonly message: string;
  readonly durationMs: number;
}
