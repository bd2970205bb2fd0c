/** `headgate flow list|get|plan|apply`: the flows of the tenant, through the API. `apply` takes documents of any kind, connections first. */
import { readFileSync } from 'node:fs';
import { HeadgateError } from '../platform/base/errors.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import {
  apiOptions,
  type Command,
  type CommandLine,
  listedMax,
  outputOptions,
  printable,
  requiredPositional,
  textOption,
} from './command.ts';
import { confirmPlan } from './confirmation.ts';
import { printList } from './list.ts';
import { printOne, printRows } from './output.ts';

const options = { ...outputOptions, ...apiOptions } as const;

interface Outcome {
  readonly kind: string;
  readonly name: string;
  readonly version: string | null;
  readonly outcome: string;
  readonly changes: readonly { readonly path: string; readonly change: string }[];
  readonly warnings: readonly { readonly line: number; readonly column: number; readonly code: string; readonly message: string }[];
}

export const flowListCommand: Command = {
  usage: 'headgate flow list [--json]',
  summary: 'Lists the flows of the tenant with the version in force.',
  options,
  async run(line) {
    const columns = ['name', 'service', 'subService', 'version', 'enabled', 'hash'];
    await printList(line, { path: '/v1/flows', itemsMax: 10_000, hint: 'the API has the rest, page by page', columns });
    return 0;
  },
};

export const flowGetCommand: Command = {
  usage: 'headgate flow get NAME [--source] [--json]',
  summary: "Shows a flow and its versions; with --source the author's text of the version in force.",
  options: { ...options, source: { type: 'boolean' } },
  async run(line) {
    const name = encodeURIComponent(requiredPositional(line, 0, 'NAME', this.usage));
    const api = createApiClient(line);
    if (line.options.source) process.stdout.write((await api.get<{ source: string }>(`/v1/flows/${name}/source`)).source);
    else await printOne(line, await api.get(`/v1/flows/${name}`));
    return 0;
  },
};

export const flowPlanCommand: Command = {
  usage: 'headgate flow plan FILE… [--exit-code] [--json]',
  summary: 'Shows what applying the documents would change. With --exit-code: 3 when anything would.',
  options: { ...options, 'exit-code': { type: 'boolean' } },
  async run(line) {
    const plans = await sendAll(createApiClient(line), line, true);
    await printOutcomes(line, plans);
    return line.options['exit-code'] && plans.some((plan) => plan.outcome !== 'unchanged') ? 3 : 0;
  },
};

export const flowApplyCommand: Command = {
  usage: 'headgate flow apply FILE… [--dry-run] [--yes] [--json]',
  summary:
    'Applies documents: policies, environments and connections first, then flows. Shows the changes and asks on a terminal; needs --yes elsewhere.',
  options: { ...options, 'dry-run': { type: 'boolean' }, yes: { type: 'boolean' } },
  async run(line) {
    const api = createApiClient(line);
    if (line.options['dry-run'] || !line.options.yes) {
      const plans = await sendAll(api, line, true);
      if (line.options['dry-run']) {
        await printOutcomes(line, plans);
        return 0;
      }
      if (plans.some((plan) => plan.outcome !== 'unchanged'))
        await confirmPlan(
          line,
          'apply',
          plans.map(({ kind, name, outcome, changes }) => ({ kind, name, outcome, changes })),
        );
    }
    await printOutcomes(line, await sendAll(api, line, false));
    return 0;
  },
};

const order = ['TenantPolicy', 'Connection', 'Environment', 'FlowDefinition'];

async function sendAll(api: ApiClient, line: CommandLine, dryRun: boolean): Promise<Outcome[]> {
  if (line.positionals.length === 0) throw new HeadgateError(cliErrors.E_USAGE, 'no FILE was given');
  const texts = line.positionals.map((path) => ({ path, text: readText(path) }));
  const rankOf = (text: string) => order.indexOf(/^kind:\s*([A-Za-z]+)\s*$/m.exec(text)?.[1] ?? '');
  texts.sort((a, b) => rankOf(a.text) - rankOf(b.text));
  const outcomes: Outcome[] = [];
  for (const { path, text } of texts) {
    try {
      outcomes.push(await api.post<Outcome>('/v1/flows', { text, dryRun }));
    } catch (error) {
      // The command ends here; what was applied before stays applied, and applying it again changes nothing.
      if (error instanceof HeadgateError) error.message = `${path}: ${error.message}`;
      throw error;
    }
  }
  return outcomes;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeadgateError(cliErrors.E_USAGE, `${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

async function printOutcomes(line: CommandLine, outcomes: readonly Outcome[]): Promise<void> {
  const rows = outcomes.map((outcome) => ({ ...outcome, changed: outcome.changes.length }));
  await printRows(line, rows, { columns: ['kind', 'name', 'version', 'outcome', 'changed'] });
  if (textOption(line, 'output') === undefined && !line.options.json)
    for (const { name, changes, warnings } of outcomes) {
      tell(
        name,
        changes.map(({ path, change }) => `${name}: ${change} ${path}`),
      );
      tell(
        name,
        warnings.map((warning) => `${name}:${warning.line}:${warning.column}: warning ${warning.code}: ${warning.message}`),
      );
    }
}

/** On stderr. */
function tell(name: string, texts: readonly string[]): void {
  for (const text of texts.slice(0, listedMax)) process.stderr.write(`${printable(text)}\n`);
  if (texts.length > listedMax) process.stderr.write(`${name}: … and ${texts.length - listedMax} more; --json shows all\n`);
}
