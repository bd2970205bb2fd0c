/**
 * Attempts that were made under a batch's own id and of which nobody knows what became, as SQL over a row `b` of batches, with the tenant as
 * $1. Others that `unknown_attempts` counts went out under another id: before the batch was cut from that one, or before a re-drive.
 */

const ofBatch = `from headgate.attempts a where a.tenant_id = $1 and a.batch_id = b.batch_id and a.outcome = 'unknown'`;

export const countLostAttempts = `case when b.unknown_attempts > 0 then (select count(*)::int ${ofBatch}) else 0 end`;

/** Of one of them the target has not said since that it has nothing. */
export const mayHaveIt = `(b.unknown_attempts > 0 and exists (select ${ofBatch} and not a.is_absent))`;
