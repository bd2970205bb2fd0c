/** `headgate record list|get`: what became of records, masked. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, outputOptions, requiredPositional, textOption } from './command.ts';
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
    summary:
      'Shows one record: outcome, findings, targets, and its fields masked; a field that something is wrong with as it stands in the file, or, where the flow masks any field, its form alone (9 for a digit, a or A for a letter), and masked as much as any other of the flow where it is masked itself.',
    options,
    async run(line) {
      const jobId = encodeURIComponent(requiredPositional(line, 0, 'JOB', this.usage));
      const number = encodeURIComponent(requiredPositional(line, 1, 'NUMBER', this.usage));
      await printOne(line, await createApiClient(line).get(`/v1/jobs/${jobId}/records/${number}`));
      return 0;
    },
  },
};
