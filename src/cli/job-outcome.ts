/** What a command that waited for a job says of how it stands: why, and what can be done. Nothing of one that completed. */
import type { ApiClient } from './api-client.ts';
import { printable } from './command.ts';
import { tellWhatHolds } from './held-deliveries.ts';
import type { JobAnswer } from './job-answer.ts';

/** On stderr. */
export async function tellOutcome(api: ApiClient, job: JobAnswer): Promise<void> {
  const { jobId, state, reason, next } = job;
  const why = reason ? `: ${reason}` : '';
  if (state === 'delivering') return await tellWhatHolds(api, job);
  if (state === 'held') {
    const canRelease = job.allowed.includes('release');
    const decide = canRelease ? `job release ${jobId} --reason TEXT (or job reject)` : `job reject ${jobId} --reason TEXT`;
    return tell([
      `job ${jobId} is held${why}`,
      `show: headgate job get ${jobId}`,
      ...(canRelease || !next ? [] : [`try: ${next}`]),
      `decide: headgate ${decide}`,
    ]);
  }
  if (state !== 'completed') tell([`job ${jobId} is ${state}${why}`, ...(next ? [`try: ${next}`] : [])]);
}

function tell(lines: readonly string[]): void {
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
}
