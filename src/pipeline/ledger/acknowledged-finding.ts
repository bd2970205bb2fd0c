/** What senders are told of a rejected record. */
import type { Finding } from '../engine/chunk.ts';

/** Why a record was rejected; one with several faults has several. */
export type AcknowledgedFinding = Pick<Finding, 'record' | 'code' | 'field' | 'rule' | 'message'>;
