/**
 * The key that makes a delivery the same delivery however often it is sent (decisions 15): it depends on who, which flow,
 * which lineage of jobs, which record, which target and for which intent, and on nothing else. Every part is written with
 * its length in front, so that no two different lists of parts can have the same bytes.
 */
import { hash } from 'node:crypto';

export interface DeliveryIdentity {
  readonly tenantId: string;
  readonly flowId: string;
  readonly lineageId: string;
  readonly targetId: string;
  /** Empty, unless an approved replay says "send again". */
  readonly intent: string;
}

/** The business key where the flow makes it unique in a file, else the record's number. */
export type RecordIdentity = { readonly key: readonly (string | null)[] } | { readonly record: number };

const version = 'headgate delivery key 1';

/** 64 lower-case hex digits. */
export function deliveryKey(identity: DeliveryIdentity, record: RecordIdentity): string {
  const parts = [version, identity.tenantId, identity.flowId, identity.lineageId, recordText(record), identity.targetId, identity.intent];
  return hash('sha256', parts.map(lengthPrefixed).join(''), 'hex');
}

function recordText(record: RecordIdentity): string {
  if ('record' in record) return `n${record.record}`;
  return `k${record.key.map((value) => (value === null ? '-' : lengthPrefixed(value))).join('')}`;
}

const orderVersion = 'headgate order key 1';

/** What tells business keys apart whose records a target takes in order: over all files, jobs and versions of the flow. */
export function orderKeyHash(scope: Pick<DeliveryIdentity, 'tenantId' | 'flowId' | 'targetId'>, key: readonly (string | null)[]): string {
  const parts = [orderVersion, scope.tenantId, scope.flowId, scope.targetId, recordText({ key })];
  return hash('sha256', parts.map(lengthPrefixed).join(''), 'hex');
}

/** Lengths in UTF-8 bytes: what is hashed. */
function lengthPrefixed(text: string): string {
  return `${Buffer.byteLength(text, 'utf8')}:${text};`;
}
