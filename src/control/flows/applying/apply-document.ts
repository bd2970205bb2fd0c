/**
 * Applies a document of any kind as its author wrote it: checked whole, and against what the tenant has in force: a flow's
 * connections must be applied before it. `planDocument` says what applying would change and changes nothing.
 */
import { HeadgateError, nextOf } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { FlowDefinition, HeadgateDocument } from '../definition.ts';
import { type Diagnostic, type PlaceFinder, pathText, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { type LoadedDocument, loadDocument, referredTo } from '../load-flow.ts';
import { applyDefinition, type DefinitionKind, findDefinition, findTenantPolicy } from './definition-store.ts';
import { checkTag, noneInForce, tagOfDefinition, tagOfFlow } from './document-tag.ts';
import { type DocumentChange, documentChanges } from './flow-changes.ts';
import { applyFlow, flowToApply } from './flow-store.ts';
import { findVersionConflict } from './flow-version-conflict.ts';
import { findFlow, getFlowSource } from './flow-views.ts';
import { type CheckedText, type ConnectionFence, checkAgainstTenant } from './tenant-references.ts';

export interface DocumentOutcome {
  readonly kind: string;
  readonly name: string;
  readonly version: string | null;
  readonly hash: string;
  readonly outcome: string;
  readonly changes: readonly DocumentChange[];
  readonly warnings: readonly Diagnostic[];
}

/** With what is in force of the document: before a change that is planned, after one that was applied. */
export interface TaggedOutcome extends DocumentOutcome {
  readonly tag: string;
}

export interface Applying {
  readonly tenant: string;
  /** The setting of that name, which says what connections' names stand for: dev when left out. */
  readonly environment?: string;
  /** Left out by the administrator only, who may name any folder; what is named is fenced at each use all the same. */
  readonly fence?: ConnectionFence;
  /** Tags: one of them must name what is in force of the document. Left out or null, whatever is. */
  readonly plannedAgainst?: readonly string[] | null;
}

export interface Planning extends Applying {
  /** Documents that are applied with it, before it: taken as if they were in force, as far as they can be read. */
  readonly alongside?: readonly string[];
}

interface Checked extends LoadedDocument {
  readonly document: NonNullable<LoadedDocument['document']>;
  readonly hash: string;
  readonly canonical: Readonly<Record<string, unknown>>;
}

/** Fails with E_FLOW_INVALID whose details are every mistake, each with its line and column, with E_DEFINITION_STALE and E_VERSION_CONFLICT. */
export async function applyDocument(
  tx: TenantTx,
  ids: Ids,
  text: string,
  by: Applying & { readonly actor: string },
): Promise<TaggedOutcome> {
  const checked = await check(tx, text, by);
  await tx.query(takeTurn, [tx.tenantId]);
  const plan = await describeChange(tx, checked, by);
  const found = await checkFit(tx, checked, by);
  await checkVersion(tx, checked);
  const { document, hash, canonical } = checked;
  if (document.kind === 'FlowDefinition') {
    const flow = flowToApply({ ...checked, definition: document }, text);
    const applied = await applyFlow(tx, ids, flow, by.actor);
    return { ...plan, outcome: applied.outcome, warnings: [...plan.warnings, ...found], tag: tagOfFlow(flow) };
  }
  const tier = document.kind === 'TenantPolicy' ? (document as { spec: { tier: 'gold' | 'silver' | 'bronze' } }).spec.tier : undefined;
  const applied = await applyDefinition(
    tx,
    ids,
    { kind: document.kind as DefinitionKind, name: document.metadata.name, hash, document: { ...document, canonical }, tier },
    by.actor,
  );
  const tag = tagOfDefinition({ revision: applied.revision, hash });
  return { ...plan, outcome: applied.outcome, warnings: [...plan.warnings, ...found], tag };
}

/** What `applyDocument` would do. */
export async function planDocument(tx: TenantTx, text: string, by: Planning): Promise<TaggedOutcome> {
  const checked = await check(tx, text, by);
  const plan = await describeChange(tx, checked, by);
  const found = await checkFit(tx, checked, by, true);
  await checkVersion(tx, checked);
  return { ...plan, warnings: [...plan.warnings, ...found] };
}

/** Of a document that has mistakes itself, what else is wrong with it at this tenant is told with them. */
async function check(tx: TenantTx, text: string, by: Planning): Promise<Checked> {
  const loaded = loadDocument(text);
  const { document, partial, hash, canonical, places } = loaded;
  const others = tenantMistake(document ?? partial, by.tenant, places);
  if (document && hash && canonical) {
    if (others.length === 0) return { ...loaded, document, hash, canonical };
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the document is of another tenant than the key', {
      details: others,
      next: `Use a key of the tenant that the document names, or write \`tenant: ${by.tenant}\`.`,
    });
  }
  const here = partial && others.length === 0 ? await findAgainstTenant(tx, { document: partial, places }, by) : [];
  const details = [...loaded.diagnostics, ...others, ...here].filter(({ severity }) => severity === 'error');
  throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the document has mistakes', {
    details: details.toSorted((a, b) => a.line - b.line || a.column - b.column),
  });
}

function tenantMistake(document: HeadgateDocument | null, tenant: string, places: PlaceFinder): readonly Diagnostic[] {
  const report = new Report(places);
  const own = document?.metadata.tenant;
  if (own !== undefined && own !== tenant)
    report.add({
      code: flowErrors.E_CONFIG_REFERENCE,
      path: ['metadata', 'tenant'],
      message: `metadata.tenant must be ${tenant}`,
      atValue: true,
    });
  return report.diagnostics;
}

async function describeChange(
  tx: TenantTx,
  { document, hash, canonical, diagnostics }: Checked,
  { plannedAgainst = null }: Applying,
): Promise<TaggedOutcome> {
  const before = await canonicalInForce(tx, document.kind, document.metadata.name);
  const tag = before?.tag ?? noneInForce;
  checkTag(tag, plannedAgainst);
  const flow = document.kind === 'FlowDefinition' ? (document as FlowDefinition).metadata : null;
  const version = flow?.version ?? null;
  const moved = flow === null || !before?.flow ? [] : placeChanges(before.flow, flow, before.hash === hash);
  return {
    kind: document.kind,
    name: document.metadata.name,
    version,
    hash,
    outcome: before === null ? 'create' : before.hash === hash && !before.isReplaced && moved.length === 0 ? 'unchanged' : 'update',
    changes: [...moved, ...documentChanges(before?.canonical ?? null, canonical)],
    warnings: diagnostics.filter(({ severity }) => severity === 'warning'),
    tag,
  };
}

const placeKeys = ['version', 'service', 'subService'] as const;

/** What the hash does not cover, and another version brings all the same. Its number is told where it is all that tells it apart. */
function placeChanges(before: FlowDefinition['metadata'], after: FlowDefinition['metadata'], isAlike: boolean): DocumentChange[] {
  if (before.version === after.version) return [];
  return placeKeys
    .filter((key) => before[key] !== after[key] && (key !== 'version' || isAlike))
    .map((key) => ({ change: 'changed', path: `metadata.${key}`, before: before[key], after: after[key] }));
}

interface InForce {
  readonly hash: string;
  /** Of a flow. */
  readonly flow?: FlowDefinition['metadata'] | undefined;
  readonly tag: string;
  /** A policy in whose place one of another name is in force. */
  readonly isReplaced?: boolean;
  /** Of such a policy that of the other one: it is what would change. */
  readonly canonical: Readonly<Record<string, unknown>> | null;
}

async function canonicalInForce(tx: TenantTx, kind: string, name: string): Promise<InForce | null> {
  if (kind !== 'FlowDefinition') {
    const found = await findDefinition(tx, kind as DefinitionKind, name);
    if (found === undefined) return null;
    const inForce = kind === 'TenantPolicy' ? ((await findTenantPolicy(tx)) ?? found) : found;
    const { canonical } = inForce.document as { canonical: Record<string, unknown> };
    return { hash: found.hash, tag: tagOfDefinition(found), isReplaced: inForce.name !== name, canonical };
  }
  const flow = await findFlow(tx, name);
  if (!flow?.hash) return null;
  const inForce = await getFlowSource(tx, name);
  const { canonical, document } = loadDocument(inForce.source);
  return { hash: inForce.hash, tag: tagOfFlow(inForce), canonical, flow: (document as FlowDefinition | null)?.metadata };
}

/** Fails with E_VERSION_CONFLICT, at the place of the version. */
async function checkVersion(tx: TenantTx, { document, hash, places }: Checked): Promise<void> {
  if (document.kind !== 'FlowDefinition') return;
  const { name, version } = (document as FlowDefinition).metadata;
  const conflict = await findVersionConflict(tx, { name, version, hash });
  if (conflict === null) return;
  const path = ['metadata', 'version'];
  const { code, message } = conflict;
  throw new HeadgateError(code, message, {
    details: [{ code, path: pathText(path), message: 'this version is taken', ...places.value(path) }],
  });
}

/** Documents of a tenant are applied one after the other: each is checked against what the one before left in force. */
const takeTurn = '/* take turn at applying */ select pg_advisory_xact_lock(7272, hashtext($1))';

/** Fails with E_FLOW_INVALID, each finding with its place. What is only not there yet is among the warnings of a plan, as the error that it would be. */
async function checkFit(tx: TenantTx, checked: Checked, by: Planning, isPlan = false): Promise<readonly Diagnostic[]> {
  const found = await findAgainstTenant(tx, checked, by);
  const isPassing = ({ code }: Diagnostic): boolean => isPlan && code === flowErrors.E_CONFIG_REFERENCE;
  const errors = found.filter((finding) => finding.severity === 'error' && !isPassing(finding));
  if (errors.length > 0)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the document does not fit what the tenant has in force', {
      details: errors,
      next: [...new Set(errors.map(({ code }) => nextOf(code)))].join(' '),
    });
  return found;
}

async function findAgainstTenant(tx: TenantTx, checked: CheckedText, by: Planning): Promise<readonly Diagnostic[]> {
  const alongside = (by.alongside ?? [])
    .flatMap((text) => referredTo(loadDocument(text)) ?? [])
    .filter(({ metadata }) => metadata.tenant === by.tenant);
  return await checkAgainstTenant(tx, checked, { environment: by.environment ?? 'dev', fence: by.fence, alongside });
}
