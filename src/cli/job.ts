/** `headgate job …`: lists jobs, shows one with its targets and amounts, waits for it, and decides held ones. */
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, countOption, outputOptions, requiredPositional, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { exitCodeOfJob, isHeldUp, tellWhatHolds } from './held-deliveries.ts';
import { untilInterrupted } from './interruption.ts';
import type { JobAnswer } from './job-answer.ts';
import { jobExportCommand } from './job-export.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

const closedStates = new Set(['completed', 'completed_with_failures', 'rejected', 'cancelled']);
const columns = ['jobId', 'flow', 'file', 'state', 'records.read', 'records.valid', 'records.rejected', 'records.filtered', 'createdAt'];
const options = { ...outputOptions, ...apiOptions } as const;

export const jobVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate job list [--state STATE] [--flow FLOW] [--limit N] [--json]',
    summary: 'Lists jobs, newest first.',
    options: { ...options, state: { type: 'string' }, flow: { type: 'string' }, limit: { type: 'string' } },
    async run(line) {
      await printList(line, { path: '/v1/jobs', query: { state: textOption(line, 'state'), flow: textOption(line, 'flow') }, columns });
      return 0;
    },
  },
  get: {
    usage: 'headgate job get JOB [--json]',
    summary: 'Shows one job: counts, amounts, targets, verdict and its reasons.',
    options,
    async run(line) {
      await printOne(line, await createApiClient(line).get(`/v1/jobs/${jobOf(line, this.usage)}`));
      return 0;
    },
  },
  watch: {
    usage: 'headgate job watch JOB [--timeout SECONDS] [--json]',
    summary:
      'Waits until the job is closed or held; exit 0 when it completed, 7 when all that is left of its deliveries is held, 1 otherwise, 8 when time ran out.',
    options: { ...options, timeout: { type: 'string' } },
    async run(line) {
      const api = createApiClient(line);
      const job = await waitForJob(api, jobOf(line, this.usage), countOption(line, 'timeout', 3600));
      await printOne(line, job as never);
      await tellWhatHolds(api, job);
      return exitCodeOfJob(job);
    },
  },
  errors: {
    usage: 'headgate job errors JOB [--limit N] [--json]',
    summary:
      'Lists the findings about rejected records that are kept for views: number, byte offset, field, rule, code. All of them are in the export.',
    options: { ...options, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: `/v1/jobs/${jobOf(line, this.usage)}/errors`,
        itemsMax: 100,
        columns: ['record', 'offset', 'severity', 'code', 'field', 'rule', 'message'],
      });
      return 0;
    },
  },
  export: jobExportCommand,
  release: decision('release', 'Lets a held job go on: its valid records are delivered.'),
  reject: decision('reject', 'Rejects a held job: nothing of it is delivered.'),
  cancel: decision('cancel', 'Cancels a job: what was not delivered yet is not delivered any more.'),
  'retry-close': decision('retry-close', 'Tries again to close a job that did not balance, after its cause was mended.'),
};

function decision(verb: 'release' | 'reject' | 'cancel' | 'retry-close', summary: string): Command {
  return decisionCommand({ command: `headgate job ${verb} JOB`, summary, thing: 'JOB', path: (jobId) => `/v1/jobs/${jobId}/${verb}` });
}

/** Polls with growing pauses, until it is closed, held, or all that is left to be delivered of it is held. Fails with E_TIMEOUT, and at Ctrl-C with E_INTERRUPTED. */
export function waitForJob(
  api: ApiClient,
  jobId: string,
  timeoutSeconds: number,
  onProgress?: (job: JobAnswer) => void,
): Promise<JobAnswer> {
  return untilInterrupted(
    (signal) => pollJob(api, jobId, { timeoutSeconds, onProgress, signal }),
    () => new HeadgateError(cliErrors.E_INTERRUPTED, `job ${jobId} goes on; to watch it: headgate job watch ${jobId}`),
  );
}

async function pollJob(
  api: ApiClient,
  jobId: string,
  { timeoutSeconds, onProgress, signal }: { timeoutSeconds: number; onProgress?: (job: JobAnswer) => void; signal: AbortSignal },
): Promise<JobAnswer> {
  const deadlineMs = systemPorts.clock.monotonicMs() + timeoutSeconds * 1000;
  for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const job = await api.get<JobAnswer>(`/v1/jobs/${jobId}`);
    if (signal.aborted) return job;
    onProgress?.(job);
    if (closedStates.has(job.state) || job.state === 'held' || isHeldUp(job)) return job;
    if (systemPorts.clock.monotonicMs() > deadlineMs)
      throw new HeadgateError(cliErrors.E_TIMEOUT, `job ${jobId} is still ${job.state} after ${timeoutSeconds} s`);
    await systemPorts.sleep.sleep(pauseMs, signal);
    if (signal.aborted) return job;
  }
}

function jobOf(line: CommandLine, usage: string): string {
  return encodeURIComponent(requiredPositional(line, 0, 'JOB', usage));
}
