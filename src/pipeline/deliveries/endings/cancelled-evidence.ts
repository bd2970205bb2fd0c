/** How it is known of a batch that it ended as cancelled, and whether its target said before that it has nothing of it. */

const evidence = 'every job of the batch was cancelled';
const separator = '; ';

/** `asked`: what its target said; null: it said nothing, or was not asked. */
export const cancelledEvidence = (asked: string | null): string => (asked === null ? evidence : `${evidence}${separator}${asked}`);

/** Of the evidence of a batch, as a pattern of SQL. */
export const askedPattern = `${evidence}${separator}%`;
