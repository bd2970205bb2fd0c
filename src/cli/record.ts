/** `headgate record list|get` and `headgate dead-letter list|get|export`: what became of records, masked. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, type CommandLine, outputOptions, requiredPositional, textOption } from './command.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

const options = { ...outputOptions, ...apiOptions } as const;

export const recordVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate record list JOB [--status valid|rejected|filtered] [--after NUMBER] [--limit N] [--json]',
    summary: 'Lists the records of a job with their outcome.',
    options: { ...options, status: { type: 'string' }, after: { type: 'string' }, limit: { type: 'string' } },
    async run(line) {
      const jobId = encodeURIComponent(requiredPositional(line, 0, 'JOB', this.usage));
      await printList(line, {
        path: `/v1/jobs/${jobId}/records`,
        query: { status: textOption(line, 'status'), after: textOption(line, 'after') },
        columns: ['record', 'status', 'offset', 'targets'],
      });
      return 0;
    },
  },
  get: {
    usage: 'headgate record get JOB NUMBER [--json]',
    summary: 'Shows one record: outcome, findings, targets, and its fields masked.',
    options,
    async run(line) {
      const jobId = encodeURIComponent(requiredPositional(line, 0, 'JOB', this.usage));
      const number = encodeURIComponent(requiredPositional(line, 1, 'NUMBER', this.usage));
      await printOne(line, await createApiClient(line).get(`/v1/jobs/${jobId}/records/${number}`));
      return 0;
    },
  },
};

const letterOptions = { ...options, job: { type: 'string' }, target: { type: 'string' }, cause: { type: 'string' } } as const;

function lettersOf(line: CommandLine): Record<string, string | undefined> {
  return { job: textOption(line, 'job'), target: textOption(line, 'target'), cause: textOption(line, 'cause') };
}

export const deadLetterVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate dead-letter list [--job JOB] [--target TARGET] [--cause CAUSE] [--limit N] [--json]',
    summary: 'Lists records that were given up, newest first.',
    options: { ...letterOptions, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/dead-letters',
        query: lettersOf(line),
        columns: ['deadLetterId', 'jobId', 'targetId', 'recordNumber', 'cause', 'code', 'message'],
      });
      return 0;
    },
  },
  get: {
    usage: 'headgate dead-letter get ID [--json]',
    summary: 'Shows one dead letter.',
    options,
    async run(line) {
      await printOne(
        line,
        await createApiClient(line).get(`/v1/dead-letters/${encodeURIComponent(requiredPositional(line, 0, 'ID', this.usage))}`),
      );
      return 0;
    },
  },
  export: {
    usage: 'headgate dead-letter export [--job JOB] [--target TARGET] [--cause CAUSE] [-o ndjson|csv]',
    summary: 'Writes up to 10,000 dead letters to stdout, NDJSON where -o says nothing else.',
    options: letterOptions,
    async run(line) {
      await printList(
        { ...line, options: { output: 'ndjson', ...line.options } },
        {
          path: '/v1/dead-letters',
          query: lettersOf(line),
          itemsMax: 10_000,
          hint: '--job, --target or --cause name fewer',
          columns: ['deadLetterId', 'jobId', 'targetId', 'recordNumber', 'cause', 'code', 'message', 'deliveryKey', 'createdAt'],
        },
      );
      return 0;
    },
  },
};
