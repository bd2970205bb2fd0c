/** `headgate job …`: lists jobs, shows one with its targets and amounts, waits for it, and decides held ones. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, type CommandLine, countOption, outputOptions, requiredPositional, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { exitCodeOfJob } from './held-deliveries.ts';
import { jobExportCommand } from './job-export.ts';
import { tellOutcome } from './job-outcome.ts';
import { waitShowing } from './job-waiting.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

const columns = [
  'jobId',
  'flow',
  'file',
  'state',
  'reasonCode',
  'records.read',
  'records.valid',
  'records.rejected',
  'records.filtered',
  'createdAt',
  'redriveOf',
];
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
  lineage: {
    usage: 'headgate job lineage JOB [--json]',
    summary: 'Shows the jobs that sent records of a file again, and what became of its records over all of them.',
    options,
    async run(line) {
      await printOne(line, await createApiClient(line).get(`/v1/jobs/${jobOf(line, this.usage)}/lineage`));
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
      const jobId = requiredPositional(line, 0, 'JOB', this.usage);
      const job = await waitShowing(api, { jobId, what: `job ${jobId}`, timeoutSeconds: countOption(line, 'timeout', 3600) });
      await printOne(line, job as never);
      await tellOutcome(api, job);
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

function jobOf(line: CommandLine, usage: string): string {
  return encodeURIComponent(requiredPositional(line, 0, 'JOB', usage));
}
