/**
 * Why a job stands as it does and what a person can do now, in words: the catalogue says how a cause is mended; whether
 * there is still something to decide depends on the state.
 */
// Codes that are reasons of jobs, with their next steps; what finds them may run in another thread.
import '../../../pipeline/formats/format-errors.ts';
import '../job-errors.ts';
import { nextOf } from '../../../platform/base/errors.ts';
import { obstacleCodes } from '../closing/job-obstacles.ts';
import { type Decision, isAllowed, isUnbalanced } from '../job-actions.ts';
import type { JobState } from '../job-state.ts';
import type { JobTotals } from '../job-totals.ts';

interface StandingJob {
  readonly jobId: string;
  readonly flow: string;
  readonly state: JobState;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly decision: Decision | null;
  readonly totals: JobTotals | null;
  /** Records of it that were given up, and about which nobody has decided. */
  readonly hasOpenLetters: boolean;
}

interface TargetCounts {
  readonly refused: number;
  readonly dead: number;
  readonly held: number;
  readonly parked: number;
  readonly behindHeld: number;
  readonly behindJob: string | null;
  readonly waitingForWindow: number;
  readonly windowEndsAt: Date | null;
  /** A person keeps its breaker open. */
  readonly isKeptOpen: boolean;
}

type Counts = Readonly<Record<string, TargetCounts>>;

/** What is known of it, or what became of records that were not delivered; null where there is nothing to tell. */
export function reasonOf(
  { state, reason }: Pick<StandingJob, 'state' | 'reason'>,
  targets: Readonly<Record<string, Pick<TargetCounts, 'refused' | 'dead'>>>,
): string | null {
  if (reason !== null || state !== 'completed_with_failures') return reason;
  const texts = Object.entries(targets).flatMap(([target, { refused, dead }]) => {
    const parts = [refused > 0 ? `${refused} refused` : '', dead > 0 ? `${dead} given up` : ''].filter((part) => part !== '');
    return parts.length === 0 ? [] : [`records not delivered at target ${target}: ${parts.join(', ')}`];
  });
  return texts.join('; ') || null;
}

/** Null where nothing is to be done. */
export function nextOfJob(job: StandingJob, targets: Counts): string | null {
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
      if (!job.hasOpenLetters) return null;
      return `Each record that was not delivered, why, and what can be done: \`headgate dead-letter list --job ${jobId}\`, then \`headgate dead-letter get ID\`.`;
    case 'delivering':
      return reasonCode !== null && obstacleCodes.includes(reasonCode) ? cause || null : nextOfDeliveries(job, targets);
    case 'completed':
    case 'cancelled':
      return null;
    case 'queued':
    case 'running':
    case 'checking':
      return cause || null;
  }
}

/** What holds records comes first: it needs somebody. */
function nextOfDeliveries({ jobId, flow }: StandingJob, targets: Counts): string | null {
  const [held, parked] = (['held', 'parked'] as const).map((key) => Object.keys(targets).filter((target) => targets[target]![key] > 0));
  if (held!.length > 0) return `Decide about what is held for ${held!.join(', ')}: \`headgate batch list --job ${jobId} --state held\`.`;
  const behind = Object.entries(targets).find(([, { behindHeld }]) => behindHeld > 0);
  if (behind !== undefined) return nextBehind(flow, ...behind);
  if (parked!.length === 0) return nextOfWindows(targets);
  const kept = parked!.filter((target) => targets[target]!.isKeptOpen);
  if (kept.length > 0) {
    const free = kept.map((target) => `\`headgate target breaker auto ${flow} ${target}\``).join(', ');
    return `Records are parked because a person keeps the breaker of ${kept.join(', ')} open. To let them go on: ${free}.`;
  }
  const look = parked!.map((target) => `\`headgate target get ${flow} ${target}\``).join(', ');
  return `Nothing, unless it lasts: records are parked until ${parked!.join(', ')} can be reached again, and go on by themselves. How it stands: ${look}.`;
}

/** In its lane nothing goes on before what is ahead of it was decided. */
function nextBehind(flow: string, target: string, { behindJob }: TargetCounts): string {
  if (behindJob === null)
    return `Records wait behind batches of other files that are held for ${target}: \`headgate batch list --flow ${flow} --target ${target} --state held\`.`;
  return `Records for ${target} keep their order and wait for job ${behindJob}, whose file was accepted earlier and is held: \`headgate job get ${behindJob}\` says why, and how to decide about it.`;
}

function nextOfWindows(targets: Counts): string | null {
  const waiting = Object.entries(targets).filter(([, { waitingForWindow }]) => waitingForWindow > 0);
  if (waiting.length === 0) return null;
  const ends = waiting.map(([target, { windowEndsAt }]) =>
    windowEndsAt === null ? target : `${target} until ${windowEndsAt.toISOString()}`,
  );
  return `Nothing: records wait for those of other files (${ends.join(', ')}), and go on by themselves.`;
}

function howToDecide(job: StandingJob): string {
  const { jobId } = job;
  return isAllowed(job, 'release')
    ? `To decide: \`headgate job release ${jobId} --reason TEXT\` delivers its valid records, \`headgate job reject ${jobId} --reason TEXT\` none.`
    : `It can't be released, as a part of its file could not be read or processed, or the rules of its format find it wrong as a whole: \`headgate job reject ${jobId} --reason TEXT\`, and have the corrected file sent. Where the flow was at fault, the same file is a duplicate when it comes again: \`headgate error E_DUPLICATE\` says how it is taken.`;
}
