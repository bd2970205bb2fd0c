/** What a person can decide about a job as it stands: the same for the decision, its preview and the pages of jobs. */
import { ledgerErrors } from '../../pipeline/ledger/ledger-errors.ts';
import { type JobState, jobTransitions } from './job-state.ts';
import type { JobTotals } from './job-totals.ts';

export type Decision = 'release' | 'reject' | 'cancel';
/** And of a job that does not balance: to try again to close it. */
export type JobAction = Decision | 'retry-close';

export const jobActions: readonly JobAction[] = ['release', 'reject', 'cancel', 'retry-close'];

interface StandingJob {
  readonly state: JobState;
  readonly totals: JobTotals | null;
  readonly reasonCode: string | null;
  /** The last that was made about it. */
  readonly decision: Decision | null;
}

/** The first reason for which records of the file were not read; such a file is never delivered in part. */
export function unreadCode({ totals }: Pick<StandingJob, 'totals'>): string | undefined {
  return totals?.checked?.check.damage[0]?.code;
}

/** Closing it clears the code. */
export function isUnbalanced({ reasonCode }: Pick<StandingJob, 'reasonCode'>): boolean {
  return reasonCode === ledgerErrors.E_UNBALANCED;
}

export function isAllowed(job: StandingJob, action: JobAction): boolean {
  if (action === 'retry-close') return isUnbalanced(job);
  if (jobTransitions[job.state][action] === undefined) return false;
  // Its reason stays that of who decided first; what is on its way ends by itself.
  if (action === 'cancel' && job.decision === 'cancel') return false;
  if (action === 'release') return job.totals?.checked != null && unreadCode(job) === undefined;
  return action !== 'reject' || job.state === 'held';
}
