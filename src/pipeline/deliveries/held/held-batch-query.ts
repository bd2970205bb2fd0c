/** Which held batches wait for a person, as SQL over a row `b` of batches, with the tenant as $1. */

import { unreadableCodes } from '../endings/unreadable-codes.ts';
import { configurationCodes } from './configuration-codes.ts';

/** Of batches that are held though their outcome is known: nothing of them is there. */
export const heldCodes: readonly string[] = [...unreadableCodes, ...configurationCodes];

/** The attempt was its own, or that of the batch that it was cut from after an answer which left its records out. */
export const hasUnknownAttempt = `(
  exists (select from headgate.attempts a where a.tenant_id = $1 and a.batch_id = b.batch_id and a.outcome = 'unknown' and a.resolved_as is null)
  or b.state = 'held' and b.unknown_attempts > 0 and not exists (
    select from headgate.attempts a where a.tenant_id = $1 and a.batch_id = b.batch_id and a.outcome = 'unknown'))`;

/** An attempt of it, or of the batch that it was cut from, ended so that nobody knew, whatever was found out about it later. */
export const mayHaveArrived = `(b.unknown_attempts > 0
  or exists (select from headgate.attempts a where a.tenant_id = $1 and a.batch_id = b.batch_id and a.outcome = 'unknown'))`;

/**
 * Nobody knows its outcome, its bytes can't be read, or settings are at fault. A decision to send it resolves its attempts and takes the reason
 * away, so that the batch waits for nobody any more.
 */
export const awaitsDecision = `b.state = 'held' and (coalesce(b.reason_code, '') in (${heldCodes.map((code) => `'${code}'`).join(', ')})
  or ${hasUnknownAttempt})`;
