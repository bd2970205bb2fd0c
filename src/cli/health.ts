/** `headgate health`: whether sources and targets of flows are well, as last probed or, with `--deep`, probed now. Exit code 1 when one is not. */
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, outputOptions, printable, textOption } from './command.ts';
import { printList } from './list.ts';
import { listedFields } from './list-fields.ts';
import { printRows } from './output.ts';

interface SubjectAnswer extends Readonly<Record<string, unknown>> {
  readonly kind: string;
  readonly id: string;
  readonly flow: string;
  readonly state: 'healthy' | 'unhealthy' | 'unprobed';
  readonly code: string | null;
  readonly next: string | null;
}

const columns = ['flow', 'kind', 'id', 'type', 'connection', 'state', 'code', 'durationMs', 'probedAt', 'message'];
const usage = 'headgate health [--deep | --history] [--flow FLOW] [--source SOURCE | --target TARGET] [--limit N] [--json]';
const itemsMax = 10_000;

export const healthCommand: Command = {
  usage,
  summary:
    'Says whether the sources and targets of flows are well; --deep connects and logs in to each now, --history lists the probes of one.',
  options: {
    ...outputOptions,
    ...apiOptions,
    deep: { type: 'boolean' },
    history: { type: 'boolean' },
    flow: { type: 'string' },
    source: { type: 'string' },
    target: { type: 'string' },
    limit: { type: 'string' },
  },
  async run(line) {
    const which = whichOf(line);
    if (line.options.history) {
      if (line.options.deep || which.flow === undefined || which.id === undefined)
        throw new HeadgateError(cliErrors.E_USAGE, `--history takes --flow and --source or --target (usage: ${usage})`);
      const columns = ['probedAt', 'askedBy', 'state', 'code', 'durationMs', 'message'];
      await printList(line, { path: '/v1/health/probes', query: which, columns });
      return 0;
    }
    const subjects = line.options.deep
      ? await probeAll(line, which)
      : await printList<SubjectAnswer>(line, { path: '/v1/health', query: which, columns, itemsMax });
    tellNext(subjects);
    return subjects.some(({ state }) => state === 'unhealthy') ? 1 : 0;
  },
};

function whichOf(line: CommandLine): Record<string, string | undefined> {
  const [source, target] = [textOption(line, 'source'), textOption(line, 'target')];
  if (source !== undefined && target !== undefined)
    throw new HeadgateError(cliErrors.E_USAGE, `either --source or --target (usage: ${usage})`);
  if ((source ?? target) !== undefined && textOption(line, 'flow') === undefined)
    throw new HeadgateError(cliErrors.E_USAGE, `--source and --target need --flow (usage: ${usage})`);
  const kind = source !== undefined ? 'source' : target !== undefined ? 'target' : undefined;
  return { flow: textOption(line, 'flow'), kind, id: source ?? target };
}

/** Page after page: an answer holds what some flows have. */
async function probeAll(line: CommandLine, which: Record<string, string | undefined>): Promise<SubjectAnswer[]> {
  const api = createApiClient(line);
  const subjects: SubjectAnswer[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.post<{ items: SubjectAnswer[]; nextCursor: string | null }>('/v1/health/probe', { ...which, cursor });
    subjects.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  await printRows(line, subjects, { columns, fields: listedFields('/v1/health') });
  return subjects;
}

/** On stderr, once for each code. */
function tellNext(subjects: readonly SubjectAnswer[]): void {
  const told = new Set<string>();
  for (const { state, code, next } of subjects) {
    if (state !== 'unhealthy' || code === null || next === null || told.has(code)) continue;
    told.add(code);
    process.stderr.write(`${printable(`try: ${code}: ${next}`)}\n`);
  }
  const unprobed = subjects.filter(({ state }) => state === 'unprobed').length;
  if (unprobed > 0) process.stderr.write(`${unprobed} not probed yet: headgate health --deep\n`);
}
