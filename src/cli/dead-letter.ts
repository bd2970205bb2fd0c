/** `headgate dead-letter groups|group|list|get|export|redrive|repair|discard`: records that were given up, and what people decide about them. */
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, countOption, outputOptions, requiredPositional, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

const options = { ...outputOptions, ...apiOptions } as const;

const letterOptions = {
  ...options,
  job: { type: 'string' },
  flow: { type: 'string' },
  target: { type: 'string' },
  cause: { type: 'string' },
  state: { type: 'string' },
  group: { type: 'string' },
} as const;
const letterUsage = '[--job JOB] [--flow FLOW] [--target TARGET] [--cause CAUSE] [--state STATE] [--group GROUP]';

function lettersOf(line: CommandLine): Record<string, string | undefined> {
  const [job, flow, target] = [textOption(line, 'job'), textOption(line, 'flow'), textOption(line, 'target')];
  return { job, flow, target, cause: textOption(line, 'cause'), state: textOption(line, 'state'), group: textOption(line, 'group') };
}

const chosenOptions = { group: { type: 'string' }, job: { type: 'string' }, flow: { type: 'string' }, target: { type: 'string' } } as const;
const chosenUsage = '[--group GROUP] [--job JOB] [--flow FLOW] [--target TARGET]';

/** Else under that of the job that they come from; and all that fit. */
const redriveOptions = { ...chosenOptions, 'current-version': { type: 'boolean' }, first: { type: 'string' } } as const;

export const deadLetterVerbs: Readonly<Record<string, Command>> = {
  groups: {
    usage: `headgate dead-letter groups ${chosenUsage} [--limit N] [--json]`,
    summary: 'Lists open dead letters by what they have in common, with their number, amounts and age.',
    options: { ...options, ...chosenOptions, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/dead-letters/groups',
        query: namedOf(line),
        columns: ['groupId', 'flow', 'targetId', 'code', 'shape', 'records', 'amounts', 'jobs', 'oldestAt', 'expiresAt'],
      });
      return 0;
    },
  },
  group: {
    usage: 'headgate dead-letter group GROUP [--json]',
    summary: 'Shows one group of open dead letters, with up to three of its records, masked.',
    options,
    async run(line) {
      const group = encodeURIComponent(requiredPositional(line, 0, 'GROUP', this.usage));
      await printOne(line, await createApiClient(line).get(`/v1/dead-letters/groups/${group}`));
      return 0;
    },
  },
  list: {
    usage: `headgate dead-letter list ${letterUsage} [--limit N] [--json]`,
    summary: 'Lists records that were given up, newest first.',
    options: { ...letterOptions, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/dead-letters',
        query: lettersOf(line),
        columns: ['deadLetterId', 'jobId', 'targetId', 'recordNumber', 'state', 'cause', 'code', 'message'],
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
    usage: `headgate dead-letter export ${letterUsage} [-o ndjson|csv]`,
    summary: 'Writes up to 10,000 dead letters to stdout, NDJSON where -o says nothing else.',
    options: letterOptions,
    async run(line) {
      await printList(
        { ...line, options: { output: 'ndjson', ...line.options } },
        {
          path: '/v1/dead-letters',
          query: lettersOf(line),
          itemsMax: 10_000,
          hint: '--job, --flow, --target, --cause, --state or --group name fewer',
          columns: ['deadLetterId', 'jobId', 'targetId', 'recordNumber', 'cause', 'code', 'message', 'deliveryKey', 'createdAt'],
        },
      );
      return 0;
    },
  },
  redrive: decisionCommand({
    command: 'headgate dead-letter redrive',
    summary:
      'Sends the records of open dead letters again, as new jobs of their lineage: of the ids, or of all that fit what is named; with --current-version under the version of the flow that is in force.',
    more: { options: redriveOptions, usage: `[ID…] ${chosenUsage} [--first N] [--current-version]` },
    path: () => '/v1/redrives',
    body: redriveOf,
  }),
  repair: decisionCommand({
    command: 'headgate dead-letter repair',
    summary:
      'Gives fields other texts and sends the records that the flow then accepts again; --dry-run shows every record before and after, masked.',
    more: {
      options: { ...redriveOptions, set: { type: 'string', multiple: true } },
      usage: `[ID…] ${chosenUsage} --set FIELD=EXPRESSION… [--first N] [--current-version]`,
    },
    path: () => '/v1/redrives',
    body: (line) => ({ ...redriveOf(line), set: repairOf(line) }),
  }),
  discard: decisionCommand({
    command: 'headgate dead-letter discard',
    summary: 'Discards open dead letters: their records will not be sent. Ledgers stay as they are.',
    more: { options: chosenOptions, usage: `[ID…] ${chosenUsage}` },
    path: () => '/v1/dead-letters/discard',
    body: chosenOf,
  }),
};

function redriveOf(line: CommandLine) {
  return {
    ...chosenOf(line),
    ...(line.options['current-version'] ? { currentVersion: true } : {}),
    ...(line.options['first'] === undefined ? {} : { first: countOption(line, 'first', 1) }),
  };
}

function namedOf(line: CommandLine) {
  const [group, job, flow, target] = (['group', 'job', 'flow', 'target'] as const).map((name) => textOption(line, name));
  return { group, job, flow, target };
}

/** Fails with E_USAGE when nothing is named. */
function chosenOf(line: CommandLine) {
  const named = namedOf(line);
  const ids = line.positionals.length === 0 ? undefined : line.positionals;
  if ([ids, ...Object.values(named)].every((one) => one === undefined))
    throw new HeadgateError(cliErrors.E_USAGE, `say which dead letters: ID…, or ${chosenUsage}`, {
      next: '`headgate dead-letter groups` and `headgate dead-letter list --state open` show what there is.',
    });
  return { deadLetters: ids, ...named };
}

/** Fails with E_USAGE when nothing is set, or something that is no `FIELD=EXPRESSION`. */
function repairOf({ options: { set } }: CommandLine): Record<string, string> {
  const texts = Array.isArray(set) ? set.map(String) : [];
  const pairs = texts.map((text) => /^([^=]+)=(.+)$/s.exec(text));
  if (pairs.length === 0 || pairs.includes(null))
    throw new HeadgateError(cliErrors.E_USAGE, 'say what to repair: --set FIELD=EXPRESSION, once for each field');
  return Object.fromEntries(pairs.map((pair) => [pair![1]!.trim(), pair![2]!]));
}
