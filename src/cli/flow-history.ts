/** `headgate flow history`: the versions of a flow, when and by whom each was applied, and what it changed. */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, countOption, outputOptions, printable, requiredPositional, textOption } from './command.ts';
import { printRows } from './output.ts';
import { writeOut } from './stdout.ts';

interface Entry extends Readonly<Record<string, unknown>> {
  readonly version: string;
  readonly state: string;
  readonly appliedAt: string;
  readonly appliedBy: string;
  readonly previous: string | null;
  readonly changes: readonly { readonly change: string; readonly path: string; readonly before?: unknown; readonly after?: unknown }[];
  readonly changeCount: number;
}

const columns = ['version', 'state', 'appliedAt', 'appliedBy', 'previous', 'changeCount'];
const versionsDefault = 10;
/** Most that the API gives at once. */
const versionsPerPage = 50;

export const flowHistoryCommand: Command = {
  usage: 'headgate flow history NAME [--limit N] [--json]',
  summary: 'Shows the versions of a flow, newest first: when and by whom each was applied, and what it changed against the one before.',
  options: { ...outputOptions, ...apiOptions, limit: { type: 'string' } },
  async run(line) {
    const name = encodeURIComponent(requiredPositional(line, 0, 'NAME', this.usage));
    const { items, isCut } = await createApiClient(line).list<Entry>(
      `/v1/flows/${name}/history`,
      {},
      countOption(line, 'limit', versionsDefault),
      versionsPerPage,
    );
    const wantsData = line.options.json || textOption(line, 'output') !== undefined || textOption(line, 'fields') !== undefined;
    if (wantsData) await printRows(line, items, { columns });
    else await writeOut(items.map(entryText).join('\n'));
    if (isCut) process.stderr.write(`stopped after ${items.length}, there are more: --limit N shows them\n`);
    return 0;
  },
};

function entryText({ version, state, appliedAt, appliedBy, previous, changes, changeCount }: Entry): string {
  const since = previous === null ? 'the first' : `${changeCount} change${changeCount === 1 ? '' : 's'} since ${previous}`;
  const lines = [`${version}  ${state}  ${appliedAt}  ${appliedBy}  ${since}`];
  if (previous !== null) for (const change of changes) lines.push(`  ${changeText(change)}`);
  if (previous !== null && changeCount > changes.length) lines.push(`  … and ${changeCount - changes.length} more`);
  return `${lines.map(printable).join('\n')}\n`;
}

/** Longer values are better read in the texts of both versions. */
const valueMax = 80;

function changeText({ change, path, before, after }: Entry['changes'][number]): string {
  const values = [before, after].filter((value) => value !== undefined).map(valueText);
  return `${change} ${path}${values.length === 0 ? '' : `: ${values.join(' → ')}`}`;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= valueMax ? text : `${text.slice(0, valueMax)}…`;
}
