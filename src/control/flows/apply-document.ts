/**
 * Applies a document of any kind as its author wrote it: checked whole, and for a flow its connections must exist in the
 * tenant first. `planDocument` says what applying would change and changes nothing.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ids } from '../../platform/base/ports.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { FlowDefinition } from './definition.ts';
import { applyDefinition, type DefinitionKind, findDefinition } from './definition-store.ts';
import type { Diagnostic } from './diagnostics.ts';
import { type DocumentChange, documentChanges } from './flow-changes.ts';
import { flowErrors } from './flow-errors.ts';
import { applyFlow, flowToApply } from './flow-store.ts';
import { findFlow, getFlowSource } from './flow-views.ts';
import { type LoadedDocument, loadDocument } from './load-flow.ts';

export interface DocumentOutcome {
  readonly kind: string;
  readonly name: string;
  readonly version: string | null;
  readonly hash: string;
  readonly outcome: string;
  readonly changes: readonly DocumentChange[];
  readonly warnings: readonly Diagnostic[];
}

interface Checked extends LoadedDocument {
  readonly document: NonNullable<LoadedDocument['document']>;
  readonly hash: string;
  readonly canonical: Readonly<Record<string, unknown>>;
}

/** Fails with E_FLOW_INVALID whose details are every mistake, each with its line and column. */
export async function applyDocument(
  tx: TenantTx,
  ids: Ids,
  text: string,
  by: { readonly tenant: string; readonly actor: string },
): Promise<DocumentOutcome> {
  const checked = check(text, by.tenant);
  const plan = await describeChange(tx, checked);
  const { document, hash, canonical } = checked;
  if (document.kind === 'FlowDefinition') {
    await requireConnections(tx, document);
    const applied = await applyFlow(tx, ids, flowToApply({ ...checked, definition: document }, text), by.actor);
    return { ...plan, outcome: applied.outcome };
  }
  const tier = document.kind === 'TenantPolicy' ? (document as { spec: { tier: 'gold' | 'silver' | 'bronze' } }).spec.tier : undefined;
  const applied = await applyDefinition(
    tx,
    ids,
    { kind: document.kind as DefinitionKind, name: document.metadata.name, hash, document: { ...document, canonical }, tier },
    by.actor,
  );
  return { ...plan, outcome: applied.outcome };
}

/** What `applyDocument` would do. */
export async function planDocument(tx: TenantTx, text: string, by: { readonly tenant: string }): Promise<DocumentOutcome> {
  const checked = check(text, by.tenant);
  if (checked.document.kind === 'FlowDefinition') await requireConnections(tx, checked.document);
  return describeChange(tx, checked);
}

function check(text: string, tenant: string): Checked {
  const loaded = loadDocument(text);
  const { document, hash, canonical } = loaded;
  if (!document || !hash || !canonical)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the document has mistakes', {
      details: loaded.diagnostics.filter(({ severity }) => severity === 'error'),
    });
  if (document.metadata.tenant !== tenant)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the document is of another tenant than the key', {
      details: [{ code: flowErrors.E_CONFIG_REFERENCE, path: 'metadata.tenant', message: `metadata.tenant must be ${tenant}` }],
    });
  return { ...loaded, document, hash, canonical };
}

async function describeChange(tx: TenantTx, { document, hash, canonical, diagnostics }: Checked): Promise<DocumentOutcome> {
  const before = await canonicalInForce(tx, document.kind, document.metadata.name);
  const version = document.kind === 'FlowDefinition' ? (document as FlowDefinition).metadata.version : null;
  return {
    kind: document.kind,
    name: document.metadata.name,
    version,
    hash,
    outcome: before === null ? 'create' : before.hash === hash ? 'unchanged' : 'update',
    changes: documentChanges(before?.canonical ?? null, canonical),
    warnings: diagnostics.filter(({ severity }) => severity === 'warning'),
  };
}

async function canonicalInForce(
  tx: TenantTx,
  kind: string,
  name: string,
): Promise<{ hash: string; canonical: Readonly<Record<string, unknown>> | null } | null> {
  if (kind !== 'FlowDefinition') {
    const found = await findDefinition(tx, kind as DefinitionKind, name);
    return found ? { hash: found.hash, canonical: (found.document as { canonical: Record<string, unknown> }).canonical } : null;
  }
  const flow = await findFlow(tx, name);
  if (!flow?.hash) return null;
  const { source, hash } = await getFlowSource(tx, name);
  return { hash, canonical: loadDocument(source).canonical };
}

async function requireConnections(tx: TenantTx, flow: FlowDefinition): Promise<void> {
  const named = new Set<string>();
  for (const source of flow.spec.sources) if (source.type === 'folder') named.add(source.connection);
  for (const target of Object.values(flow.spec.targets)) named.add(target.connection);
  const missing: string[] = [];
  for (const name of named) if (!(await findDefinition(tx, 'Connection', name))) missing.push(name);
  if (missing.length === 0) return;
  throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the flow names connections that the tenant does not have', {
    details: missing.map((name) => ({ code: flowErrors.E_CONFIG_REFERENCE, message: `there is no Connection ${name}; apply it first` })),
  });
}
