/** What a command that waits for a job says when all that is left of it is held: what holds it, and the command that decides. */
import type { ApiClient } from './api-client.ts';
import { printable } from './command.ts';
import type { JobAnswer } from './job-answer.ts';

/** Exit code where nothing goes on before somebody decides or mends what is wrong. */
export const heldExitCode = 7;

interface HeldBatch {
  readonly batchId: string;
  readonly targetId: string;
  readonly records: number;
  readonly reasonCode: string | null;
  readonly message: string | null;
  readonly next: string | null;
  readonly outcomeUnknown: boolean;
}

/** True when records of the job are left to be delivered and each of them is held, or waits behind one that is. */
export function isHeldUp({ state, targets }: JobAnswer): boolean {
  const counts = Object.values(targets);
  const isWaiting = counts.some(({ held, behindHeld }) => held + behindHeld > 0);
  return state === 'delivering' && isWaiting && counts.every(({ inFlight, behindHeld }) => inFlight === behindHeld);
}

/** Of a job that waiting for has ended: 0 when it completed, 7 when its deliveries are held, else 1. */
export function exitCodeOfJob(job: JobAnswer): number {
  if (isHeldUp(job)) return heldExitCode;
  return job.state === 'completed' ? 0 : 1;
}

/** On stderr: for each target that holds records of the job, what holds them, and what decides. Nothing where none does. */
export async function tellWhatHolds(api: ApiClient, job: JobAnswer): Promise<void> {
  if (!isHeldUp(job)) return;
  for (const [target, { held, behindHeld, behindJob }] of Object.entries(job.targets)) {
    if (held + behindHeld === 0) continue;
    if (held === 0 && behindJob !== null) {
      tell([
        `job ${job.jobId}: at target ${target} ${counted(behindHeld, 'record waits', 'records wait')} for job ${behindJob}, whose file was accepted earlier and is held`,
        `show: headgate job get ${behindJob}`,
      ]);
      continue;
    }
    // Behind batches of other jobs, where none of its own is held.
    const query = held > 0 ? { job: job.jobId, target, state: 'held' } : { flow: job.flow, target, state: 'held' };
    const { items } = await api.list<HeldBatch>('/v1/batches', query, 200);
    const first = items.at(-1);
    const behind = behindHeld > 0 ? `, ${counted(behindHeld, 'waits', 'wait')} behind held ones` : '';
    const why = first?.reasonCode ? ` (${first.reasonCode}${first.message ? `: ${first.message}` : ''})` : '';
    const lines = [`job ${job.jobId}: at target ${target} ${counted(held, 'record is', 'records are')} held${behind}${why}`];
    if (first?.next) lines.push(`try: ${first.next}`);
    const options = Object.entries(query).map(([name, value]) => `--${name} ${value}`);
    lines.push(`list: headgate batch list ${options.join(' ')}`);
    // Where nobody knows whether it arrived, what is to be done says first what to ask, then how to decide.
    if (first && !first.outcomeUnknown)
      lines.push(`decide: headgate batch resolve ${first.batchId} --as resend --reason TEXT (or --as discard)`);
    tell(lines);
  }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function tell(lines: readonly string[]): void {
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
}
