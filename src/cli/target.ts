/** `headgate target list|get|probe|breaker`: how the breakers of targets stand, what is parked, and a person's word about one. */
import { breakerDecisions } from '../pipeline/deliveries/breakers/breaker-decisions.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, outputOptions, printable, requiredPositional, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';

interface TargetAnswer extends Readonly<Record<string, unknown>> {
  readonly flow: string;
  readonly targetId: string;
  readonly next: string | null;
  readonly heldRecords: number;
}

const options = { ...outputOptions, ...apiOptions } as const;
const columns = [
  'flow',
  'targetId',
  'type',
  'state',
  'mode',
  'since',
  'reasonCode',
  'nextProbeAt',
  'concurrency',
  'parkedBatches',
  'parkedRecords',
  'heldRecords',
];
const itemsMax = 10_000;
const usages = {
  get: 'headgate target get FLOW TARGET [--json]',
  probe: 'headgate target probe FLOW TARGET',
  breaker: `headgate target breaker ${breakerDecisions.join('|')} FLOW TARGET`,
};

export const targetVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate target list [--flow FLOW] [--state closed|open|half_open] [--limit N] [--json]',
    summary: 'Lists targets of flows: how the breaker of each stands, how many batches it gets at once, and what is parked for it.',
    options: { ...options, flow: { type: 'string' }, state: { type: 'string' }, limit: { type: 'string' } },
    async run(line) {
      const query = { flow: textOption(line, 'flow'), state: textOption(line, 'state') };
      tellNext(line, await printList<TargetAnswer>(line, { path: '/v1/targets', query, columns, itemsMax }));
      return 0;
    },
  },
  get: {
    usage: usages.get,
    summary: 'Shows a target with its breaker and the last changes of that.',
    options,
    async run(line) {
      const target = await createApiClient(line).get<TargetAnswer>(pathOf(line, 0, usages.get));
      await printOne(line, target);
      tellNext(line, [target]);
      return 0;
    },
  },
  probe: decisionCommand({
    command: usages.probe,
    summary: 'Tries at once whether the target of an open breaker is back; whether a target is well at all, headgate health --deep says.',
    path: (_, line) => `${pathOf(line, 0, usages.probe)}/probe`,
    remark: ({ state, mode }) =>
      mode === 'auto' && state === 'open'
        ? null
        : mode === 'open'
          ? 'nothing was tried: a person keeps the breaker open; headgate target breaker auto lets it decide by itself'
          : 'nothing was tried: the breaker is not open; headgate health --deep says whether the target is well',
  }),
  breaker: decisionCommand({
    command: usages.breaker,
    summary: 'Keeps a breaker open, so that nothing is sent to its target, or closed, or lets it decide by itself again.',
    path: (_, line) => `${pathOf(line, 1, usages.breaker)}/breaker`,
    body: (line) => ({ action: actionOf(line) }),
  }),
};

function pathOf(line: CommandLine, index: number, usage: string): string {
  const [flow, target] = [requiredPositional(line, index, 'FLOW', usage), requiredPositional(line, index + 1, 'TARGET', usage)];
  return `/v1/targets/${encodeURIComponent(flow)}/${encodeURIComponent(target)}`;
}

function actionOf(line: CommandLine): string {
  const action = requiredPositional(line, 0, breakerDecisions.join('|'), usages.breaker);
  if ((breakerDecisions as readonly string[]).includes(action)) return action;
  throw new HeadgateError(cliErrors.E_USAGE, `a breaker can be told ${breakerDecisions.join(', ')} (usage: ${usages.breaker})`);
}

/** On stderr, where data is text for people: what to do about those that are not closed or kept so, and about what is held. */
function tellNext(line: CommandLine, targets: readonly TargetAnswer[]): void {
  if (line.options.json || textOption(line, 'output') !== undefined) return;
  for (const { flow, targetId, next, heldRecords } of targets) {
    if (next !== null) process.stderr.write(`${printable(`try: ${flow} ${targetId}: ${next}`)}\n`);
    if (heldRecords > 0)
      process.stderr.write(
        `${printable(`try: ${flow} ${targetId}: what is held, why, and what to do: headgate batch list --state held`)}\n`,
      );
  }
}
