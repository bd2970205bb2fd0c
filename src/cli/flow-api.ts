/** `headgate flow list|get|plan|apply`: the flows of the tenant, through the API. `apply` takes documents of any kind, connections first. */
import { HeadgateError, nextOf } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import {
  apiOptions,
  type Command,
  type CommandLine,
  listedMax,
  outputOptions,
  printable,
  reportError,
  requiredPositional,
  textOption,
} from './command.ts';
import { confirm } from './confirmation.ts';
import { type FlowFile, readFlowFiles } from './flow-files.ts';
import { printList } from './list.ts';
import { printOne, printRows } from './output.ts';
import { writeOut } from './stdout.ts';
import { table } from './terminal-text.ts';

const options = { ...outputOptions, ...apiOptions } as const;

interface Outcome {
  readonly kind: string;
  readonly name: string;
  readonly version: string | null;
  readonly outcome: string;
  readonly changes: readonly { readonly path: string; readonly change: string }[];
  readonly warnings: readonly {
    readonly severity: string;
    readonly line: number;
    readonly column: number;
    readonly code: string;
    readonly message: string;
  }[];
}

export const flowListCommand: Command = {
  usage: 'headgate flow list [--json]',
  summary: 'Lists the flows of the tenant with the version in force.',
  options,
  async run(line) {
    const columns = ['name', 'service', 'subService', 'version', 'enabled', 'hash'];
    await printList(line, {
      path: '/v1/flows',
      itemsMax: 10_000,
      hint: 'the API has the rest, page by page',
      columns,
    });
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
    if (line.options.source !== true) await printOne(line, await api.get(`/v1/flows/${name}`));
    else {
      const found = await api.get<{ version: string; hash: string; source: string }>(`/v1/flows/${name}/source`);
      // The text itself, to be kept or changed; a document where one is asked for.
      if (line.options.json === undefined && line.options.output === undefined && line.options.fields === undefined)
        await writeOut(found.source);
      else await printOne(line, found);
    }
    return 0;
  },
};

export const flowPlanCommand: Command = {
  usage: 'headgate flow plan FILE|FOLDER… [--exit-code] [--json]',
  summary:
    'Shows what applying the documents together would change, with the mistakes of all of them. With --exit-code: 3 when anything would.',
  options: { ...options, 'exit-code': { type: 'boolean' } },
  async run(line) {
    const { plans, forbidden } = await planAll(createApiClient(line), readDocuments(line, this.usage));
    await printOutcomes(line, plans);
    if (forbidden !== null) return tellForbidden(forbidden);
    return line.options['exit-code'] && plans.some((plan) => plan.outcome !== 'unchanged') ? 3 : 0;
  },
};

export const flowApplyCommand: Command = {
  usage: 'headgate flow apply FILE|FOLDER… [--dry-run] [--yes] [--json]',
  summary:
    'Applies documents: policies, connections and environments first, then flows. Shows the changes and asks on a terminal; needs --yes elsewhere. Refused when what a change was planned against has changed meanwhile.',
  options: { ...options, 'dry-run': { type: 'boolean' }, yes: { type: 'boolean' } },
  async run(line) {
    const api = createApiClient(line);
    const documents = readDocuments(line, this.usage);
    // Also with --yes: one document that has mistakes keeps all of them from being applied.
    const { plans, forbidden, misfits, against } = await planAll(api, documents);
    if (line.options['dry-run']) {
      await printOutcomes(line, plans);
      return forbidden === null ? 0 : tellForbidden(forbidden);
    }
    if (forbidden !== null) throw forbidden;
    if (!line.options.yes && plans.some((plan) => plan.outcome !== 'unchanged')) {
      const rows = plans.map(({ kind, name, version, outcome, changes }) => [kind, name, version ?? '', outcome, String(changes.length)]);
      process.stderr.write(printable(table(columns, rows)));
      tellDetails(plans);
      await confirm(line, `apply ${line.positionals.join(' ')}`, 'nothing was applied yet: look at the plan above, and repeat with --yes');
    }
    // First what is going to be refused: then nothing is applied.
    const inOrder = [...misfits, ...documents.filter((document) => !misfits.includes(document))];
    const outcomes: Outcome[] = [];
    try {
      await applyAll(api, inOrder, { against, onApplied: (outcome) => outcomes.push(outcome) });
    } catch (error) {
      // What was refused is said, whether or not the list can be.
      if (outcomes.length > 0) await printOutcomes(line, outcomes, true).catch(() => {});
      throw error;
    }
    await printOutcomes(line, outcomes, true);
    return 0;
  },
};

const order = ['TenantPolicy', 'Connection', 'Environment', 'FlowDefinition'];
const columns = ['kind', 'name', 'version', 'outcome', 'changed'];

interface Document extends FlowFile {
  readonly kind: string;
}

/** In the order in which they depend on each other. Fails with E_USAGE and E_INPUT_FILE. */
function readDocuments(line: CommandLine, usage: string): Document[] {
  const documents = readFlowFiles(line.positionals, usage).map((each) => ({ ...each, kind: kindOf(each.text) }));
  const rankOf = ({ kind }: Document) => order.indexOf(kind);
  return documents.sort((a, b) => rankOf(a) - rankOf(b));
}

function kindOf(text: string): string {
  return /^kind:\s*["']?([A-Za-z]+)/m.exec(text)?.[1] ?? '';
}

/** What goes along with each document, in bytes; the API takes 2 MiB in all. */
const alongsideBytesMax = 900_000;

interface Plans {
  readonly plans: readonly Outcome[];
  /** Why the policy, and it alone, could not be planned. */
  readonly forbidden: HeadgateError | null;
  /** They name what is neither among the documents nor in force, which a plan only warns of. */
  readonly misfits: readonly Document[];
  readonly against: ReadonlyMap<Document, PlannedAgainst>;
}

/** The `ETag` of what was in force of a document when it was planned. */
interface PlannedAgainst {
  readonly thing: string;
  readonly etag: string;
}

const mistakes: readonly string[] = ['E_FLOW_INVALID', 'E_VERSION_CONFLICT'];

/** Such a flow names other flows. */
const readsAnswers = /\btype:\s*["']?answers\b/;

/** Each as if the others were in force. The mistakes of all are told; fails with those of the last. */
async function planAll(api: ApiClient, documents: readonly Document[]): Promise<Plans> {
  const plans: Outcome[] = [];
  const against = new Map<Document, PlannedAgainst>();
  let forbidden: HeadgateError | null = null;
  const refused: HeadgateError[] = [];
  const misfits: Document[] = [];
  const collisions = await collisionsOf(documents);
  for (const document of documents) {
    const isAbout = ({ kind }: Document): boolean => kind !== 'FlowDefinition' || readsAnswers.test(document.text);
    const others = documents.filter((other) => other !== document && isAbout(other)).map(({ text }) => text);
    const isMuch = others.reduce((sum, text) => sum + JSON.stringify(text).length, 0) > alongsideBytesMax;
    const body = { text: document.text, dryRun: true, ...(others.length > 0 && !isMuch && { alongside: others }) };
    try {
      const { answer: plan, etag } = await naming(document.file, () => api.postTagged<Outcome>('/v1/flows', body));
      plans.push(plan);
      if (etag !== null) against.set(document, { thing: `${plan.kind}/${plan.name}`, etag });
      const collision = collisions.get(document);
      if (collision !== undefined) refused.push(collision);
      if (!isMuch && plan.warnings.some(({ severity }) => severity === 'error')) misfits.push(document);
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      if (mistakes.includes(error.code)) refused.push(error);
      else if (error.code === 'E_FORBIDDEN' && document.kind === 'TenantPolicy') forbidden = error;
      else throw error;
    }
  }
  const last = refused.pop();
  if (last !== undefined && forbidden !== null) reportError(forbidden);
  for (const error of refused) reportError(error);
  if (last !== undefined) throw last;
  if (forbidden !== null && plans.length === 0) throw forbidden;
  return { plans, forbidden, misfits, against };
}

/** Flows that take the same files as one before them: the server sees each with those in force alone. */
async function collisionsOf(documents: readonly Document[]): Promise<ReadonlyMap<Document, HeadgateError>> {
  const flows = documents.filter(({ kind }) => kind === 'FlowDefinition');
  const found = new Map<Document, HeadgateError>();
  if (flows.length < 2) return found;
  const { checkPlacesTogether } = await import('../control/flows/check-documents.ts');
  const { flowErrors } = await import('../control/flows/flow-errors.ts');
  for (const [index, details] of checkPlacesTogether(flows.map(({ text }) => text)).entries()) {
    const { file } = flows[index]!;
    if (details.length === 0) continue;
    const next = nextOf(details[0]!.code);
    found.set(
      flows[index]!,
      new HeadgateError(flowErrors.E_FLOW_INVALID, `${file}: the document does not fit the others`, { details, next }),
    );
  }
  return found;
}

/** The exit code. */
function tellForbidden(error: HeadgateError): number {
  process.stderr.write('the policy was not planned; everything else was, as if the policy were in force\n');
  return reportError(error);
}

/**
 * What the plans were made against must be in force still, but for what is applied here. Ends at the first that is refused after all;
 * what was applied before stays applied, and applying it again changes nothing.
 */
async function applyAll(
  api: ApiClient,
  documents: readonly Document[],
  { against, onApplied }: { readonly against: Plans['against']; readonly onApplied: (outcome: Outcome) => void },
): Promise<void> {
  const applied = new Map<string, string>();
  for (const document of documents) {
    const { thing, etag } = against.get(document) ?? { thing: '', etag: '*' };
    const headers = { 'if-match': applied.get(thing) ?? etag, 'idempotency-key': systemPorts.ids.next() };
    const body = { text: document.text, dryRun: false };
    const { answer, etag: now } = await naming(document.file, () => api.postTagged<Outcome>('/v1/flows', body, headers));
    if (now !== null) applied.set(thing, now);
    onApplied(answer);
  }
}

async function naming<Result>(file: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof HeadgateError) error.message = `${file}: ${error.message}`;
    throw error;
  }
}

async function printOutcomes(line: CommandLine, outcomes: readonly Outcome[], isDone = false): Promise<void> {
  const rows = outcomes.map((outcome) => ({ ...outcome, changed: outcome.changes.length }));
  await printRows(line, rows, { columns, isDone });
  if (textOption(line, 'output') === undefined && !line.options.json) tellDetails(outcomes);
}

function tellDetails(outcomes: readonly Outcome[]): void {
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
