/**
 * Holds a document that is applied against what the tenant has in force. A flow's connections must be there as this
 * environment binds them, of the right type, and its masks no weaker than the policy's; a Connection's folder must be the tenant's; an Environment must bind names to
 * connections that are there; neither it nor a Connection may take away from a flow in force what it uses.
 */
import { folderErrors } from '../../../platform/base/folder-errors.ts';
import { type FolderFence, foldersMeet } from '../../../platform/base/folder-fence.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { answeredFlows, checkAnswered, targetIds } from '../check-answered.ts';
import { checkSecrets } from '../check-connection.ts';
import { checkEnvironment, checkReferences, checkStage } from '../check-references.ts';
import type { Connection, Environment, FlowDefinition, HeadgateDocument, TenantPolicy } from '../definition.ts';
import { type Diagnostic, type Path, type PlaceFinder, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { loadDocument } from '../load-flow.ts';
import { bindingsOf } from './bound-connections.ts';
import { checkEgress } from './check-egress.ts';
import { findTenantPolicy, listDefinitions } from './definition-store.ts';
import { getFlowSource, listFlows } from './flow-views.ts';
import { checkPlacesInForce, checkPolledPlaces } from './polled-places.ts';
import { checkSftpFolders } from './sftp-users.ts';

export interface CheckedText {
  readonly document: HeadgateDocument;
  readonly places: PlaceFinder;
}

/** Most documents of a kind, and most flows, that are looked at. */
const documentsMax = 100_000;
const flowsMax = 10_000;

type Connections = ReadonlyMap<string, Connection>;

/** Which folders the tenant's connections may name. */
export interface ConnectionFence {
  readonly folders: FolderFence;
  /** Roots of other tenants' connections: none may meet them. */
  readonly foldersOfOthers: readonly string[];
  /** Below these each tenant has a folder of files with secrets. */
  readonly secretFolders: readonly string[];
}

export interface TenantView {
  /** The setting: dev, test or prod. */
  readonly environment: string;
  readonly fence?: ConnectionFence;
  /** Documents that are planned with this one, taken as if they were in force. */
  readonly alongside?: readonly HeadgateDocument[];
}

/** Every finding with its place in the text. */
export async function checkAgainstTenant(
  tx: TenantTx,
  { document, places }: CheckedText,
  { environment, fence, alongside = [] }: TenantView,
): Promise<readonly Diagnostic[]> {
  const report = new Report(places);
  if (document.kind === 'TenantPolicy') return report.diagnostics;
  const others = { connections: ofKind(alongside, 'Connection'), environments: ofKind(alongside, 'Environment') };
  const policyAlongside = alongside.findLast(({ kind }) => kind === 'TenantPolicy') as TenantPolicy | undefined;
  const stored = new Map([...(await readConnections(tx)), ...others.connections]) as Map<string, Connection>;
  const inForce = (await listDefinitions(tx, 'Environment', documentsMax)).map(({ name, document: each }) => [name, each] as const);
  const environments = byName([...new Map([...inForce, ...others.environments]).values()] as Environment[]);
  const bound = bind(stored, bindingsOf(environments, environment));
  const policy = policyAlongside ?? (((await findTenantPolicy(tx))?.document ?? null) as TenantPolicy | null);
  if (document.kind === 'FlowDefinition') {
    checkReferences(document as FlowDefinition, { connections: bound, policy }, report);
    await checkAnsweredFlows(tx, document as FlowDefinition, alongside, report);
    const bindings = bindingsOf(environments, environment);
    await checkSftpFolders(tx, document as FlowDefinition, bindings, report);
    await checkPolledPlaces(tx, document as FlowDefinition, { bound, alongside }, report);
  } else if (document.kind === 'Connection') {
    if (fence) checkFolder(document as Connection, fence, report);
    if (fence) checkSecrets(document as Connection, report, fence.secretFolders);
    checkEgress(document as Connection, policy, report);
    const { name } = document.metadata;
    const after = bind(new Map([...stored, [name, document as Connection]]), bindingsOf(environments, environment));
    await checkFlowsInForce(tx, { before: bound, after, path: () => ['spec', 'type'] }, report);
    await checkPlacesInForce(
      tx,
      { before: bound, after, path: () => ('root' in document.spec ? ['spec', 'root'] : ['spec', 'type']) },
      report,
    );
  } else if (document.kind === 'Environment') {
    checkEnvironment(document as Environment, stored, report);
    const rest = environments.filter(({ metadata }) => metadata.name !== document.metadata.name);
    checkStage(document as Environment, rest, report);
    const after = bind(stored, bindingsOf(byName([...rest, document as Environment]), environment));
    await checkFlowsInForce(tx, { before: bound, after, path: () => ['spec', 'connections'] }, report);
    await checkPlacesInForce(tx, { before: bound, after, path: () => ['spec', 'connections'] }, report);
  }
  return report.diagnostics;
}

/** Against the flows in force, and those that are planned with this one. */
async function checkAnsweredFlows(
  tx: TenantTx,
  flow: FlowDefinition,
  alongside: readonly HeadgateDocument[],
  report: Report,
): Promise<void> {
  const answered = answeredFlows(flow);
  if (answered.length === 0) return;
  const planned = [flow, ...alongside.filter((each): each is FlowDefinition => each.kind === 'FlowDefinition')];
  const targets = new Map(planned.map((each) => [each.metadata.name, targetIds(each)]));
  const names = (await listFlows(tx, { limit: flowsMax })).filter(({ hash }) => hash !== null).map(({ name }) => name);
  for (const name of new Set(answered)) {
    if (targets.has(name) || !names.includes(name)) continue;
    const { document, partial } = loadDocument((await getFlowSource(tx, name)).source);
    const stored = document ?? partial;
    if (stored?.kind === 'FlowDefinition') targets.set(name, targetIds(stored as FlowDefinition));
  }
  checkAnswered(flow, { names: [...names, ...targets.keys()], targetsOf: (name) => targets.get(name) }, report);
}

function checkFolder({ metadata, spec }: Connection, { folders, foldersOfOthers }: ConnectionFence, report: Report): void {
  if (spec.type !== 'folder') return;
  const { root } = spec;
  if (root === undefined) return;
  const reason =
    folders.refusal({ tenant: metadata.tenant, path: root }) ??
    (foldersOfOthers.some((other) => foldersMeet(root, other)) ? "meets a folder of another tenant's connection" : undefined);
  if (reason === undefined) return;
  report.add({ code: folderErrors.E_FOLDER_NOT_ALLOWED, path: ['spec', 'root'], message: `the root ${reason}`, atValue: true });
}

/** The order in which they are looked at when work is done: of two of one stage the first counts. */
function byName(environments: readonly Environment[]): Environment[] {
  return environments.toSorted(({ metadata: { name: a } }, { metadata: { name: b } }) => (a < b ? -1 : a > b ? 1 : 0));
}

function ofKind(documents: readonly HeadgateDocument[], kind: string): (readonly [string, HeadgateDocument])[] {
  return documents.filter((each) => each.kind === kind).map((each) => [each.metadata.name, each] as const);
}

async function readConnections(tx: TenantTx): Promise<Map<string, Connection>> {
  const found = await listDefinitions(tx, 'Connection', documentsMax);
  return new Map(found.map(({ name, document }) => [name, document as Connection]));
}

/** What stands behind each name; a name that is bound to nothing has nothing. */
function bind(stored: Connections, bindings: Readonly<Record<string, string>>): Connections {
  const bound = new Map(stored);
  for (const [name, to] of Object.entries(bindings)) {
    const connection = stored.get(to);
    if (connection === undefined) bound.delete(name);
    else bound.set(name, connection);
  }
  return bound;
}

/** A flow that did not fit before is not this document's fault. */
async function checkFlowsInForce(
  tx: TenantTx,
  change: { readonly before: Connections; readonly after: Connections; readonly path: () => Path },
  report: Report,
): Promise<void> {
  const isKept = [...change.before].every(([name, { spec }]) => change.after.get(name)?.spec.type === spec.type);
  if (isKept) return;
  for (const { name, hash } of await listFlows(tx, { limit: flowsMax })) {
    if (hash === null) continue;
    const { document, places } = loadDocument((await getFlowSource(tx, name)).source);
    if (document?.kind !== 'FlowDefinition') continue;
    const misfits = (connections: Connections): readonly Diagnostic[] => {
      const found = new Report(places);
      checkReferences(document as FlowDefinition, { connections, policy: null }, found);
      return found.diagnostics;
    };
    const known = new Set(misfits(change.before).map(({ path }) => path));
    const broken = misfits(change.after).find(({ path }) => !known.has(path));
    if (broken === undefined) continue;
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: change.path(),
      message: `flow ${name}, which is in force, would not fit any more: ${broken.message}`,
      atValue: true,
    });
    return;
  }
}
