/** How it is known of a batch that it ended without being delivered, and whether its target said before that it has nothing of it. */

const cancelled = 'every job of the batch was cancelled';
const exhausted = 'no tries are left';
const separator = '; ';

/** What its target said when it was asked. */
export interface Asked {
  readonly evidence: string;
  /** None of its records is there, under whichever batch id they were sent. */
  readonly isAbsent: boolean;
}

/** Null: it said nothing, or was not asked. */
export function cancelledEvidence(asked: Asked | null): string {
  if (asked === null) return cancelled;
  return asked.isAbsent ? `${cancelled}${separator}${asked.evidence}` : `${cancelled} (${asked.evidence})`;
}

/** Of one that its target has nothing of. */
export const exhaustedEvidence = ({ evidence }: Asked): string => `${exhausted}${separator}${evidence}`;

/** Of the evidence of batches that their targets have nothing of, as patterns of SQL. */
export const absentPatterns: readonly string[] = [cancelled, exhausted].map((ending) => `${ending}${separator}%`);
