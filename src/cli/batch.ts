/** `headgate batch list|get|refusals|resolve`: deliveries that were sent together, and what a person knows about one that nobody knows of. */
import { createApiClient } from './api-client.ts';
import {
  apiOptions,
  type Command,
  type CommandLine,
  outputOptions,
  printable,
  requiredOption,
  requiredPositional,
  textOption,
} from './command.ts';
import { decisionCommand } from './decision.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

const options = { ...outputOptions, ...apiOptions } as const;
const resolveUsage = 'headgate batch resolve BATCH --as delivered|resend|discard';

interface BatchAnswer extends Readonly<Record<string, unknown>> {
  readonly batchId: string;
  readonly reasonCode: string | null;
  readonly next: string | null;
  readonly state: string;
  readonly awaitsDecision: boolean;
  readonly outcomeUnknown: boolean;
}

/** On stderr, where data is text for people: once for each code and state what to do about it. */
function tellNext(line: CommandLine, batches: readonly BatchAnswer[]): void {
  if (line.options.json || textOption(line, 'output') !== undefined) return;
  const told = new Set<string>();
  for (const { batchId, state, reasonCode, next, awaitsDecision, outcomeUnknown } of batches) {
    const kind = `${reasonCode} ${state}`;
    if (reasonCode === null || next === null || told.has(kind)) continue;
    told.add(kind);
    const which = batches.length === 1 ? '' : `${reasonCode}: `;
    const decide =
      awaitsDecision && !outcomeUnknown ? ` To send it again: headgate batch resolve ${batchId} --as resend --reason TEXT` : '';
    process.stderr.write(`${printable(`try: ${which}${next}${decide}`)}\n`);
  }
}

export const batchVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate batch list [--job JOB] [--flow FLOW] [--target TARGET] [--state STATE] [--answer STATE] [--limit N] [--json]',
    summary: 'Lists delivery batches, newest first; those in state held wait for a decision.',
    options: {
      ...options,
      job: { type: 'string' },
      flow: { type: 'string' },
      target: { type: 'string' },
      state: { type: 'string' },
      answer: { type: 'string' },
      limit: { type: 'string' },
    },
    async run(line) {
      const filter = Object.fromEntries(['job', 'flow', 'target', 'state', 'answer'].map((name) => [name, textOption(line, name)]));
      const batches = await printList<BatchAnswer>(line, {
        path: '/v1/batches',
        query: filter,
        columns: ['batchId', 'flow', 'targetId', 'state', 'records', 'attempts', 'reasonCode', 'answerState', 'createdAt', 'message'],
      });
      tellNext(line, batches);
      return 0;
    },
  },
  get: {
    usage: 'headgate batch get BATCH [--json]',
    summary: 'Shows one delivery batch: jobs, records, amounts, and every attempt.',
    options,
    async run(line) {
      const batchId = encodeURIComponent(requiredPositional(line, 0, 'BATCH', this.usage));
      const batch = await createApiClient(line).get<BatchAnswer>(`/v1/batches/${batchId}`);
      await printOne(line, batch);
      tellNext(line, [batch]);
      return 0;
    },
  },
  refusals: {
    usage: 'headgate batch refusals BATCH [--limit N] [--json]',
    summary: 'Lists the records of a delivered batch that its target refused in an answer, and where the answer says so.',
    options: { ...options, limit: { type: 'string' } },
    async run(line) {
      const batchId = encodeURIComponent(requiredPositional(line, 0, 'BATCH', this.usage));
      await printList(line, {
        path: `/v1/batches/${batchId}/refusals`,
        query: {},
        columns: ['jobId', 'record', 'code', 'answerJobId', 'answerRecord', 'createdAt'],
      });
      return 0;
    },
  },
  resolve: decisionCommand({
    command: 'headgate batch resolve BATCH',
    summary:
      'Decides about a held batch, after its target was asked: it was delivered; or send it again, labelled as a possible duplicate where nobody knows whether it arrived; or give it up as dead letters.',
    thing: 'BATCH',
    more: { options: { as: { type: 'string' } }, usage: '--as delivered|resend|discard' },
    path: (batchId) => `/v1/batches/${batchId}/resolve`,
    body: (line) => ({ decision: requiredOption(line, 'as', resolveUsage) }),
    effect: (line, batch) => {
      const label = batch.outcomeUnknown ? ', labelled as possible duplicates' : '';
      const effects: Readonly<Record<string, string>> = {
        delivered: 'would count as delivered, and nothing is sent',
        resend: `would be sent again${label}`,
        discard: 'would become dead letters, and nothing is sent',
      };
      return `records of it that ${effects[textOption(line, 'as') ?? '']}: ${batch.records}`;
    },
  }),
};
