/** `headgate blocked-key list|release`: business keys whose later records are held back because one of them was given up. */
import { apiOptions, type Command, type CommandLine, outputOptions, textOption } from './command.ts';
import { decisionCommand } from './decision.ts';
import { printList } from './list.ts';

const which = { 'dead-letter': { type: 'string' }, job: { type: 'string' }, flow: { type: 'string' }, target: { type: 'string' } } as const;
const whichUsage = '[--dead-letter ID] [--job JOB] [--flow FLOW] [--target TARGET]';

export const blockedKeyVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: `headgate blocked-key list ${whichUsage} [--limit N] [--json]`,
    summary: 'Lists blocked keys by the record that was given up, newest first.',
    options: { ...outputOptions, ...apiOptions, ...which, limit: { type: 'string' } },
    async run(line) {
      await printList(line, {
        path: '/v1/blocked-keys',
        query: filterOf(line),
        columns: ['deadLetterId', 'jobId', 'flow', 'targetId', 'recordNumber', 'cause', 'code', 'isWholeLane', 'blockedAt'],
      });
      return 0;
    },
  },
  release: decisionCommand({
    command: 'headgate blocked-key release',
    summary:
      'Releases the keys that fit all that is named, at least one thing: their next records are sent again. Those that were held back stay dead letters.',
    more: { options: which, usage: whichUsage },
    path: () => '/v1/blocked-keys/release',
    body: filterOf,
  }),
};

function filterOf(line: CommandLine): Record<string, string | undefined> {
  const [job, flow, target] = [textOption(line, 'job'), textOption(line, 'flow'), textOption(line, 'target')];
  return { deadLetter: textOption(line, 'dead-letter'), job, flow, target };
}
