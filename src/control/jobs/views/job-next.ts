/**
 * Why a job stands as it does and what a person can do now, in words: the catalogue says how a cause is mended; whether
 * there is still something to decide depends on the state.
 */
// Codes that are reasons of jobs, with their next steps; what finds them may run in another thread.
import '../../../pipeline/formats/format-errors.ts';
import '../job-errors.ts';
import { unreadableCodes } from '../../../pipeline/deliveries/endings/unreadable-codes.ts';
import { nextOf } from '../../../platform/base/errors.ts';
import { isAllowed, isUnbalanced } from '../job-actions.ts';
import type { JobState } from '../job-state.ts';
import type { JobTotals } from '../job-totals.ts';

interface StandingJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly totals: JobTotals | null;
}

type Counts = Readonly<Record<string, { readonly refused: number; readonly dead: number }>>;

/** What is known of it, or what became of records that were not delivered; null where there is nothing to tell. */
export function reasonOf({ state, reason }: StandingJob, targets: Counts): string | null {
  if (reason !== null || state !== 'completed_with_failures') return reason;
  const texts = Object.entries(targets).flatMap(([target, { refused, dead }]) => {
    const parts = [refused > 0 ? `${refused} refused` : '', dead > 0 ? `${dead} given up` : ''].filter((part) => part !== '');
    return parts.length === 0 ? [] : [`records not delivered at target ${target}: ${parts.join(', ')}`];
  });
  return texts.join('; ') || null;
}

/** Null where nothing is to be done. */
export function nextOfJob(job: StandingJob): string | null {
  const { jobId, state, reasonCode, decidedBy } = job;
  const cause = reasonCode === null ? '' : nextOf(reasonCode);
  if (isUnbalanced(job)) return cause;
  switch (state) {
    case 'held':
      return `${cause} ${howToDecide(job)}`.trimStart();
    case 'rejected':
      if (decidedBy !== null) return null;
      return `${cause || 'Have the file corrected and sent again.'} What was found: \`headgate job get ${jobId}\`, of single records \`headgate job errors ${jobId}\`.`;
    case 'completed_with_failures':
      return `Each record that was not delivered, why, and what can be done: \`headgate dead-letter list --job ${jobId}\`, then \`headgate dead-letter get ID\`.`;
    case 'delivering':
      return reasonCode !== null && unreadableCodes.includes(reasonCode) ? cause || null : null;
    case 'completed':
    case 'cancelled':
      return null;
    case 'queued':
    case 'running':
    case 'checking':
      return cause || null;
  }
}

function howToDecide(job: StandingJob): string {
  const { jobId } = job;
  return isAllowed(job, 'release')
    ? `To decide: \`headgate job release ${jobId}\` delivers its valid records, \`headgate job reject ${jobId}\` none.`
    : `It can't be released, as a part of its file could not be read or processed: \`headgate job reject ${jobId}\`, and have the file sent again.`;
}
