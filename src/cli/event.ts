/** `headgate event list`: what happened, by the thing it is about, its type and its place in the order. */
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, countOption, outputOptions, textOption } from './command.ts';
import { listedFields } from './list-fields.ts';
import { printRows } from './output.ts';
import type { Row } from './output-fields.ts';

const path = '/v1/events';
const pageMax = 1_000;
/** Each looks at ten thousand events at most. */
const pagesMax = 100;

export const eventVerbs: Readonly<Record<string, Command>> = {
  list: {
    usage: 'headgate event list [--about ID] [--type TYPE] [--after SEQ] [--latest] [--limit N] [--json]',
    summary:
      'Lists events in their order, or with --latest the newest first: those about a job, arrival, batch or whatever else has the id, those of a type.',
    options: {
      ...outputOptions,
      ...apiOptions,
      about: { type: 'string' },
      type: { type: 'string' },
      after: { type: 'string' },
      latest: { type: 'boolean' },
      limit: { type: 'string' },
    },
    async run(line) {
      const { items, next } = await findEvents(line);
      const columns = ['seq', 'at', 'type', 'objectId', 'from', 'to', 'actor'];
      await printRows(line, items, { columns, fields: listedFields(path) });
      if (next !== null) process.stderr.write(`stopped, there may be more: ${hintOf(line, next)}\n`);
      return 0;
    },
  },
};

async function findEvents(line: CommandLine): Promise<{ readonly items: readonly Row[]; readonly next: number | null }> {
  const api = createApiClient(line);
  const itemsMax = countOption(line, 'limit', 50);
  const [about, type, after] = [textOption(line, 'about'), textOption(line, 'type'), afterOf(line)];
  const query = { about, type, after, ...(line.options.latest && { order: 'desc' }) };
  const items: Row[] = [];
  let next: number | null = null;
  for (let page = 0; page < pagesMax; page++) {
    const place = next === null ? {} : { [line.options.latest ? 'before' : 'after']: String(next) };
    const limit = String(Math.min(pageMax, itemsMax - items.length));
    const found: { items: Row[]; next: number | null } = await api.get(path, { ...query, ...place, limit });
    items.push(...found.items);
    next = found.next;
    if (next === null || items.length >= itemsMax) break;
  }
  return { items, next };
}

/** Fails with E_USAGE. */
function afterOf(line: CommandLine): string | undefined {
  const text = textOption(line, 'after');
  if (text === undefined || /^\d{1,15}$/.test(text)) return text;
  throw new HeadgateError(cliErrors.E_USAGE, '--after takes the number of an event (seq)');
}

function hintOf({ options }: CommandLine, next: number): string {
  return options.latest
    ? `--limit N shows more, and nothing before event ${next} was looked at`
    : `--after ${next} goes on, --limit N shows more`;
}
