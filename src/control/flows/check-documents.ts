/** Checks several documents together, as a folder of them is kept in git: each for itself, then what they say of each other. */
import { checkEgress } from './applying/check-egress.ts';
import { checkAnswered, targetIds } from './check-answered.ts';
import { checkEnvironment, checkReferences, checkStage } from './check-references.ts';
import { broughtSources, checkSharedFolders, checkSharedPlaces, takingSources } from './check-shared-places.ts';
import type { Connection, Environment, FlowDefinition, HeadgateDocument, TenantPolicy } from './definition.ts';
import { type Diagnostic, Report } from './documents/diagnostics.ts';
import { flowErrors } from './flow-errors.ts';
import { type LoadedDocument, loadDocument, referredTo } from './load-flow.ts';
import { placesBy } from './polled-place.ts';

export interface CheckedDocument extends LoadedDocument {
  readonly file: string;
}

/** Connections are only looked for where a tenant has any among the documents. */
export function checkDocuments(texts: readonly { readonly file: string; readonly text: string }[]): CheckedDocument[] {
  const loaded = texts.map(({ file, text }) => ({ file, ...loadDocument(text) }));
  return loaded.map((checked, position) => {
    const own = checked.document ?? checked.partial;
    if (own === null) return checked;
    const report = new Report(checked.places);
    const others = loaded.filter((_, index) => index < position).map((other) => other.document);
    if (checked.document !== null) checkRepeated(checked.document, others, report);
    const all = loaded.flatMap((other) => referredTo(other) ?? []);
    checkTogether(own, all, report);
    checkPlaces(own, others, report);
    if (own.kind === 'Environment') checkStages(own as Environment, others, report);
    const found = report.diagnostics;
    if (found.length === 0) return checked;
    return {
      ...checked,
      ...(report.hasErrors ? { document: null, plan: null, hash: null, canonical: null } : {}),
      diagnostics: sorted([...checked.diagnostics, ...found]),
    };
  });
}

function sorted(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function checkTogether(document: HeadgateDocument, all: readonly HeadgateDocument[], report: Report): void {
  const own = all.filter((other) => other.metadata.tenant === document.metadata.tenant);
  const connections = new Map(
    own.filter((other): other is Connection => other.kind === 'Connection').map((other) => [other.metadata.name, other]),
  );
  const policy = own.find((other): other is TenantPolicy => other.kind === 'TenantPolicy') ?? null;
  const known = connections.size > 0 ? connections : null;
  if (document.kind === 'FlowDefinition') {
    checkReferences(document, { connections: known, policy }, report);
    const flows = new Map(
      own.filter((other): other is FlowDefinition => other.kind === 'FlowDefinition').map((flow) => [flow.metadata.name, targetIds(flow)]),
    );
    // Where no other flow is among them, they are somewhere else.
    if (flows.size > 1) checkAnswered(document, { names: [...flows.keys()], targetsOf: (name) => flows.get(name) }, report);
  }
  if (document.kind === 'Connection' && policy !== null) checkEgress(document as Connection, policy, report);
  if (document.kind === 'Environment' && known !== null) checkEnvironment(document, known, report);
}

/** Of each text which of its sources take files that those of a flow before it take. */
export function checkPlacesTogether(texts: readonly string[]): (readonly Diagnostic[])[] {
  const loaded = texts.map((text) => loadDocument(text));
  return loaded.map(({ document, places }, position) => {
    const report = new Report(places);
    const before = loaded.slice(0, position).map((other) => other.document);
    if (document !== null) checkPlaces(document, before, report);
    return report.diagnostics;
  });
}

/** Which connections stand behind the names, an environment says. */
const byName = placesBy(() => undefined);

/** Of two that want the same files the second is told. */
function checkPlaces(document: HeadgateDocument, before: readonly (HeadgateDocument | null)[], report: Report): void {
  if (document.kind !== 'FlowDefinition') return;
  const flows = before.filter((other) => other?.kind === 'FlowDefinition' && other.metadata.tenant === document.metadata.tenant);
  checkSharedPlaces(document as FlowDefinition, (flows as FlowDefinition[]).flatMap(takingSources), byName, report);
  const others = (flows as FlowDefinition[]).filter(({ metadata }) => metadata.name !== document.metadata.name);
  checkSharedFolders(document as FlowDefinition, others.flatMap(broughtSources), (name) => name, report);
}

/** Of two Environments of one stage the second is told. */
function checkStages(environment: Environment, before: readonly (HeadgateDocument | null)[], report: Report): void {
  const { tenant, name } = environment.metadata;
  const others = before.filter(
    (other) => other?.kind === 'Environment' && other.metadata.tenant === tenant && other.metadata.name !== name,
  );
  checkStage(environment, others as Environment[], report);
}

function checkRepeated(document: HeadgateDocument, before: readonly (HeadgateDocument | null)[], report: Report): void {
  const identity = identityOf(document);
  if (!before.some((other) => other !== null && identityOf(other) === identity)) return;
  report.add({
    code: flowErrors.E_CONFIG_DUPLICATE,
    path: ['metadata', 'name'],
    message: `another file holds ${document.kind} ${document.metadata.name} too`,
    atValue: true,
  });
}

function identityOf(document: HeadgateDocument): string {
  const version = document.kind === 'FlowDefinition' ? (document as FlowDefinition).metadata.version : '';
  return [document.metadata.tenant, document.kind, document.metadata.name, version].join(' ');
}
