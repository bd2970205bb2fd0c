/** `headgate arrival list|get|accept|refuse` and `headgate file list|get|acknowledge|acknowledgement`: what was seen at a source, and what of it was accepted. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, outputOptions, requiredPositional, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';
import { writeOut } from './stdout.ts';

const options = { ...outputOptions, ...apiOptions } as const;

export const arrivalVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate arrival list [--state STATE] [--flow FLOW] [--container ARRIVAL] [--limit N] [--json]',
    summary:
      'Lists arrivals, accepted or not, newest first; those in state held wait for a decision. With --container the members of an unpacked one.',
    options: { ...options, state: { type: 'string' }, flow: { type: 'string' }, container: { type: 'string' }, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/arrivals',
        query: { state: textOption(line, 'state'), flow: textOption(line, 'flow'), container: textOption(line, 'container') },
        columns: ['arrivalId', 'flow', 'source', 'name', 'bytes', 'state', 'reasonCode', 'seenAt'],
      });
      return 0;
    },
  },
  get: {
    usage: 'headgate arrival get ARRIVAL [--json]',
    summary: 'Shows one arrival: where it came from, its state and why.',
    options,
    async run(line) {
      const arrivalId = encodeURIComponent(requiredPositional(line, 0, 'ARRIVAL', this.usage));
      await printOne(line, await createApiClient(line).get(`/v1/arrivals/${arrivalId}`));
      return 0;
    },
  },
  accept: decisionCommand({
    command: 'headgate arrival accept ARRIVAL',
    summary: 'Accepts an arrival that was held, with the bytes that were kept; it becomes a job.',
    thing: 'ARRIVAL',
    path: (arrivalId) => `/v1/arrivals/${arrivalId}/accept`,
  }),
  refuse: decisionCommand({
    command: 'headgate arrival refuse ARRIVAL',
    summary: 'Refuses an arrival that was held; its bytes stay in quarantine.',
    thing: 'ARRIVAL',
    path: (arrivalId) => `/v1/arrivals/${arrivalId}/refuse`,
  }),
};

export const fileVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate file list [--flow FLOW] [--acknowledgement pending|failed] [--limit N] [--json]',
    summary: 'Lists accepted files, newest first; with --acknowledgement those whose sender was not told yet, or could not be.',
    options: { ...options, flow: { type: 'string' }, acknowledgement: { type: 'string' }, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/files',
        query: { flow: textOption(line, 'flow'), acknowledgement: textOption(line, 'acknowledgement') },
        columns: ['fileId', 'flow', 'name', 'containerName', 'bytes', 'acceptedNumber', 'sha256', 'acceptedAt'],
      });
      return 0;
    },
  },
  get: {
    usage: 'headgate file get FILE [--json]',
    summary: 'Shows one accepted file with its hashes and jobs.',
    options,
    async run(line) {
      const fileId = encodeURIComponent(requiredPositional(line, 0, 'FILE', this.usage));
      await printOne(line, await createApiClient(line).get(`/v1/files/${fileId}`));
      return 0;
    },
  },
  acknowledge: decisionCommand({
    command: 'headgate file acknowledge FILE',
    summary: 'Writes acknowledgements of a file again that were given up, where its flow says.',
    thing: 'FILE',
    path: (fileId) => `/v1/files/${fileId}/acknowledgement/retry`,
  }),
  acknowledgement: {
    usage: 'headgate file acknowledgement FILE [--level file|record] [--format json|csv|pain.002|nacha]',
    summary: 'Writes to stdout what became of a file, for its sender; with --level record every rejected record. 6 while its job is open.',
    options: { ...apiOptions, level: { type: 'string' }, format: { type: 'string' } },
    async run(line) {
      const fileId = encodeURIComponent(requiredPositional(line, 0, 'FILE', this.usage));
      const [level, format] = [textOption(line, 'level'), textOption(line, 'format')];
      const query = new URLSearchParams({ ...(level !== undefined && { level }), ...(format !== undefined && { format }) });
      const pieces = await createApiClient(line).stream(`/v1/files/${fileId}/acknowledgement${query.size === 0 ? '' : `?${query}`}`);
      for await (const piece of pieces) await writeOut(piece);
      return 0;
    },
  },
};
